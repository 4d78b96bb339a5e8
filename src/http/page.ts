export interface PageParts {
  title: string;
  /** Of `/assets/`, after that of the board. */
  stylesheet: 'checkout.css' | 'backups.css';
  /** Further elements of the head. */
  head?: string;
  /** What stands at the top; elements, as are those of `main`. */
  top: string[];
  main: { attributes: string; elements: (string | false | null | undefined)[] };
}

/** A page made by the server, without a script. Whatever comes from elsewhere has gone through `inHtml` before. */
export function page({ title, stylesheet, head, top, main }: PageParts): string {
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    '  <head>',
    '    <meta charset="utf-8">',
    '    <meta name="viewport" content="width=device-width, initial-scale=1">',
    '    <meta name="color-scheme" content="light dark">',
    '    <meta name="robots" content="noindex">',
    head && `    ${head}`,
    `    <title>${title}</title>`,
    '    <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">',
    '    <link rel="stylesheet" href="/assets/board.css">',
    `    <link rel="stylesheet" href="/assets/${stylesheet}">`,
    '  </head>',
    '  <body>',
    '    <header class="top">',
    ...top.map((element) => `      ${element}`),
    '    </header>',
    `    <main ${main.attributes}>`,
    ...main.elements.filter((element) => !!element).map((element) => `      ${element}`),
    '    </main>',
    '  </body>',
    '</html>',
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}

export const nameplate = (name: string) =>
  `<p class="name"><img src="/assets/icon.svg" alt="" width="32" height="32">${name}</p>`;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const inHtml = (text: string) => text.replaceAll(/[&<>"']/g, (letter) => entities[letter] ?? letter);
