import { z } from 'zod';

export const s3Operations = [
  'put',
  'get',
  'head',
  'delete',
  'list',
  'bucket.head',
  'delete.many',
  'upload.begin',
  'upload.part',
  'upload.complete',
  'upload.abort',
  'upload.list',
] as const;
export type S3Operation = (typeof s3Operations)[number];

export const s3FaultKinds = [
  'dies', // once so many bytes were sent up, every connection breaks, until it is cleared
  'reset', // the connection breaks before any effect
  'answer_lost', // the effect, and then the connection breaks
  'hangs', // no effect and no answer
  'slow_down', // 503 SlowDown
  'refused', // 403 AccessDenied
  'full', // 507, as a gateway over a disk that is full
  'cut', // the connection ends after so many bytes of an answer
  'stalls', // no more comes after so many bytes of an answer
  'flipped', // one byte of the answer is another
] as const;
export type S3FaultKind = (typeof s3FaultKinds)[number];

const faultSchema = z.strictObject({
  kind: z.enum(s3FaultKinds),
  operation: z.enum([...s3Operations, 'any']).default('any'),
  /** Of objects whose keys begin with it. */
  key: z.string().default(''),
  /** Where it goes wrong. For `dies`: counted over all uploads from now on. */
  atByte: z.int().min(0).default(0),
  /** How often; `dies` lasts. */
  times: z.int().min(1).default(1),
});
export type S3Fault = z.input<typeof faultSchema>;
type Script = z.output<typeof faultSchema>;

/** What goes wrong, in the order it was asked for. */
export class S3Faults {
  #scripts: Script[] = [];
  #sentUp = 0;
  readonly #met: { kind: S3FaultKind; operation: S3Operation; key: string }[] = [];

  /** Throws a `ZodError`. */
  add(fault: unknown): void {
    const script = faultSchema.parse(fault);
    this.#scripts.push(script.kind === 'dies' ? { ...script, atByte: this.#sentUp + script.atByte } : script);
  }

  clear(): void {
    this.#scripts = [];
  }

  waiting(): readonly S3Fault[] {
    return this.#scripts;
  }

  met(): readonly { kind: S3FaultKind; operation: S3Operation; key: string }[] {
    return this.#met;
  }

  /** Whether it is dead by now, these bytes of a body included. */
  isDead(bytes: number): boolean {
    this.#sentUp += bytes;
    return this.#scripts.some(({ kind, atByte }) => kind === 'dies' && this.#sentUp >= atByte);
  }

  /** The one that this call meets; it is used up. */
  next(operation: S3Operation, key: string): Script | null {
    const place = this.#scripts.findIndex(
      (one) => one.kind !== 'dies' && [operation, 'any'].includes(one.operation) && key.startsWith(one.key),
    );
    const script = this.#scripts[place];
    if (!script) return null;
    this.#met.push({ kind: script.kind, operation, key });
    if (script.times > 1) this.#scripts[place] = { ...script, times: script.times - 1 };
    else this.#scripts.splice(place, 1);
    return script;
  }
}
