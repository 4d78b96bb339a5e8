import { setText } from './board-lists.js';

const find = (id) => document.getElementById(id);
export const roleNames = { NORMAL: 'Normal', VIP: 'VIP', MANAGER: 'Manager', BOT: 'Bot' };

/**
 * Shows who is signed in, and the buttons of their role. It only spares people what the server would refuse: who may do
 * what is decided there.
 */
export function showAccount(user) {
  for (const button of document.querySelectorAll('[data-roles]')) {
    button.hidden = !user || !button.dataset.roles.split(' ').includes(user.role);
  }
  const actions = find('actions');
  actions.hidden = !actions.querySelector('button:not([hidden])');
  document.body.dataset.role = user?.role ?? '';
  find('who').hidden = !user;
  setText(find('who-name'), user?.displayName ?? '');
  setText(find('who-role'), user ? roleNames[user.role] : '');
  find('sign-out').hidden = !user;
  find('ask-sign-in').hidden = Boolean(user);
}

/** Where the keyboard goes on when the button that had it is gone. */
export function focusAccount() {
  const first = document.querySelector('#actions:not([hidden]) button:not([hidden]), .account button:not([hidden])');
  first.focus();
}
