import type PDFDocument from 'pdfkit';
import { readingOrder } from './reading-order.ts';
import { fontRuns, openFont, type Weight } from './receipt-fonts.ts';

export interface Style {
  size: number;
  weight?: Weight;
  colour?: string;
  /** Where `x` is: at the left end, or at the right one. */
  align?: 'left' | 'right';
}

export type ReceiptPen = ReturnType<typeof createPen>;

/** Writes on a document in any script we have a font for. Lengths are in points, `y` is the line that letters stand on. */
export function createPen(document: InstanceType<typeof PDFDocument>) {
  const known = new Set<string>();
  const widths = new Map<string, number>();

  function use(fontName: string, size: number): void {
    if (!known.has(fontName)) {
      document.registerFont(fontName, openFont(fontName) as unknown as Buffer); // it takes an open font as well, which its types leave out
      known.add(fontName);
    }
    document.font(fontName).fontSize(size);
  }

  function runsOf(text: string, weight: Weight) {
    return readingOrder(text).flatMap((piece) => {
      const runs = fontRuns(piece.text, weight);
      return piece.isRightToLeft ? runs.toReversed() : runs;
    });
  }

  function width(text: string, { size, weight = 400 }: Style): number {
    const key = `${size} ${weight} ${text}`;
    const known = widths.get(key);
    if (known !== undefined) return known;
    const measured = runsOf(text, weight).reduce((sum, run) => {
      use(run.fontName, size);
      return sum + document.widthOfString(run.text);
    }, 0);
    widths.set(key, measured);
    return measured;
  }

  function write(text: string, x: number, y: number, style: Style): void {
    const { size, weight = 400, colour = '#1c1b1a', align = 'left' } = style;
    let at = align === 'right' ? x - width(text, style) : x;
    for (const run of runsOf(text, weight)) {
      use(run.fontName, size);
      document.fillColor(colour).text(run.text, at, y, { lineBreak: false, baseline: 'alphabetic' });
      at += document.widthOfString(run.text);
    }
  }

  /** Lines no wider than that, broken between words, and within one that is too long for a line. */
  function wrap(text: string, widest: number, style: Style): string[] {
    const lines: string[] = [];
    let line = '';
    for (const word of text.split(' ').flatMap((one) => broken(one, widest, style))) {
      const longer = line === '' ? word : `${line} ${word}`;
      if (line !== '' && width(longer, style) > widest) {
        lines.push(line);
        line = word;
      } else line = longer;
    }
    return [...lines, line];
  }

  function broken(word: string, widest: number, style: Style): string[] {
    if (width(word, style) <= widest) return [word];
    const parts: string[] = [];
    let part = '';
    for (const { segment } of new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(word)) {
      if (part !== '' && width(part + segment, style) > widest) {
        parts.push(part);
        part = '';
      }
      part += segment;
    }
    return [...parts, part];
  }

  return { width, write, wrap };
}
