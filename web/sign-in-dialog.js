import { roleNames } from './account.js';
import { element, setText } from './board-lists.js';
import { noAnswer, readProblem } from './problem.js';
import { RefusedError } from './session.js';

const find = (id) => document.getElementById(id);

/** The sign-in, over the board. `signIn({ email, password, isKept, signal })` as in session.js. */
export function createSignInDialog(signIn) {
  const dialog = find('sign-in');
  const form = find('sign-in-form');
  const { email, password, keep } = form.elements;
  const submit = find('sign-in-submit');
  let asked = null;
  let underWay = null;
  let countdown = null;

  /** Whether somebody signed in; whoever asks while it is open gets the same answer. */
  function ask(reason = '') {
    if (asked) return asked.promise;
    asked = Promise.withResolvers();
    setText(find('sign-in-reason'), reason);
    dialog.returnValue = '';
    dialog.showModal();
    showDemoAccounts(find('demo-accounts'), (account) => attempt(account));
    return asked.promise;
  }

  dialog.addEventListener('close', () => {
    underWay?.abort();
    endCountdown();
    form.reset(); // no password stays on the page
    showFault('');
    asked.resolve(dialog.returnValue === 'signed in');
    asked = null;
  });

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (countdown === null) attempt({ email: email.value.trim(), password: password.value });
  });
  find('sign-in-cancel').addEventListener('click', () => dialog.close());
  email.addEventListener('input', endCountdown); // another account may be let in at once

  async function attempt(account) {
    if (underWay) return;
    const control = new AbortController();
    underWay = control;
    form.setAttribute('aria-busy', 'true');
    showFault('');
    try {
      await signIn({ ...account, isKept: keep.checked, signal: control.signal });
      if (dialog.open) dialog.close('signed in');
    } catch (error) {
      if (!control.signal.aborted) await explain(error);
    } finally {
      underWay = null;
      form.removeAttribute('aria-busy');
    }
  }

  async function explain(error) {
    if (!(error instanceof RefusedError)) return showFault(noAnswer);
    const { status, code, detail, retryAfterSeconds } = await readProblem(error.response);
    if (code === 'credentials_invalid') {
      showFault('The e-mail address or the password is wrong.', password);
      password.select();
    } else if (code === 'input_invalid') showFault('Enter an e-mail address and the password of its account.', email);
    else if (status === 429) startCountdown(retryAfterSeconds ?? 1);
    else showFault(detail);
  }

  /** The button counts; what is read aloud is said once. */
  function startCountdown(seconds) {
    const until = Date.now() + seconds * 1_000;
    const count = () => {
      const left = Math.ceil((until - Date.now()) / 1_000);
      if (left > 0) return setText(submit, `Try again in ${spanText(left)}`);
      endCountdown();
      showFault('You can try again now.');
    };
    showFault(`There were too many tries. The next one is possible in ${spanText(seconds)}.`);
    endCountdown();
    submit.setAttribute('aria-disabled', 'true');
    countdown = setInterval(count, 250);
    count();
  }

  function endCountdown() {
    clearInterval(countdown);
    countdown = null;
    submit.removeAttribute('aria-disabled');
    setText(submit, 'Sign in');
  }

  function showFault(text, field) {
    setText(find('sign-in-fault'), text);
    for (const one of [email, password]) one.removeAttribute('aria-invalid');
    field?.setAttribute('aria-invalid', 'true');
    field?.focus();
  }

  return {
    ask,
    get isOpen() {
      return dialog.open;
    },
    /** Somebody has signed in elsewhere, in another tab. */
    dismiss() {
      if (dialog.open && !underWay) dialog.close('signed in');
    },
  };
}

const spanText = (seconds) => (seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`);

/** One click each, where the server says that this is a demo. */
async function showDemoAccounts(box, choose) {
  if (box.dataset.known) return;
  const response = await fetch('/assets/demo-accounts.json').catch(() => null); // away: asked for next time
  if (!response) return;
  if (!response.ok) return;
  box.dataset.known = 'true';
  const { password, accounts } = await response.json();
  if (accounts.length === 0) return; // not a demo
  for (const { email, displayName, role } of accounts) {
    const button = element(
      'button',
      '',
      element('strong', '', displayName),
      element('span', 'demo-role', roleNames[role]),
    );
    button.type = 'button';
    button.addEventListener('click', () => choose({ email, password }));
    box.append(button);
  }
  box.hidden = false;
}
