/** Takes a picture of a running board: `node scripts/run.mjs scripts/screenshot-board.ts --url http://127.0.0.1:3000`. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { ensureDebianPackage } from '../sandbox/debian-package.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:3000' },
    out: { type: 'string', default: 'docs/board.png' },
    size: { type: 'string', default: '1280x800' },
    dark: { type: 'boolean', default: false },
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
  await page
    .locator('#bots-list li')
    .first()
    .waitFor({ timeout: 2_000 })
    .catch(() => undefined); // nobody may know them
  await page.evaluate(
    'Promise.all(document.getAnimations().filter((one) => one.animationName === "arrive").map((one) => one.finished))',
  );
  await page.screenshot({ path: values.out });
  console.log(`${values.out}: ${width}×${height} of ${values.url}`);
} finally {
  await browser.close();
}
