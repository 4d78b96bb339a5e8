import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseDeletions, type KeptBackup } from './retention.ts';

const dayMs = 86_400_000;
const usual = { daily: 7, weekly: 4, monthly: 12 };
const at = (day: number, hour = 2) => new Date(Date.UTC(2026, 0, 1, hour) + day * dayMs);
const backup = (day: number, { isVerified = true, hour = 2 } = {}): KeptBackup => ({
  name: `day-${day}-${hour}`,
  snapshotAt: at(day, hour),
  isVerified,
});

const keepArbitrary = fc.record({
  daily: fc.integer({ min: 1, max: 10 }),
  weekly: fc.integer({ min: 0, max: 6 }),
  monthly: fc.integer({ min: 0, max: 14 }),
});
const storedArbitrary = fc
  .array(fc.record({ minute: fc.integer({ min: -60 * 24 * 500, max: 60 * 24 * 500 }), isVerified: fc.boolean() }), {
    maxLength: 80,
  })
  .map((list) =>
    list.map(
      ({ minute, isVerified }, index): KeptBackup => ({
        name: `b${index}`,
        snapshotAt: new Date(at(0).getTime() + minute * 60_000),
        isVerified,
      }),
    ),
  );
/** Whatever the clock says. */
const nowArbitrary = fc.integer({ min: -3_000, max: 3_000 }).map((day) => at(day));
const newestOf = (list: readonly KeptBackup[]) => Math.max(...list.map(({ snapshotAt }) => snapshotAt.getTime()));

describe('what retention lets go', () => {
  it('keeps the days, weeks and months of a year of nights, and no more', () => {
    let stored: KeptBackup[] = [];
    for (let day = 0; day < 400; day++) {
      stored.push(backup(day));
      const gone = chooseDeletions(stored, usual, at(day, 3));
      stored = stored.filter(({ name }) => !gone.includes(name));
    }
    const days = stored.map(({ snapshotAt }) => snapshotAt.toISOString().slice(0, 10));
    expect(days).toEqual([
      ...'2026-03-31 2026-04-30 2026-05-31 2026-06-30 2026-07-31 2026-08-31 2026-09-30'.split(' '),
      ...'2026-10-31 2026-11-30 2026-12-31'.split(' '),
      ...'2027-01-17 2027-01-24 2027-01-29 2027-01-30 2027-01-31 2027-02-01 2027-02-02 2027-02-03 2027-02-04'.split(
        ' ',
      ),
    ]);
  });

  it('lets an unverified one go after two days, when a newer one was verified', () => {
    const stored = [backup(0), backup(1, { isVerified: false }), backup(2)];
    expect(chooseDeletions(stored, usual, at(2, 3))).toEqual([]);
    expect(chooseDeletions(stored, usual, at(3, 3))).toEqual(['day-1-2']);
  });

  it('keeps what was made by hand until it is two days old, whatever came after it', () => {
    const stored = [backup(0, { hour: 9 }), backup(0, { hour: 10 }), backup(0, { hour: 11 }), backup(1)];
    expect(chooseDeletions(stored, usual, at(2, 8))).toEqual([]);
    expect(chooseDeletions(stored, usual, at(2, 12))).toEqual(['day-0-10', 'day-0-9']);
  });

  it('keeps all that is newer than the last verified one, however long nothing was verified', () => {
    const stored = [backup(0), ...Array.from({ length: 90 }, (_, day) => backup(day + 1, { isVerified: false }))];
    expect(chooseDeletions(stored, { daily: 1, weekly: 0, monthly: 0 }, at(91))).toEqual([]);
  });

  it('keeps what a clock made that ran ahead, and lets it take nobody’s place', () => {
    const ahead = Array.from({ length: 20 }, (_, day) => backup(30_000 + day));
    const stored = [backup(0), backup(4), ...ahead];
    expect(chooseDeletions(stored, { daily: 1, weekly: 0, monthly: 0 }, at(4, 3))).toEqual(['day-0-2']);
  });
});

describe('whatever lies in the store, whatever the clock says', () => {
  it('never lets the last verified one go, nor anything newer', () => {
    fc.assert(
      fc.property(storedArbitrary, keepArbitrary, nowArbitrary, (stored, keep, now) => {
        const gone = chooseDeletions(stored, keep, now);
        const verified = stored.filter(({ isVerified }) => isVerified);
        const left = verified.filter(({ name }) => !gone.includes(name));
        if (verified.length > 0) expect(newestOf(left)).toBe(newestOf(verified));
        const known = stored.filter(({ snapshotAt }) => snapshotAt.getTime() <= now.getTime() + 3_600_000);
        const knownVerified = known.filter(({ isVerified }) => isVerified);
        const newest = newestOf(knownVerified);
        for (const { name, snapshotAt } of stored)
          if (gone.includes(name)) expect(snapshotAt.getTime()).toBeLessThanOrEqual(newest);
        if (knownVerified.length > 0)
          expect(newestOf(knownVerified.filter(({ name }) => !gone.includes(name)))).toBe(newest);
        else expect(gone).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('decides the same once more: what it keeps, it keeps', () => {
    fc.assert(
      fc.property(storedArbitrary, keepArbitrary, nowArbitrary, (stored, keep, now) => {
        const gone = chooseDeletions(stored, keep, now);
        const left = stored.filter(({ name }) => !gone.includes(name));
        expect(chooseDeletions(left, keep, now)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the newest of each of the last days that have one', () => {
    fc.assert(
      fc.property(storedArbitrary, keepArbitrary, (stored, keep) => {
        const gone = chooseDeletions(stored, keep, at(3_000));
        const verified = stored.filter(({ isVerified }) => isVerified);
        const days = [...new Set(verified.map(({ snapshotAt }) => snapshotAt.toISOString().slice(0, 10)))].sort();
        for (const day of days.slice(-keep.daily)) {
          const ofDay = verified.filter(({ snapshotAt }) => snapshotAt.toISOString().startsWith(day));
          const newest = newestOf(ofDay);
          expect(ofDay.some(({ name, snapshotAt }) => snapshotAt.getTime() === newest && !gone.includes(name))).toBe(
            true,
          );
        }
        const most = keep.daily + keep.weekly + keep.monthly;
        expect(verified.filter(({ name }) => !gone.includes(name)).length).toBeLessThanOrEqual(Math.max(1, most));
      }),
      { numRuns: 300 },
    );
  });

  it('empties no store when the clock jumps back and forth between runs', () => {
    const jumps = fc.array(fc.integer({ min: -2_000, max: 2_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(jumps, (days) => {
        let stored: KeptBackup[] = [];
        for (const [index, day] of days.entries()) {
          const taken = { ...backup(day), name: `run-${index}` };
          stored.push(taken);
          const gone = chooseDeletions(stored, { daily: 1, weekly: 0, monthly: 0 }, at(day, 3));
          expect(gone).not.toContain(taken.name); // just made and verified
          stored = stored.filter(({ name }) => !gone.includes(name));
        }
      }),
      { numRuns: 300 },
    );
  });
});
