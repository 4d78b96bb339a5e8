import { ActionError, actions, fetchBoard, fetchBots, noAnswer } from './board-actions.js';
import {
  botChip,
  clockText,
  completeTile,
  element,
  pendingTile,
  processingRow,
  setText,
  showList,
} from './board-lists.js';
import { BoardState } from './board-state.js';
import { followBoard } from './board-stream.js';

const announceMs = 2_000;
const botsDelayMs = 250;
const durationDelayMs = 300;
const slowMs = 500;
const toastMs = 20_000;

const find = (id) => document.getElementById(id);
let state = new BoardState();
/** The server's clock less ours: bars and waits go by the server's. */
let clockOffsetMs = 0;
let botList = null;
let isDrawDue = false;
let isLoaded = false;
/** The lists are drawn for the first time from this snapshot: nothing in them is news. */
let isWhole = true;
let isLost = false;

const stream = followBoard({
  onChange(kind, data, id) {
    if (kind === 'snapshot') {
      state = new BoardState(data);
      clockOffsetMs = Date.parse(data.asOf) - Date.now();
      isLoaded = true;
      isWhole = true;
      readBotsSoon();
    } else if (kind === 'order') {
      state.apply(data, id);
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
  const now = Date.now() + clockOffsetMs;
  const { pending, processing, complete, counts, bots } = state;
  draws('pending', pending, pendingTile, now);
  draws('processing', processing, processingRow, now);
  draws('complete', complete, completeTile, now);
  isWhole = false;
  const unlisted = counts.pending - pending.length;
  find('pending-more').hidden = unlisted <= 0;
  setText(find('pending-more'), `and ${unlisted.toLocaleString('en')} more`);
  setText(
    find('processing-empty'),
    bots.total === 0
      ? 'There is no bot yet. Add one with + Bot.'
      : 'The bots are idle. They start with the next order at once.',
  );
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

/** With the list of bots where we may know it, else those that have an order in hand, and the counts. */
function drawBots(processing, { total, idle, processing: busy }) {
  const unassigned = total - idle - busy;
  setText(
    find('bots-counts'),
    `${total} in all · ${busy} processing · ${idle} idle${unassigned > 0 ? ` · ${unassigned} waiting for a host` : ''}`,
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
/** Only when their number or their hosts may have changed: who does what, the orders tell. */
function readBotsSoon() {
  const key = JSON.stringify([state.bots.total, state.bots.idle + state.bots.processing]);
  if (key === knownBots) return;
  knownBots = key;
  clearTimeout(botsTimer);
  botsTimer = setTimeout(async () => {
    botList = await fetchBots().catch(() => null); // the counts stay
    drawSoon();
  }, botsDelayMs);
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

for (const button of document.querySelectorAll('[data-action]')) {
  button.addEventListener('click', async () => {
    const slow = isLost && setTimeout(() => toast(noAnswer), slowMs); // it may be there, and silent
    try {
      announce(await actions[button.dataset.action](() => !isLost));
    } catch (error) {
      if (!(error instanceof ActionError)) throw error;
      toast(error.message);
    } finally {
      clearTimeout(slow);
    }
  });
}

/** Stays until it is closed, or long enough to be read; not while somebody points at it. */
function toast(text) {
  const close = element('button', 'close', '×');
  close.type = 'button';
  close.setAttribute('aria-label', 'Close');
  const box = element('div', 'toast', element('p', '', text), close);
  for (const same of [...find('toasts').children].filter((other) => other.firstChild.textContent === text))
    same.remove();
  close.addEventListener('click', () => box.remove());
  let timer;
  const keep = () => clearTimeout(timer);
  const leaveLater = () => {
    keep();
    timer = setTimeout(() => box.remove(), toastMs);
  };
  for (const event of ['mouseenter', 'focusin']) box.addEventListener(event, keep);
  for (const event of ['mouseleave', 'focusout']) box.addEventListener(event, leaveLater);
  find('toasts').append(box);
  leaveLater();
}

setInterval(drawSoon, 1_000); // waits and remaining times go on while nothing happens
