import { inHtml, nameplate, page } from './page.ts';

const words = {
  ended: {
    heading: 'This link has ended',
    text: 'Links to receipts work for a while only, so that nobody finds them later.',
  },
  wrong: {
    heading: 'This link does not work',
    text: 'It is not one of ours, or was changed on its way. Open it once more from the mail, and whole.',
  },
} as const;

/** For who opens the link of a receipt too late, or not as it was. */
export function fileLinkPage(
  reason: keyof typeof words,
  { shopName, shopEmail }: { shopName: string; shopEmail: string | null },
): string {
  const { heading, text } = words[reason];
  const shop = shopEmail ? `${shopName} (${shopEmail})` : shopName;
  return page({
    title: `${heading} · ${inHtml(shopName)}`,
    stylesheet: 'checkout.css',
    top: [nameplate(inHtml(shopName))],
    main: {
      attributes: 'class="returned" data-tone="bad"',
      elements: [
        `<h1>${heading}</h1>`,
        `<p>${text}</p>`,
        `<p>The mail with your receipt has it attached, too. For a new link sign in, or ask ${inHtml(shop)}.</p>`,
        '<p class="way-on"><a href="/">Sign in</a></p>',
      ],
    },
  });
}
