const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Two columns wide where text is set in columns: emoji, Chinese, Japanese, Korean, and full-width forms. */
const wide =
  /^(\p{Emoji_Presentation}|.\ufe0f|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|[\u3000-\u303f\uff01-\uff60\uffe0-\uffe6])/u;

export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  return [...graphemes.segment(text)].reduce((sum, { segment }) => sum + widthOf(segment), 0);
}

const widthOf = (grapheme: string) => (wide.test(grapheme) ? 2 : /^[\p{Mn}\p{Cf}]+$/u.test(grapheme) ? 0 : 1);

export const padRight = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - textWidth(text)));
export const padLeft = (text: string, width: number) => ' '.repeat(Math.max(0, width - textWidth(text))) + text;

/** Lines no wider than that, broken between words, and within one that is too long for a line. */
export function wrap(text: string, width = 76): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((piece) => pieces(piece, width))) {
    if (line !== '' && textWidth(line) + 1 + textWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  if (textWidth(word) <= width) return [word];
  const parts: string[] = [];
  let part = '';
  let used = 0;
  for (const { segment } of graphemes.segment(word)) {
    if (used + widthOf(segment) > width) {
      parts.push(part);
      part = '';
      used = 0;
    }
    part += segment;
    used += widthOf(segment);
  }
  return [...parts, part];
}
