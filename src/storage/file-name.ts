/** `attachment`, so that no browser ever shows as a page what a store holds. Names of any language: RFC 6266, with a plain one beside it. */
export function attachmentHeader(fileName: string): string {
  const name = printable(fileName);
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return plain === name
    ? `attachment; filename="${plain}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/** No path, no line end, nothing that is not text. */
const printable = (fileName: string) =>
  fileName
    .toWellFormed()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get into a header
    .replaceAll(/[\u0000-\u001f\u007f/\\]/g, '_')
    .slice(0, 200)
    .toWellFormed() || 'file';

export const nameOf = (key: string) => key.slice(key.lastIndexOf('/') + 1);
