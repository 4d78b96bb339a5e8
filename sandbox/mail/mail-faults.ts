import { createHash } from 'node:crypto';
import { z } from 'zod';

/**
 * Where in its delivery a mail meets a fault. `data`: it has come and is not kept; `after-data`: it is kept, and what goes wrong is the
 * answer. At `connect`, `auth` and `mail` nobody knows yet whom it is for.
 */
export const mailStages = ['connect', 'auth', 'mail', 'rcpt', 'data', 'after-data'] as const;
export type MailStage = (typeof mailStages)[number];
const stagesWithRecipient: readonly MailStage[] = ['rcpt', 'data', 'after-data'];

const answer = {
  at: z.enum(mailStages),
  /** What is answered, after the delay; without a code and without a drop, the right answer is only late. */
  code: z.int().min(400).max(599).optional(),
  text: z.string().optional(),
  /** The connection breaks instead of an answer. */
  drop: z.boolean().default(false),
  delayMs: z.int().min(0).default(0),
};

const faultSchema = z
  .strictObject({
    ...answer,
    /** Of this recipient's mails alone. */
    to: z.string().optional(),
    /** How often; null for always. */
    times: z.int().min(1).nullable().default(1),
  })
  .refine(({ at, to }) => to === undefined || stagesWithRecipient.includes(at), 'nobody knows yet whom it is for');
export type MailFault = z.input<typeof faultSchema>;

const stormSchema = z.strictObject({
  seed: z.union([z.string(), z.int()]),
  /** Each with the share of deliveries that it befalls, 0 to 1; the rest goes well. */
  weather: z.array(z.strictObject({ ...answer, share: z.number().min(0).max(1) })).min(1),
  /** So often in a row a recipient's deliveries fail at most: whoever tries again gets through in the end. */
  mostInARow: z.int().min(1).default(4),
});
export type MailStorm = z.input<typeof stormSchema>;

type Weather = z.output<typeof stormSchema>['weather'][number];

const paceSchema = z.strictObject({
  perSecond: z.number().positive(),
  code: z.union([z.literal(421), z.literal(450), z.literal(451)]).default(451),
});
export type MailPace = z.input<typeof paceSchema>;

export type MailAnswer = Omit<z.output<z.ZodObject<typeof answer>>, 'at'>;
/** One that was met, in the order in which they were. */
export type MetMailFault = { at: MailStage; to: string | null; code: number | null; drop: boolean };

/** What goes wrong: by script, by storm and by a pace that is too fast. */
export class MailFaults {
  #scripts: z.output<typeof faultSchema>[] = [];
  #storm: z.output<typeof stormSchema> | null = null;
  #pace: z.output<typeof paceSchema> | null = null;
  #paceFrom: number[] = [];
  readonly #stormSeen = new Map<string, { count: number; fate: Weather | null; inARow: number }>();
  readonly #met: MetMailFault[] = [];

  /** Scripts are used up in the order they came. */
  add(fault: MailFault): void {
    this.#scripts.push(faultSchema.parse(fault));
  }

  /**
   * Weather from a seed: what befalls a delivery is decided by whom it is for and how manieth it is, never by the time. What befalls
   * before somebody knows the recipient, is counted for all.
   */
  storm(storm: MailStorm): void {
    this.#storm = stormSchema.parse(storm);
    this.#stormSeen.clear();
  }

  /** Mails that come faster are put off. */
  pace(pace: MailPace): void {
    this.#pace = paceSchema.parse(pace);
  }

  /** Good weather from here on. */
  clear(): void {
    this.#scripts = [];
    this.#storm = null;
    this.#pace = null;
  }

  met(): readonly MetMailFault[] {
    return this.#met;
  }

  /** Null when all goes well here. */
  next(at: MailStage, to: string | null): MailAnswer | null {
    const due = this.#scripted(at, to) ?? this.#stormy(at, to) ?? this.#tooFast(at);
    if (due && (due.code !== undefined || due.drop)) this.#met.push({ at, to, code: due.code ?? null, drop: due.drop });
    return due;
  }

  #scripted(at: MailStage, to: string | null): MailAnswer | null {
    const script = this.#scripts.find((each) => each.at === at && (each.to === undefined || each.to === to));
    if (!script) return null;
    if (script.times !== null) script.times--;
    if (script.times === 0) this.#scripts = this.#scripts.filter((each) => each !== script);
    return script;
  }

  #stormy(at: MailStage, to: string | null): MailAnswer | null {
    const storm = this.#storm;
    // a delivery has one fate, drawn where its recipient is named
    const stages = stagesWithRecipient.includes(at) ? stagesWithRecipient : [at];
    if (!storm?.weather.some((each) => stages.includes(each.at))) return null;
    const isDrawn = at === stages[0];
    const name = stages.length > 1 ? `to ${to}` : at;
    const seen = this.#stormSeen.get(name) ?? { count: 0, fate: null, inARow: 0 };
    this.#stormSeen.set(name, seen);
    if (isDrawn) {
      seen.count++;
      const drawn = pick(
        storm.weather.filter((each) => stages.includes(each.at)),
        draw(`${storm.seed} ${name} ${seen.count}`),
      );
      seen.fate = seen.inARow < storm.mostInARow ? drawn : null;
      seen.inARow = seen.fate ? seen.inARow + 1 : 0;
    }
    return seen.fate?.at === at ? seen.fate : null;
  }

  #tooFast(at: MailStage): MailAnswer | null {
    if (!this.#pace || at !== 'mail') return null;
    const { perSecond, code } = this.#pace;
    const now = performance.now();
    this.#paceFrom = this.#paceFrom.filter((each) => each > now - 1_000);
    if (this.#paceFrom.length >= perSecond) return { code, text: '4.7.0 Slow down', drop: false, delayMs: 0 };
    this.#paceFrom.push(now);
    return null;
  }
}

/** Which of them a number from 0 up to 1 falls on; null beyond their shares. */
function pick(weather: readonly Weather[], drawn: number): Weather | null {
  let end = 0;
  for (const each of weather) {
    end += each.share;
    if (drawn < end) return each;
  }
  return null;
}

/** A number from 0 up to 1 that looks random. */
function draw(about: string): number {
  return createHash('sha256').update(about).digest().readUInt32BE(0) / 2 ** 32;
}
