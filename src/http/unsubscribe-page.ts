import { inHtml, nameplate, page } from './page.ts';

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
  return page({
    title: `News of orders · ${inHtml(shopName)}`,
    stylesheet: 'checkout.css',
    top: [nameplate(inHtml(shopName))],
    main: {
      attributes: `class="returned" data-tone="${tone}"`,
      elements: [
        `<h1>${heading}</h1>`,
        `<p>${inHtml(text)}</p>`,
        button &&
          `<form method="post" class="way-on"><button class="${button.action === 'stop' ? 'main' : 'plain'}" name="action" value="${button.action}">${button.label}</button></form>`,
      ],
    },
  });
}
