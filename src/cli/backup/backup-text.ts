import type { BackupUnit } from '../../domain/backup.ts';
import { countText } from '../count-text.ts';
import { durationText } from '../duration.ts';
import { barText } from '../live-region.ts';

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** `850 bytes`, `1.2 MB`, `340 GB` */
export function bytesText(bytes: number): string {
  const power = bytes < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1_000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power]}`;
}

/** `just now`, `3 h ago` */
export function agoText(at: string, now: Date): string {
  const ageMs = now.getTime() - Date.parse(at);
  if (ageMs < 1_000) return 'just now';
  if (ageMs < 172_800_000) return `${durationText(ageMs)} ago`;
  return `${Math.round(ageMs / 86_400_000)} days ago`;
}

/** `2026-03-01 02:30Z` */
export const minuteText = (at: string) => `${at.slice(0, 16).replace('T', ' ')}Z`;

export interface PhaseProgress {
  phase: string;
  done: number;
  total: number;
  unit: BackupUnit;
}

export const wordsOfPhase: Record<string, string> = {
  snapshot: 'reading',
  upload: 'storing',
  read_back: 'reading back',
  restore: 'restoring',
  compare: 'comparing',
  retention: 'tidying up',
};

const amountText = (amount: number, unit: BackupUnit) =>
  unit === 'bytes' ? bytesText(amount) : countText(amount, unit.slice(0, -1));

/** A phase that is under way: how far, how fast, how long still. */
export function phaseLine({ phase, done, total, unit }: PhaseProgress, elapsedMs: number): string {
  const words = (wordsOfPhase[phase] ?? phase).padEnd(12);
  const perSecond = elapsedMs > 500 && done > 0 ? (done * 1_000) / elapsedMs : null;
  const speed = perSecond === null ? '' : `  ${amountText(Math.round(perSecond), unit)}/s`;
  if (total === 0) return `${words} ${amountText(done, unit)}${speed}`;
  const share = Math.min(1, done / total);
  const left = perSecond === null || share >= 1 ? '' : `  ${durationText(((total - done) * 1_000) / perSecond)} left`;
  return `${words} ${barText(share, 24)} ${String(Math.floor(share * 100)).padStart(3)} %  ${unit === 'bytes' ? bytesText(done) : done.toLocaleString('en')} of ${amountText(total, unit)}${speed}${left}`;
}

/**
 * A phase that has ended well, and what went through it. Who looks twice a second may not have seen its end: bytes are known before, rows
 * are estimated. How long a backup and a restore took is measured elsewhere, and said once.
 */
export function phaseDone({ phase, done, total, unit }: PhaseProgress): string {
  const words = (wordsOfPhase[phase] ?? phase).padEnd(12);
  const amount = unit === 'bytes' ? Math.max(done, total) : done;
  const isKnown = amount > 0 && (unit === 'bytes' || done >= total);
  return `${words} ${isKnown ? amountText(amount, unit) : 'done'}`;
}

/** A phase that was ended by a failure, or by Ctrl-C. Null where it had not got anywhere. */
export function phaseStopped({ phase, done, total, unit }: PhaseProgress): string | null {
  if (done === 0) return null;
  const words = (wordsOfPhase[phase] ?? phase).padEnd(12);
  return `${words} stopped after ${amountText(done, unit)}${total > done ? ` of ${amountText(total, unit)}` : ''}`;
}
