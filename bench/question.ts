import type { Answer } from './answer.ts';
import type { Lab } from './lab/lab.ts';

/** What every question works with. */
export interface Bench {
  lab: Lab;
  /** How often each cell is measured. */
  repetitions: number;
  /** How long a load lasts. */
  seconds: number;
  /** One short repetition: shows that the bench works, not how fast we are. */
  isQuick: boolean;
  /** How many orders a large database holds; null: as many as the question usually asks for. */
  orders: number | null;
  say(line: string): void;
}

export interface Question {
  name: string;
  /** What it asks, in a line. */
  title: string;
  ask(bench: Bench): Promise<Answer>;
}

/** Measures A B C A B C …: what the machine does meanwhile falls on all of them alike. */
export async function measureInterleaved<Contestant extends string, Sample>(
  { repetitions, say }: Bench,
  title: string,
  contestants: readonly Contestant[],
  measure: (contestant: Contestant) => Promise<Sample>,
): Promise<Record<Contestant, Sample[]>> {
  const samples = Object.fromEntries(contestants.map((contestant) => [contestant, [] as Sample[]]));
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    for (const contestant of contestants) {
      say(`${title}, ${contestant}, ${repetition} of ${repetitions}`);
      samples[contestant]?.push(await measure(contestant));
    }
  }
  return samples as Record<Contestant, Sample[]>; // one list per contestant, made above
}
