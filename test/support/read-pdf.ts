import { inflateSync } from 'node:zlib';

/** A piece of text on a page, as a reader would copy it; in points, from the lower left corner. */
export interface PdfText {
  text: string;
  x: number;
  y: number;
  width: number;
}

interface PdfFont {
  /** What each glyph stands for. */
  letters: Map<number, string>;
  /** Of each glyph, in thousandths of the size. */
  widths: number[];
}

interface PdfObject {
  head: string;
  stream: string;
}

/** The text of a PDF as pdfkit writes it, page by page, by way of each font's own table of letters. */
export function readPdf(pdf: Buffer): { pages: PdfText[][]; objects: Map<string, PdfObject> } {
  const objects = new Map<string, PdfObject>();
  for (const [, id = '', body = ''] of pdf.toString('latin1').matchAll(/(\d+) 0 obj\n([\s\S]*?)\nendobj/g))
    objects.set(id, objectOf(body));
  const get = (id: string | undefined) => objects.get(id ?? '') ?? { head: '', stream: '' };
  const kids = /\/Kids \[([^\]]*)\]/.exec([...objects.values()].find(({ head }) => head.includes('/Kids'))?.head ?? '');
  const pages = [...(kids?.[1] ?? '').matchAll(/(\d+) 0 R/g)].map(([, id]) => {
    const { head } = get(id);
    const fonts = /\/Font <<([\s\S]*?)>>/.exec(get(/\/Resources (\d+)/.exec(head)?.[1]).head)?.[1] ?? '';
    const fontOf = (name: string): PdfFont => {
      const font = get(new RegExp(`/${name} (\\d+) 0 R`).exec(fonts)?.[1]).head;
      const letters = lettersOf(get(/\/ToUnicode (\d+)/.exec(font)?.[1]).stream);
      const widths = /\/W \[0 \[([^\]]*)\]/.exec(get(/\/DescendantFonts \[(\d+)/.exec(font)?.[1]).head)?.[1] ?? '';
      return { letters, widths: widths.split(' ').map(Number) };
    };
    return textsOf(get(/\/Contents (\d+)/.exec(head)?.[1]).stream, fontOf);
  });
  return { pages, objects };
}

function objectOf(body: string): PdfObject {
  const start = body.indexOf('\nstream\n');
  if (start < 0) return { head: body, stream: '' };
  const head = body.slice(0, start);
  const packed = Buffer.from(body.slice(start + 8, body.lastIndexOf('\nendstream')), 'latin1');
  return { head, stream: (head.includes('/FlateDecode') ? inflateSync(packed) : packed).toString('latin1') };
}

function lettersOf(table: string): Map<number, string> {
  const letters = new Map<number, string>();
  for (const [, from = '0', entries = ''] of table.matchAll(/<([0-9a-f]+)> <[0-9a-f]+> \[([^\]]*)\]/g))
    for (const [index, [, codes = '']] of [...entries.matchAll(/<([0-9a-f ]*)>/g)].entries())
      letters.set(
        Number.parseInt(from, 16) + index,
        Buffer.from(codes.replaceAll(' ', ''), 'hex').swap16().toString('utf16le'),
      );
  return letters;
}

function textsOf(content: string, readFont: (name: string) => PdfFont): PdfText[] {
  const fonts = new Map<string, PdfFont>();
  const block = /1 0 0 1 ([\d.-]+) ([\d.-]+) Tm\n\/(F\d+) ([\d.]+) Tf\n([\s\S]*?)ET/g;
  return [...content.matchAll(block)].map(([, x, y, name = '', size, shown = '']) => {
    const font = fonts.get(name) ?? readFont(name);
    fonts.set(name, font);
    const hexes = [...shown.matchAll(/<([0-9a-f]+)>/g)].flatMap(([, hex = '']) => hex.match(/.{4}/g) ?? []);
    const glyphs = hexes.map((hex) => Number.parseInt(hex, 16));
    const thousandths = glyphs.reduce((sum, glyph) => sum + (font.widths[glyph] ?? Number.NaN), 0);
    return {
      text: glyphs.map((glyph) => font.letters.get(glyph) ?? '').join(''),
      x: Number(x),
      y: Number(y),
      width: (thousandths * Number(size)) / 1000,
    };
  });
}
