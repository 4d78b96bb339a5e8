const arrival = { frames: { opacity: [0, 1], translate: ['0 -0.4em', '0 0'] }, ms: 350 };
const stillness = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * Brings a list's elements in line with its items. Those that stay are not touched: one that is moved would begin its
 * animations anew. What is new fades in when it is news, not when a whole board is shown.
 */
export function showList(list, items, { keyOf, create, update, isNews = false }) {
  const keys = new Set(items.map((item) => String(keyOf(item))));
  const known = new Map();
  for (const element of [...list.children]) {
    if (keys.has(element.dataset.key)) known.set(element.dataset.key, element);
    else element.remove();
  }
  let place = list.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    const element = known.get(key) ?? create(key);
    element.dataset.key = key;
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else list.insertBefore(element, place);
    if (isNews && !known.has(key) && !stillness.matches) {
      element.animate(arrival.frames, { duration: arrival.ms, easing: 'ease-out' });
    }
  }
}

export function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

/** Only what differs is written: a text that stays is not announced and not drawn again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const pendingTile = {
  keyOf: ({ number }) => number,
  create: () =>
    element('li', 'tile', element('span', 'number'), element('span', 'facts', laneBadge(), element('time', ''))),
  update(tile, { number, lane, placedAt }, now) {
    showOrder(tile, number, lane);
    setText(tile.querySelector('time'), waitText(now - Date.parse(placedAt)));
  },
};

export const completeTile = {
  keyOf: ({ number }) => number,
  create: () =>
    element('li', 'tile', element('span', 'number'), element('span', 'facts', laneBadge(), element('time', ''))),
  update(tile, { number, lane, completedAt }) {
    showOrder(tile, number, lane);
    setText(tile.querySelector('time'), clockText(new Date(completedAt)).slice(0, 5));
  },
};

export const processingRow = {
  keyOf: ({ number, startedAt }) => `${number} ${startedAt}`, // another start is another bar
  create() {
    const bar = element('span', 'bar', element('span', 'fill'));
    bar.setAttribute('role', 'progressbar');
    return element(
      'li',
      'row',
      element('span', 'number'),
      element('span', 'facts', laneBadge(), element('span', 'bot')),
      element('span', 'remaining'),
      bar,
    );
  },
  update(row, order, now) {
    showOrder(row, order.number, order.lane);
    setText(row.querySelector('.bot'), order.botNumber === null ? '' : `Bot ${order.botNumber}`);
    showProgress(row, order, now);
  },
};

export const botChip = {
  keyOf: ({ number }) => number,
  create: () => element('li', 'chip', element('strong', ''), element('span', '')),
  update(chip, { number, status, orderNumber }) {
    chip.dataset.status = status;
    setText(chip.querySelector('strong'), `Bot ${number}`);
    setText(
      chip.querySelector('span'),
      status === 'processing' ? `order ${orderNumber}` : status === 'idle' ? 'idle' : 'away',
    );
  },
};

function showOrder(item, number, lane) {
  setText(item.querySelector('.number'), String(number));
  item.dataset.lane = lane;
  setText(item.querySelector('.lane'), lane === 'vip' ? 'VIP' : '');
}

const laneBadge = () => element('span', 'lane');

function showProgress(row, { number, startedAt, expectedAt, progress }, now) {
  const bar = row.querySelector('.bar');
  const fill = row.querySelector('.fill');
  const start = Date.parse(startedAt);
  const end = expectedAt ? Date.parse(expectedAt) : null;
  const share = end !== null ? Math.min(1, Math.max(0, (now - start) / Math.max(1, end - start))) : progress;
  bar.dataset.known = String(share !== null);
  bar.setAttribute('aria-label', `Order ${number}`);
  if (share === null) bar.removeAttribute('aria-valuenow');
  else bar.setAttribute('aria-valuenow', String(Math.round(share * 100)));
  if (end !== null && row.dataset.expectedAt !== expectedAt) {
    row.dataset.expectedAt = expectedAt;
    fill.style.animation = `fill ${Math.max(1, end - start)}ms linear ${start - now}ms both`;
  } else if (end === null && share !== null) fill.style.transform = `scaleX(${share})`;
  const remainingMs = end === null ? null : end - now;
  setText(
    row.querySelector('.remaining'),
    remainingMs === null ? '' : remainingMs > 500 ? spanText(remainingMs) : 'any moment',
  );
}

const spanText = (ms) => (ms < 99_500 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`);
const waitText = (ms) => (ms < 60_000 ? 'new' : `${Math.floor(ms / 60_000)} min`);
export const clockText = (time) => time.toLocaleTimeString('en-GB');
