import { focusAccount, showAccount } from './account.js';
import { ActionError, createActions, fetchBoard, fetchBots } from './board-actions.js';
import { botChip, clockText, completeTile, pendingTile, processingRow, setText, showList } from './board-lists.js';
import { BoardState } from './board-state.js';
import { followBoard } from './board-stream.js';
import { noAnswer } from './problem.js';
import { createServerClock } from './server-clock.js';
import { openSession, SignedOutError } from './session.js';
import { createSignInDialog } from './sign-in-dialog.js';
import { notice, removeToast, toast } from './toast.js';

const announceMs = 2_000;
const botsDelayMs = 250;
const durationDelayMs = 300;
const slowMs = 500;

const find = (id) => document.getElementById(id);
let state = new BoardState();
const clock = createServerClock();
let botList = null;
let isDrawDue = false;
let isLoaded = false;
/** The lists are drawn for the first time from this snapshot: nothing in them is news. */
let isWhole = true;
let isLost = false;

const signInEnded = 'Your sign-in has ended. Sign in again to go on.';
const session = openSession({
  onChange: showWho,
  askAgain() {
    removeToast(signInEnded); // the dialog says it
    return signInDialog.ask(signInEnded);
  },
});
const actions = createActions(session);
const signInDialog = createSignInDialog((account) => session.signIn(account));

function showWho() {
  const { user } = session;
  showAccount(user);
  if (user) signInDialog.dismiss();
  readBotsSoon();
  drawSoon();
}

find('ask-sign-in').addEventListener('click', async () => {
  if (!(await signInDialog.ask())) return;
  tell(`Signed in as ${session.user?.displayName}.`);
  focusAccount();
});

find('sign-out').addEventListener('click', () => {
  session.signOut();
  tell('Signed out.');
  focusAccount();
});

const stream = followBoard({
  onChange(kind, data, id) {
    if (kind === 'snapshot') {
      state = new BoardState(data);
      clock.set(data.asOf);
      isLoaded = true;
      isWhole = true;
      readBotsSoon();
    } else if (kind === 'order') {
      state.apply(data, id);
      clock.heard(data.at);
      noteForAnnouncement(data);
      if (state.needsSnapshot) stream.restart();
      readDurationSoon();
      readBotsSoon();
    } else {
      state.bots = data;
      readBotsSoon();
    }
    drawSoon();
  },
  onConnection(staleSince) {
    isLost = staleSince !== null;
    const connection = find('connection');
    connection.dataset.state = staleSince ? 'lost' : 'live';
    setText(connection, staleSince ? `Reconnecting… stale since ${clockText(staleSince)}` : 'Live');
    document.body.dataset.connection = staleSince ? 'lost' : 'live';
  },
});

/** However many events come in one frame, they are drawn once. */
function drawSoon() {
  if (isDrawDue) return;
  isDrawDue = true;
  requestAnimationFrame(draw);
}

function draw() {
  isDrawDue = false;
  if (!isLoaded) return;
  const now = clock.now();
  const { pending, processing, complete, counts, bots } = state;
  draws('pending', pending, pendingTile, now);
  draws('processing', processing, processingRow, now);
  draws('complete', complete, completeTile, now);
  isWhole = false;
  const unlisted = counts.pending - pending.length;
  find('pending-more').hidden = unlisted <= 0;
  setText(find('pending-more'), `and ${unlisted.toLocaleString('en')} more`);
  setText(find('processing-empty'), idleText(bots));
  const largest = Math.max(1_000, ...[...pending, ...processing, ...complete].map(({ number }) => number));
  document.body.style.setProperty('--digits', String(largest).length); // tiles are as wide as their numbers need
  drawBots(processing, bots);
  document.title = `${counts.pending} pending · ${counts.processing} processing · twolane`;
}

function draws(name, orders, { keyOf, create, update }, now) {
  setText(find(`${name}-count`), state.counts[name].toLocaleString('en'));
  showList(find(`${name}-list`), orders, {
    keyOf,
    create,
    update: (item, order) => update(item, order, now),
    isNews: !isWhole,
  });
  find(`${name}-empty`).hidden = orders.length > 0 || state.counts[name] > 0;
}

function idleText({ total, idle, processing }) {
  if (total === 0)
    return `There is no bot yet. ${session.user?.role === 'MANAGER' ? 'Add one with + Bot.' : 'A manager can add one.'}`;
  if (idle + processing === 0) return 'The bots are away. Orders wait until one of them is back.';
  return 'The bots are idle. They start with the next order at once.';
}

/** Away is a bot without a host, or a robot that is silent. The list is for those who are signed in; everybody sees the counts, and the bots that have an order in hand. */
function drawBots(processing, { total, idle, processing: busy }) {
  const away = total - idle - busy;
  setText(
    find('bots-counts'),
    `${total} in all · ${busy} processing · ${idle} idle${away > 0 ? ` · ${away} away` : ''}`,
  );
  const inHand = processing.filter(({ botNumber }) => botNumber !== null);
  const known =
    botList ??
    inHand.map(({ botNumber, number }) => ({ number: botNumber, status: 'processing', orderNumber: number }));
  const orderOf = new Map(inHand.map(({ botNumber, number }) => [botNumber, number]));
  const live = known.map((bot) => {
    const orderNumber = orderOf.get(bot.number) ?? null; // the stream is ahead of the list
    if (orderNumber !== null) return { ...bot, status: 'processing', orderNumber };
    return bot.status === 'processing' ? { ...bot, status: 'idle', orderNumber } : bot;
  });
  showList(
    find('bots-list'),
    live.sort((a, b) => a.number - b.number),
    botChip,
  );
}

let botsTimer;
let knownBots;
/** Only when their number, their hosts or the reader may have changed: who does what, the orders tell. */
function readBotsSoon() {
  const { user } = session;
  const key = JSON.stringify([user?.id, state.bots.total, state.bots.idle + state.bots.processing]);
  if (key === knownBots) return;
  knownBots = key;
  clearTimeout(botsTimer);
  botsTimer = setTimeout(readBots, botsDelayMs);
}

async function readBots() {
  try {
    const list = session.user ? await fetchBots(session) : null;
    botList = session.user && list;
  } catch (error) {
    if (!(error instanceof SignedOutError)) throw error;
    if (!signInDialog.isOpen) toast(signInEnded);
  }
  drawSoon();
}

let durationTimer;
/** The moves do not say how long an order takes. Once it is known of one, the others are expected to take as long. */
function readDurationSoon() {
  if (durationTimer || !state.needsDuration) return;
  durationTimer = setTimeout(async () => {
    const asking = state;
    const board = await fetchBoard();
    durationTimer = undefined;
    if (board && asking === state) state.learnDurations(board);
    drawSoon();
  }, durationDelayMs);
}

let changes;
/** For those who listen: a sentence every few seconds, not one for each order. */
function noteForAnnouncement({ number, from, to }) {
  if (!changes) {
    changes = { placed: 0, complete: [] };
    setTimeout(sayChanges, announceMs);
  }
  if (from === null) changes.placed += 1;
  if (to === 'complete') changes.complete.push(number);
}

function sayChanges() {
  const { placed, complete } = changes;
  changes = undefined;
  const sentences = [];
  if (placed > 0) sentences.push(placed === 1 ? 'A new order.' : `${placed} new orders.`);
  if (complete.length > 3) sentences.push(`${complete.length} orders are complete.`);
  else if (complete.length > 0) sentences.push(`Complete: ${complete.join(', ')}.`);
  announce(sentences.join(' '));
}

function announce(text) {
  if (text) setText(find('announcements'), text);
}

/** What somebody did on this page, for their eyes and their ears. */
function tell(text) {
  announce(text);
  notice(text);
}

for (const button of document.querySelectorAll('[data-action]')) {
  button.addEventListener('click', async () => {
    const slow = isLost && setTimeout(() => toast(noAnswer), slowMs); // it may be there, and silent
    try {
      tell(await actions[button.dataset.action](() => !isLost));
    } catch (error) {
      if (error instanceof ActionError) toast(error.message);
      else if (error instanceof SignedOutError) focusAccount();
      else throw error;
    } finally {
      clearTimeout(slow);
    }
  });
}

showWho();
setInterval(drawSoon, 1_000); // waits and remaining times go on while nothing happens
