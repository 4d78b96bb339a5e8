import type { Backup, BackupList } from '../domain/backup.ts';
import { inHtml, page } from './page.ts';

export interface BackupPageFacts extends BackupList {
  /** Why backups work less well now. */
  fault: { message: string; since: Date } | null;
}

/** What admins see of the backups. Without a script: it looks again by itself, often while one is under way. */
export function backupPage(
  { backups, lastVerified, schedule, keep, store, encrypted, fault }: BackupPageFacts,
  now: Date,
): string {
  const underWay = backups.find(({ finishedAt }) => finishedAt === null) ?? null;
  const facts: [label: string, value: string, more: string, tone?: 'good' | 'bad'][] = [
    lastVerified?.snapshotAt
      ? [
          'Last verified',
          `${spanText(now.getTime() - Date.parse(lastVerified.snapshotAt))} ago`,
          timeText(lastVerified.snapshotAt),
          fault ? 'bad' : 'good',
        ]
      : ['Last verified', 'never', 'nothing could be restored now', 'bad'],
    [
      'A restore takes',
      lastVerified?.restoreMs == null ? 'unknown' : spanText(lastVerified.restoreMs),
      lastVerified?.rows == null
        ? 'as measured when one was verified'
        : `${countText(lastVerified.rows)} rows, measured when it was verified`,
    ],
    [
      'Next',
      schedule.nextAt === null ? 'by hand' : `in ${spanText(Date.parse(schedule.nextAt) - now.getTime())}`,
      schedule.cron === null ? 'BACKUP_CRON is off' : `BACKUP_CRON ${schedule.cron}, UTC`,
    ],
    [
      'Kept',
      `${keep.daily} · ${keep.weekly} · ${keep.monthly}`,
      'days, weeks and months; never without the last verified one',
    ],
  ];
  return page({
    title: 'Backups · twolane',
    stylesheet: 'backups.css',
    head: `<meta http-equiv="refresh" content="${underWay ? 2 : 60}">`,
    top: [
      '<h1><img src="/assets/icon.svg" alt="" width="32" height="32">Backups</h1>',
      '<nav><a href="/admin/queues">Queues</a> <a href="/">Board</a></nav>',
    ],
    main: {
      attributes: 'class="backups"',
      elements: [
        fault &&
          `<p class="fault" role="alert">${inHtml(fault.message)} <small>since ${timeText(fault.since.toISOString())}</small></p>`,
        '<dl class="facts">',
        ...facts.map(
          ([label, value, more, tone]) =>
            `  <div${tone ? ` data-tone="${tone}"` : ''}><dt>${label}</dt><dd>${inHtml(value)} <small>${inHtml(more)}</small></dd></div>`,
        ),
        '</dl>',
        `<p class="place">${store === null ? 'No store is set up: BACKUP_S3_ENDPOINT and its companions.' : `They lie in <code>${inHtml(store)}</code>, ${encrypted ? 'encrypted' : 'not encrypted (BACKUP_ENCRYPTION_KEY)'}.`}</p>`,
        underWay ? progressHtml(underWay) : store !== null && formHtml,
        backups.length === 0 ? '<p class="none">There is no backup yet.</p>' : tableHtml(backups),
      ],
    },
  });
}

const formHtml = '<form method="post" action="/admin/backups"><button type="submit">Back up now</button></form>';

const wordsOfPhase: Record<NonNullable<Backup['phase']>, string> = {
  snapshot: 'reading the database',
  upload: 'storing',
  read_back: 'reading it back',
  restore: 'restoring it, to try it',
  compare: 'comparing',
  retention: 'deleting old ones',
};

function progressHtml({ name, state, phase, progress }: Backup): string {
  const words = phase ? wordsOfPhase[phase] : state === 'queued' ? 'waiting for a worker' : 'starting';
  return `<section class="under-way" aria-label="Under way"><p><strong>${inHtml(name)}</strong> ${words} <small>${progress ? amountsText(progress) : ''}</small></p>${barHtml(progress)}</section>`;
}

function barHtml(progress: Backup['progress']): string {
  if (!progress?.total) return '<progress></progress>';
  const { done, total } = progress;
  return `<progress value="${Math.min(done, total)}" max="${total}"></progress>`;
}

function amountsText({ done, total, unit }: NonNullable<Backup['progress']>): string {
  const amountOf = unit === 'bytes' ? bytesText : countText;
  const amounts = total > 0 ? `${amountOf(done)} of ${amountOf(total)}` : amountOf(done);
  return unit === 'bytes' ? amounts : `${amounts} ${unit}`;
}

const wordOfState: Record<Backup['state'], string> = {
  queued: 'waiting',
  running: 'under way',
  stored: 'not verified',
  verified: 'verified',
  failed: 'failed',
  deleted: 'deleted',
};

function tableHtml(backups: readonly Backup[]): string {
  const heads = ['Backup', 'State', 'Snapshot', 'Rows', 'Stored', 'Took', 'Restore', 'Asked by'];
  const rows = backups.map((backup) => {
    const cells = [
      `<code>${inHtml(backup.name)}</code>`,
      `<span class="state" data-state="${backup.state}">${wordOfState[backup.state]}</span>${backup.failure ? `<small class="why">${inHtml(backup.failure)}</small>` : ''}`,
      backup.snapshotAt === null ? '' : timeText(backup.snapshotAt),
      backup.rows === null ? '' : countText(backup.rows),
      backup.storedBytes === null ? '' : bytesText(backup.storedBytes),
      backup.backupMs === null ? '' : spanText(backup.backupMs),
      backup.restoreMs === null ? '' : spanText(backup.restoreMs),
      inHtml(backup.trigger === 'schedule' ? 'schedule' : `${backup.requestedBy} (${backup.trigger})`),
    ];
    return `          <tr>${cells.map((cell, index) => `<td data-head="${heads[index]}"${cell === '' ? ' class="empty"' : ''}>${cell && `<div>${cell}</div>`}</td>`).join('')}</tr>`;
  });
  return [
    '<table>',
    `        <thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>`,
    '        <tbody>',
    ...rows,
    '        </tbody>',
    '      </table>',
  ].join('\n');
}

const countText = (count: number) => count.toLocaleString('en');

function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power]}`;
}

/** `850 ms`, `9.6 s`, `4 min`, `7.5 h`, `3 days` */
function spanText(ms: number): string {
  const span = Math.max(0, ms);
  if (span < 999.5) return `${Math.round(span)} ms`;
  if (span < 99_950) return `${(span / 1_000).toFixed(span < 9_950 ? 1 : 0)} s`;
  if (span < 5_970_000) return `${Math.round(span / 60_000)} min`;
  if (span < 172_800_000) return `${(span / 3_600_000).toFixed(1)} h`;
  return `${Math.round(span / 86_400_000)} days`;
}

/** `2026-03-01 02:30 UTC` */
const timeText = (at: string) => `${at.slice(0, 16).replace('T', ' ')} UTC`;
