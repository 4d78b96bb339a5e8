import type PDFDocument from 'pdfkit';
import type { ReceiptPen } from './receipt-pen.ts';

/** A4, in points, and the greys on it. */
export const paper = { width: 595.28, muted: '#6b655d', line: '#d9d4cb', tint: '#f6f4f0' };
export const left = 48;
export const right = paper.width - 48;
/** Below it is the foot of the page. */
export const bottom = 776;

/** Where the drawing is. */
export interface Page {
  document: InstanceType<typeof PDFDocument>;
  pen: ReceiptPen;
  /** The shop's colour, where it can be read on white. */
  accent: string;
  /** The upper end of what is still empty. */
  y: number;
  /** Begins a new page. */
  next(): void;
  /** Begins a new page unless so much fits on this one. */
  need(height: number): void;
}
