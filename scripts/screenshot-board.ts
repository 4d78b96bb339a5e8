/**
 * Takes a picture of a running board: `node scripts/run.mjs scripts/screenshot-board.ts --url http://127.0.0.1:3000`. It signs
 * in as the manager of the demo first; `--public` leaves that out.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { ensureDebianPackage } from '../sandbox/debian-package.ts';
import { samplePassword } from '../src/domain/user.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:3000' },
    out: { type: 'string', default: 'docs/board.png' },
    size: { type: 'string', default: '1280x800' },
    dark: { type: 'boolean', default: false },
    public: { type: 'boolean', default: false },
    email: { type: 'string', default: 'manager@twolane.test' },
    password: { type: 'string', default: samplePassword },
  },
});
const [width = 1280, height = 800] = values.size.split('x').map(Number);

const installed = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const executablePath = existsSync(installed) ? installed : await ensureDebianPackage('chromium', 'chromium');
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic'] });
try {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: values.dark ? 'dark' : 'light' });
  await page.goto(values.url);
  await page.locator('#connection[data-state=live]').waitFor();
  if (!values.public) {
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByLabel('E-mail address').fill(values.email);
    await page.getByLabel('Password').fill(values.password);
    await page.locator('#sign-in-submit').click();
    await page.getByRole('button', { name: 'Sign out' }).waitFor({ timeout: 10_000 });
    await page.locator('#bots-list li').first().waitFor({ timeout: 5_000 });
    await page.evaluate('document.activeElement.blur()'); // no ring around what the keyboard would press
  }
  await page.evaluate(
    'Promise.all(document.getAnimations().filter((one) => one.animationName === "arrive").map((one) => one.finished))',
  );
  await page.screenshot({ path: values.out });
  console.log(`${values.out}: ${width}×${height} of ${values.url}`);
} finally {
  await browser.close();
}
