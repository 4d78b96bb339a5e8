import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { create, type Font } from 'fontkit';
import { unwrapWoff } from './unwrap-woff.ts';

export type Weight = 400 | 700;

/** A piece of text that one font can show. */
export interface FontRun {
  fontName: string;
  text: string;
}

// Noto Sans in the pieces it is published in, the likely ones first: a receipt opens those it needs. No Chinese, Japanese or Korean:
// their fonts are ten times all of these.
const pieces = [
  ['@fontsource/noto-sans', 'noto-sans-latin'],
  ['@fontsource/noto-sans', 'noto-sans-latin-ext'],
  ['@fontsource/noto-sans', 'noto-sans-vietnamese'],
  ['@fontsource/noto-sans', 'noto-sans-greek'],
  ['@fontsource/noto-sans', 'noto-sans-greek-ext'],
  ['@fontsource/noto-sans', 'noto-sans-cyrillic'],
  ['@fontsource/noto-sans', 'noto-sans-cyrillic-ext'],
  ['@fontsource/noto-sans', 'noto-sans-devanagari'],
  ['@fontsource/noto-sans-hebrew', 'noto-sans-hebrew-hebrew'],
  ['@fontsource/noto-sans-arabic', 'noto-sans-arabic-arabic'],
] as const;
const [[, first]] = pieces;
/** For what no font of ours can show, such as an emoji: a question mark on a black diamond. */
const standIn = '\ufffd';

const { resolve } = createRequire(import.meta.url);
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const opened = new Map<string, Font>();

export const fontNameOf = (piece: string, weight: Weight) => `${piece}-${weight}`;

/** Opened once per process: they are files of a package, and never change. */
export function openFont(fontName: string): Font {
  const open = opened.get(fontName);
  if (open) return open;
  const piece = pieces.find(
    ([, file]) => fontName.startsWith(`${file}-`) && /^-\d+$/.test(fontName.slice(file.length)),
  );
  if (!piece) throw new TypeError(`there is no font ${fontName}`);
  const font = create(unwrapWoff(readFileSync(resolve(`${piece[0]}/files/${fontName}-normal.woff`))));
  if (!('layout' in font)) throw new TypeError(`${fontName} is a collection of fonts`);
  opened.set(fontName, font);
  return font;
}

/** The text in pieces of one font each; what none can show is a stand-in, one for each character as people count them. */
export function fontRuns(text: string, weight: Weight): FontRun[] {
  if (/^[\x20-\x7e]+$/.test(text)) return [{ fontName: fontNameOf(first, weight), text }];
  const runs: FontRun[] = [];
  for (const { segment } of graphemes.segment(text)) {
    const visible = segment.replace(/[\p{Cf}\p{Variation_Selector}]/gu, '');
    if (visible === '') continue;
    const last = runs.at(-1);
    // A space stays with the word before it, a mark with its letter.
    const fontName = last && has(last.fontName, visible) ? last.fontName : fontFor(visible, weight);
    const shown = fontName === null ? standIn : visible;
    const name = fontName ?? fontNameOf(first, weight);
    if (last?.fontName === name) last.text += shown;
    else runs.push({ fontName: name, text: shown });
  }
  return runs;
}

function fontFor(text: string, weight: Weight): string | null {
  return pieces.map(([, piece]) => fontNameOf(piece, weight)).find((name) => has(name, text)) ?? null;
}

function has(fontName: string, text: string): boolean {
  const font = openFont(fontName);
  return [...text].every((character) => font.hasGlyphForCodePoint(character.codePointAt(0) ?? 0));
}
