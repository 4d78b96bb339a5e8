export type NewsState = 'asked' | 'stopped' | 'resumed' | 'link invalid';

interface Words {
  tone: 'waiting' | 'good' | 'bad';
  heading: string;
  text: string;
  /** What the button says and sends. */
  button?: { label: string; action: 'stop' | 'resume' };
}

function wordsFor(state: NewsState, address: string): Words {
  switch (state) {
    case 'asked':
      return {
        tone: 'waiting',
        heading: 'No more news of orders?',
        text: `${address} is told when an order is confirmed, ready or cancelled. Receipts and refunds come in any case.`,
        button: { label: 'Stop these mails', action: 'stop' },
      };
    case 'stopped':
      return {
        tone: 'good',
        heading: 'Done',
        text: `${address} gets no more news of orders. Receipts and refunds come in any case.`,
        button: { label: 'Undo: send them again', action: 'resume' },
      };
    case 'resumed':
      return {
        tone: 'good',
        heading: 'Welcome back',
        text: `${address} is told again when an order is confirmed, ready or cancelled.`,
        button: { label: 'Stop these mails', action: 'stop' },
      };
    case 'link invalid':
      return {
        tone: 'bad',
        heading: 'This link does not work',
        text: 'It is not one of ours, or was changed on its way. Open it once more from the mail, and whole.',
      };
  }
}

/** One button, which sends to the address of the page itself; without a script. */
export function unsubscribePage(
  state: NewsState,
  { address, shopName }: { address: string; shopName: string },
): string {
  const { tone, heading, text, button } = wordsFor(state, address);
  const lines = [
    '<!doctype html>',
    '<html lang="en">',
    '  <head>',
    '    <meta charset="utf-8">',
    '    <meta name="viewport" content="width=device-width, initial-scale=1">',
    '    <meta name="color-scheme" content="light dark">',
    '    <meta name="robots" content="noindex">',
    `    <title>News of orders · ${inHtml(shopName)}</title>`,
    '    <link rel="icon" href="/assets/icon.svg" type="image/svg+xml">',
    '    <link rel="stylesheet" href="/assets/board.css">',
    '    <link rel="stylesheet" href="/assets/checkout.css">',
    '  </head>',
    '  <body>',
    '    <header class="top">',
    `      <p class="name"><img src="/assets/icon.svg" alt="" width="32" height="32">${inHtml(shopName)}</p>`,
    '    </header>',
    `    <main class="returned" data-tone="${tone}">`,
    `      <h1>${heading}</h1>`,
    `      <p>${inHtml(text)}</p>`,
    button &&
      `      <form method="post" class="way-on"><button class="${button.action === 'stop' ? 'main' : 'plain'}" name="action" value="${button.action}">${button.label}</button></form>`,
    '    </main>',
    '  </body>',
    '</html>',
  ];
  return `${lines.filter(Boolean).join('\n')}\n`;
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const inHtml = (text: string) => text.replaceAll(/[&<>"']/g, (letter) => entities[letter] ?? letter);
