import { existsSync } from 'node:fs';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { ensureDebianPackage } from '../../sandbox/debian-package.ts';
import { manager, samplePassword } from './api.ts';
import { until } from './until.ts';

export const typedManager = { email: manager, password: samplePassword };
export const managerButtons = ['New Normal Order', 'New VIP Order', '+ Bot', '− Bot', 'Sign out'];

/** A real Chromium in front of the board. */
export interface BoardBrowser {
  /** What pages threw, and what their content security policy refused. */
  faults: string[];
  /** Opens the board and waits until it is live; in a context of its own, as another person's browser, unless one is given. */
  open(url: string, options?: OpenOptions): Promise<Page>;
  /** One person's browser, for several tabs. */
  openContext(): Promise<BrowserContext>;
  close(): Promise<void>;
}

export interface OpenOptions {
  size?: { width: number; height: number };
  context?: BrowserContext;
  /** Runs in the page before anything of ours. */
  script?: string;
}

export async function startBoardBrowser(): Promise<BoardBrowser> {
  const installed = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
  const executablePath = existsSync(installed) ? installed : await ensureDebianPackage('chromium', 'chromium');
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run'.split(' '),
      '--disable-background-networking --disable-component-update --disable-sync'.split(' '),
    ].flat(),
  });
  const faults: string[] = [];
  const openContext = async (size = { width: 1280, height: 800 }) => {
    const context = await browser.newContext({ viewport: size });
    context.on('weberror', (error) => faults.push(error.error().message));
    context.on('console', (message) => {
      if (/Content Security Policy/i.test(message.text())) faults.push(message.text());
    });
    return context;
  };
  return {
    faults,
    openContext,
    async open(url, { size, context, script } = {}) {
      const page = await (context ?? (await openContext(size))).newPage();
      if (script) await page.addInitScript({ content: script });
      await page.goto(url);
      await untilLive(page);
      return page;
    },
    close: () => browser.close(),
  };
}

export const untilLive = (page: Page) => page.locator('#connection[data-state=live]').waitFor();

const untilButton = (page: Page, name: string) =>
  until(`the button ${name}`, () => page.getByRole('button', { name, exact: true }).isVisible());
/** Also in a tab behind another one, which is not drawn: `waitFor` would wait for its next frame. */
export const untilSignedIn = (page: Page) => untilButton(page, 'Sign out');
export const untilSignedOut = (page: Page) => untilButton(page, 'Sign in');

/** Brings the tab to the front: what is not drawn cannot be clicked. */
export async function click(page: Page, name: string): Promise<void> {
  await page.bringToFront();
  await page.getByRole('button', { name, exact: true }).click();
}

/** What somebody can press, besides the messages. */
export const buttonsOf = (page: Page) => page.locator('button:visible').allTextContents();

/** By the one click that a demo offers, once the board is open. */
export async function signInAs(page: Page, name: string): Promise<void> {
  await click(page, 'Sign in');
  await page.locator('#demo-accounts').getByRole('button', { name }).click();
  await untilSignedIn(page);
}

export async function signInByTyping(
  page: Page,
  { email, password, isKept = false }: { email: string; password: string; isKept?: boolean },
): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByLabel('Stay signed in on this device').setChecked(isKept);
  await page.locator('#sign-in-submit').click();
}

/** `POST /v1/orders 201` and the like, as they are answered from now on. */
export function answersOf(page: Page): string[] {
  const answers: string[] = [];
  page.on('response', (response) => {
    answers.push(`${response.request().method()} ${new URL(response.url()).pathname} ${response.status()}`);
  });
  return answers;
}

export const isPlaced = (answer: string) => answer === 'POST /v1/orders 201';
