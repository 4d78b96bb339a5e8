/** What retention has to know of a backup; all of it is told by the store. */
export interface KeptBackup {
  name: string;
  snapshotAt: Date;
  isVerified: boolean;
}

export interface Keep {
  daily: number;
  weekly: number;
  monthly: number;
}

const dayMs = 86_400_000;
/** Whoever makes one by hand, before something risky, finds it again; and one that could not be verified may be of use until the next ones are. */
const graceMs = 2 * dayMs;
/** What is dated later than this after now was made by a clock that was wrong, or is read by one. */
const clockToleranceMs = 3_600_000;

/**
 * The names of those that may go: grandfather, father, son. Of the last days, ISO weeks and months (UTC) that have a verified backup, the newest
 * verified one each stays. Days without one do not count, so that neither a pause nor a clock that jumped empties the store. Never
 * among those that go:
 * - the last verified one, and whatever is newer than it: where nothing was ever verified, nothing goes;
 * - what is not two days old;
 * - what is dated after now. It takes nobody's place either.
 * One that was not verified goes once a newer one was.
 */
export function chooseDeletions(stored: readonly KeptBackup[], keep: Keep, now: Date): string[] {
  const isOfTheFuture = ({ snapshotAt }: KeptBackup) => snapshotAt.getTime() > now.getTime() + clockToleranceMs;
  const past = stored.filter((backup) => !isOfTheFuture(backup)).toSorted(newestFirst);
  const verified = past.filter(({ isVerified }) => isVerified);
  const [last] = verified;
  if (!last) return [];
  const kept = new Set([
    last.name,
    ...newestOfEach(verified, dayOf, keep.daily),
    ...newestOfEach(verified, weekOf, keep.weekly),
    ...newestOfEach(verified, monthOf, keep.monthly),
  ]);
  const mayGo = ({ name, snapshotAt, isVerified }: KeptBackup) => {
    if (now.getTime() - snapshotAt.getTime() <= graceMs) return false;
    return isVerified ? !kept.has(name) : snapshotAt < last.snapshotAt;
  };
  return past.filter(mayGo).map(({ name }) => name);
}

const newestFirst = (a: KeptBackup, b: KeptBackup) =>
  b.snapshotAt.getTime() - a.snapshotAt.getTime() || (a.name < b.name ? 1 : -1);

/** `backups`: the newest first, so the first of its span is the one that stays. */
function newestOfEach(backups: readonly KeptBackup[], spanOf: (at: Date) => string, spans: number): string[] {
  const newest = new Map<string, string>();
  for (const { name, snapshotAt } of backups) {
    const span = spanOf(snapshotAt);
    if (!newest.has(span) && newest.size < spans) newest.set(span, name);
  }
  return [...newest.values()];
}

const dayOf = (at: Date) => at.toISOString().slice(0, 10);
const monthOf = (at: Date) => at.toISOString().slice(0, 7);

/** An ISO week is known by its Monday. */
function weekOf(at: Date): string {
  const daysSinceMonday = (at.getUTCDay() + 6) % 7;
  return dayOf(new Date(at.getTime() - daysSinceMonday * dayMs));
}
