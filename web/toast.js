import { element } from './board-lists.js';

const toastMs = 20_000;
const noticeMs = 5_000;
const toasts = document.getElementById('toasts');
const notices = document.getElementById('notices');
let noticeTimer;

/** Stays until it is closed, or long enough to be read; not while somebody points at it. */
export function toast(text) {
  removeToast(text);
  const close = element('button', 'close', '×');
  close.type = 'button';
  close.setAttribute('aria-label', 'Close');
  const box = element('div', 'toast', element('p', '', text), close);
  close.addEventListener('click', () => box.remove());
  let timer;
  const keep = () => clearTimeout(timer);
  const leaveLater = () => {
    keep();
    timer = setTimeout(() => box.remove(), toastMs);
  };
  for (const event of ['mouseenter', 'focusin']) box.addEventListener(event, keep);
  for (const event of ['mouseleave', 'focusout']) box.addEventListener(event, leaveLater);
  toasts.append(box);
  leaveLater();
}

export function removeToast(text) {
  for (const box of [...toasts.children].filter((one) => one.firstChild.textContent === text)) box.remove();
}

/** That something went well: one at a time, nothing to close, gone by itself. Those who listen are told by `#announcements`. */
export function notice(text) {
  clearTimeout(noticeTimer);
  notices.replaceChildren(element('p', 'notice', text));
  noticeTimer = setTimeout(() => notices.replaceChildren(), noticeMs);
}
