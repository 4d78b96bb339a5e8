type Content = string | number | boolean | Node[];
/** A tag and what is in it. */
export type Node = readonly [tag: string, content: Content];

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

export function writeXml(root: Node): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${write(root)}`;
}

const write = ([tag, content]: Node): string =>
  `<${tag}>${Array.isArray(content) ? content.map(write).join('') : escaped(String(content))}</${tag}>`;
const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (one) => entities[one] ?? one);

/** The text of every `<tag>` in it, without what lies deeper: enough for the two documents that clients send. */
export function textsOf(xml: string, tag: string): string[] {
  return [...xml.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))].map(([, text = '']) =>
    text.replaceAll(/&(amp|lt|gt|quot|apos|#34|#39);/g, (whole) => plain[whole] ?? whole),
  );
}

const plain: Record<string, string> = {
  ...Object.fromEntries(Object.entries(entities).map(([character, entity]) => [entity, character])),
  '&#34;': '"',
  '&#39;': "'",
};
