import type { CaughtMail } from './mail-box.ts';

/** No scripts: so that it is of our origin lets our page see how high it is, and lets it do nothing. */
export const frameRights = 'allow-same-origin allow-popups allow-popups-to-escape-sandbox';

export type MailView = 'html' | 'text' | 'source';

const listPath = '/dev/mail';
const refreshSeconds = 5;
const kindNames: Record<string, string> = {
  order_confirmed: 'Confirmed',
  order_ready: 'Ready',
  receipt: 'Receipt',
  order_cancelled: 'Cancelled',
  order_refunded: 'Refunded',
};

/** The newest first. */
export function listPage(mails: readonly CaughtMail[]): string {
  const count = mails.length === 1 ? '1 mail' : `${mails.length} mails, the newest first`;
  const body =
    mails.length === 0
      ? `<p class="empty"><strong>No mail yet.</strong><br>Place an order, and what its customer is told is shown here.</p>`
      : `<ul class="mails">\n${mails.map(row).join('\n')}\n</ul>
<form method="post" action="${listPath}/clear"><button>Remove all</button></form>`;
  return page({
    title: mails.length === 0 ? 'Mail' : `Mail (${mails.length})`,
    head: `<meta http-equiv="refresh" content="${refreshSeconds}">`,
    main: `<h1>Mail</h1>
<p>What the shop sends its customers, as their mail server gets it.${mails.length > 0 ? ` ${count}.` : ''} For programs: <a href="${listPath}/mails.json">JSON</a>.</p>
${body}`,
  });
}

export function mailPage(mail: CaughtMail, view: MailView): string {
  const path = `${listPath}/${mail.id}`;
  const views: [MailView, string][] = [
    ...(mail.html === null ? [] : [['html', 'As it looks'] satisfies [MailView, string]]),
    ['text', 'Text'],
    ['source', 'Source'],
  ];
  const tabs = views.map(([name, label]) =>
    name === view
      ? `<a href="${path}?view=${name}" aria-current="page">${label}</a>`
      : `<a href="${path}?view=${name}">${label}</a>`,
  );
  return page({
    title: mail.subject || 'Mail without a subject',
    main: `<p class="back"><a href="${listPath}">All mail</a></p>
<h1>${subjectOf(mail)}</h1>
<dl>
<dt>To</dt><dd>${escapeHtml(mail.envelope.to.join(', '))}</dd>
<dt>From</dt><dd>${escapeHtml(mail.from)}</dd>
<dt>At</dt><dd>${timeOf(mail.receivedAt)}${mail.kind === null ? '' : ` · ${kindOf(mail.kind)}`}</dd>
${mail.attachments.length > 0 ? `<dt>With it</dt><dd>${mail.attachments.map((each, index) => attachmentLink(path, each, index)).join('<br>')}</dd>` : ''}
</dl>
<nav>${tabs.join('\n')}</nav>
${bodyOf(mail, view, path)}`,
  });
}

export const noMailPage = page({
  title: 'No such mail',
  main: `<p class="back"><a href="${listPath}">All mail</a></p>
<h1>No such mail</h1>
<p>It was removed, or newer ones have taken its place.</p>`,
});

function bodyOf(mail: CaughtMail, view: MailView, path: string): string {
  if (view === 'source')
    return `<p><a href="${path}/source.eml">Save it as a file</a></p>\n<pre>${escapeHtml(beginningOf(mail.source))}</pre>`;
  if (view === 'html' && mail.html !== null)
    return `<iframe src="${path}/html" title="The mail" sandbox="${frameRights}"></iframe>\n<script src="${listPath}/frame.js" defer></script>`;
  return mail.text === null ? '<p>It has no text.</p>' : `<pre class="text">${escapeHtml(mail.text)}</pre>`;
}

const shownBytes = 100_000;

function beginningOf(source: Buffer): string {
  const text = source.subarray(0, shownBytes).toString('utf8');
  return source.length > shownBytes ? `${text}\n… and ${source.length - shownBytes} bytes more` : text;
}

function row(mail: CaughtMail): string {
  const kind = mail.kind === null ? '' : `<span class="kind">${kindOf(mail.kind)}</span>`;
  const clip = mail.attachments.length > 0 ? ` <span class="clip">${attachmentNames(mail)}</span>` : '';
  return `<li><a href="${listPath}/${mail.id}">
<span class="subject">${subjectOf(mail)}</span>
<span class="to">${escapeHtml(mail.envelope.to.join(', '))}${clip}</span>
<span class="when">${kind}<time datetime="${mail.receivedAt.toISOString()}">${minutes.format(mail.receivedAt)} UTC</time></span>
</a></li>`;
}

const attachmentNames = (mail: CaughtMail) =>
  escapeHtml(`with ${mail.attachments.map(({ fileName }) => fileName).join(', ')}`);

function attachmentLink(path: string, { fileName, content }: CaughtMail['attachments'][number], index: number): string {
  return `<a href="${path}/attachments/${index}" target="_blank" rel="noopener">${escapeHtml(fileName)}</a> (${sizeOf(content.length)})`;
}

const sizeOf = (bytes: number) => (bytes < 1_000 ? `${bytes} bytes` : `${(bytes / 1_000).toFixed(1)} kB`);
const subjectOf = ({ subject }: CaughtMail) => escapeHtml(subject) || '(no subject)';
const kindOf = (kind: string) => escapeHtml(kindNames[kind] ?? kind);
const times = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });
const minutes = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
const timeOf = (at: Date) => `${times.format(at)} UTC`;

function page({ title, head = '', main }: { title: string; head?: string; main: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${head}
<title>${escapeHtml(title)} · twolane mail sandbox</title>
<link rel="stylesheet" href="${listPath}/mail.css">
</head>
<body>
<main>
<p class="sandbox">Sandbox. No mail leaves this machine.</p>
${main}
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
