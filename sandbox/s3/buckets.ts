import { createHash, randomBytes } from 'node:crypto';
import { type Blob, keepBytes } from './blobs.ts';
import { invalidArgument, S3Refusal } from './s3-refusal.ts';

/** What is said of an object when it is put, and again when it is read. */
export type ObjectHeaders = Record<string, string>;

export interface KeptObject {
  key: string;
  bytes: number;
  etag: string;
  changedAt: Date;
  headers: ObjectHeaders;
  pieces: readonly Blob[];
}

interface OpenUpload {
  bucket: string;
  key: string;
  startedAt: Date;
  headers: ObjectHeaders;
  parts: Map<number, { blob: Blob; etag: string }>;
}

const smallestPart = 5 * 1024 * 1024;
const mostParts = 10_000;
const md5 = (bytes: Buffer) => createHash('md5').update(bytes);

/** What the stand-in holds. */
export class Buckets {
  readonly #folder: string | null;
  readonly #objects: Map<string, Map<string, KeptObject>>;
  readonly #uploads = new Map<string, OpenUpload>();

  constructor(names: readonly string[], folder: string | null) {
    this.#folder = folder;
    this.#objects = new Map(names.map((name) => [name, new Map()]));
  }

  names(): string[] {
    return [...this.#objects.keys()];
  }

  of(bucket: string): Map<string, KeptObject> {
    const objects = this.#objects.get(bucket);
    if (!objects) throw new S3Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist');
    return objects;
  }

  /** By the bytes of their keys, as S3 lists them. */
  sorted(bucket: string): KeptObject[] {
    return [...this.of(bucket).values()].sort((one, other) =>
      Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)),
    );
  }

  find(bucket: string, key: string): KeptObject {
    const object = this.of(bucket).get(key);
    if (!object) throw new S3Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
    return object;
  }

  async put(bucket: string, key: string, headers: ObjectHeaders, content: Buffer): Promise<KeptObject> {
    this.of(bucket);
    const blob = await keepBytes(this.#folder, content);
    return await this.#keep(bucket, { key, headers, pieces: [blob], etag: md5(content).digest('hex') });
  }

  async delete(bucket: string, key: string): Promise<void> {
    const objects = this.of(bucket);
    const old = objects.get(key);
    objects.delete(key);
    for (const piece of old?.pieces ?? []) await piece.drop();
  }

  begin(bucket: string, key: string, headers: ObjectHeaders): string {
    this.of(bucket);
    const uploadId = randomBytes(24).toString('base64url');
    this.#uploads.set(uploadId, { bucket, key, headers, startedAt: new Date(), parts: new Map() });
    return uploadId;
  }

  async putPart(bucket: string, key: string, uploadId: string, partNumber: number, content: Buffer): Promise<string> {
    const upload = this.#upload(bucket, key, uploadId);
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > mostParts)
      throw invalidArgument(`Part number must be an integer between 1 and ${mostParts}, inclusive`);
    const blob = await keepBytes(this.#folder, content);
    await upload.parts.get(partNumber)?.blob.drop();
    const etag = md5(content).digest('hex');
    upload.parts.set(partNumber, { blob, etag });
    return etag;
  }

  async complete(
    bucket: string,
    key: string,
    uploadId: string,
    listed: { partNumber: number; etag: string }[],
  ): Promise<KeptObject> {
    const upload = this.#upload(bucket, key, uploadId);
    if (listed.some(({ partNumber }, place) => partNumber <= (listed[place - 1]?.partNumber ?? 0)))
      throw new S3Refusal(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
    const parts = listed.map(({ partNumber, etag }) => {
      const part = upload.parts.get(partNumber);
      if (!part || part.etag !== etag.replaceAll('"', ''))
        throw new S3Refusal(
          400,
          'InvalidPart',
          'One or more of the specified parts could not be found, or its ETag does not fit.',
        );
      return part;
    });
    const [first, ...others] = parts.slice(0, -1);
    for (const { blob } of parts.slice(0, -1))
      if (blob.bytes < smallestPart)
        throw new S3Refusal(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
    if (others.some(({ blob }) => blob.bytes !== first?.blob.bytes))
      // R2 insists, S3 does not
      throw new S3Refusal(400, 'InvalidPart', 'All non-trailing parts must have the same length.');
    this.#uploads.delete(uploadId);
    for (const part of upload.parts.values()) if (!parts.includes(part)) await part.blob.drop();
    const etag = `${md5(Buffer.from(parts.map((part) => part.etag).join(''), 'hex')).digest('hex')}-${parts.length}`;
    return await this.#keep(bucket, { key, headers: upload.headers, pieces: parts.map(({ blob }) => blob), etag });
  }

  async abort(bucket: string, key: string, uploadId: string): Promise<void> {
    const { parts } = this.#upload(bucket, key, uploadId);
    this.#uploads.delete(uploadId);
    for (const { blob } of parts.values()) await blob.drop();
  }

  /** Begun, and neither completed nor aborted: what a bucket goes on charging for. */
  openUploads(bucket?: string): { bucket: string; key: string; uploadId: string; startedAt: Date; parts: number }[] {
    return [...this.#uploads]
      .filter(([, upload]) => bucket === undefined || upload.bucket === bucket)
      .map(([uploadId, upload]) => ({
        uploadId,
        bucket: upload.bucket,
        key: upload.key,
        startedAt: upload.startedAt,
        parts: upload.parts.size,
      }));
  }

  ageUploads(ms: number): void {
    for (const upload of this.#uploads.values()) upload.startedAt = new Date(upload.startedAt.getTime() - ms);
  }

  #upload(bucket: string, key: string, uploadId: string): OpenUpload {
    this.of(bucket);
    const upload = this.#uploads.get(uploadId);
    if (!upload || upload.bucket !== bucket || upload.key !== key)
      throw new S3Refusal(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
    return upload;
  }

  async #keep(bucket: string, made: Pick<KeptObject, 'key' | 'headers' | 'pieces' | 'etag'>): Promise<KeptObject> {
    const objects = this.of(bucket);
    const old = objects.get(made.key);
    const bytes = made.pieces.reduce((sum, piece) => sum + piece.bytes, 0);
    const object = { ...made, bytes, changedAt: new Date() };
    objects.set(made.key, object);
    for (const piece of old?.pieces ?? []) await piece.drop();
    return object;
  }
}

/** A stretch of an object, over all its pieces. */
export async function* readObject({ pieces }: KeptObject, start: number, end: number): AsyncGenerator<Buffer> {
  const step = 64 * 1024;
  let offset = 0;
  for (const piece of pieces) {
    const to = Math.min(end - offset, piece.bytes);
    for (let from = Math.max(start - offset, 0); from < to; from += step)
      yield await piece.read(from, Math.min(from + step, to));
    offset += piece.bytes;
  }
}
