import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoS3Credentials, type S3Sandbox, startS3Sandbox } from './s3-sandbox.ts';

const Bucket = 'shop';
const mebibyte = 1024 * 1024;

/** The stand-in, seen by the client that it is made for, and by one that does it wrong. */
describe.each(['memory', 'a folder'])('the S3 stand-in with its bytes in %s', (where) => {
  let sandbox: S3Sandbox;
  let folder: string;
  const clients: S3Client[] = [];
  const open = (more: S3ClientConfig = {}) => {
    const client = new S3Client({
      endpoint: sandbox.url,
      region: 'auto',
      credentials: demoS3Credentials,
      forcePathStyle: true,
      maxAttempts: 1,
      ...more,
    });
    clients.push(client);
    return client;
  };
  let client: S3Client;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'twolane-s3-'));
    sandbox = await startS3Sandbox({
      buckets: [Bucket],
      region: 'auto',
      ...(where === 'a folder' && { folder }),
    });
    client = open();
  });
  beforeEach(async () => {
    sandbox.faults.clear();
    for (const key of sandbox.keys()) await sandbox.remove(key);
  });
  afterAll(async () => {
    for (const one of clients) one.destroy();
    await sandbox?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A request that no client would make. */
  const send = (method: string, target: string, headers: Record<string, string> = {}, body: Buffer | null = null) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const sent = request(new URL(target, sandbox.url), { method, headers }, (answer) => {
        readText(answer).then((said) => resolve({ status: answer.statusCode ?? 0, text: said }), reject);
      });
      sent.on('error', reject);
      sent.end(body ?? undefined);
    });
  const presignedPut = (Key: string) => getSignedUrl(client, new PutObjectCommand({ Bucket, Key }));
  const begin = async (Key: string) =>
    (await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))).UploadId ?? '';
  const putPart = async (Key: string, UploadId: string, PartNumber: number, Body: Buffer) => {
    const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    return { PartNumber, ETag };
  };
  const complete = (Key: string, UploadId: string, Parts: { PartNumber: number; ETag: string | undefined }[]) =>
    client.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: Parts.map(({ PartNumber, ETag = '' }) => ({ PartNumber, ETag })) },
      }),
    );

  it.each([
    ['hashed', {}, undefined],
    ['with a checksum behind the body', {}, 'SHA256'],
    ['with only what is required', { requestChecksumCalculation: 'WHEN_REQUIRED' }, undefined],
  ] as const)('takes a body %s', async (_name, settings, ChecksumAlgorithm) => {
    const content = randomBytes(300_000);
    const one = open(settings);
    const sum = ChecksumAlgorithm && { ChecksumAlgorithm };
    await one.send(new PutObjectCommand({ Bucket, Key: 'a b/ü+(1)*', Body: content, ...sum }));
    const stream = Readable.from([content.subarray(0, 100_000), content.subarray(100_000)], { objectMode: false });
    const ContentLength = content.length;
    await one.send(new PutObjectCommand({ Bucket, Key: 'stream', Body: stream, ContentLength, ...sum }));
    expect((await sandbox.read('a b/ü+(1)*')).equals(content)).toBe(true);
    expect((await sandbox.read('stream')).equals(content)).toBe(true);
  });

  it('gives back ranges, and what was said of an object', async () => {
    const Metadata = { made: 'by us' };
    await client.send(
      new PutObjectCommand({ Bucket, Key: 'a', Body: '0123456789', ContentType: 'text/plain', Metadata }),
    );
    const part = await client.send(new GetObjectCommand({ Bucket, Key: 'a', Range: 'bytes=2-4' }));
    expect(await part.Body?.transformToString()).toBe('234');
    expect(part).toMatchObject({ ContentRange: 'bytes 2-4/10', ContentType: 'text/plain', Metadata });
    const end = await client.send(new GetObjectCommand({ Bucket, Key: 'a', Range: 'bytes=-3' }));
    expect(await end.Body?.transformToString()).toBe('789');
    const beyond = client.send(new GetObjectCommand({ Bucket, Key: 'a', Range: 'bytes=10-' }));
    await expect(beyond).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  it('puts parts together, and lets go of what they took', async () => {
    const first = randomBytes(5 * mebibyte);
    const upload = await begin('large');
    const replaced = await putPart('large', upload, 1, randomBytes(5 * mebibyte));
    const parts = [await putPart('large', upload, 1, first), await putPart('large', upload, 2, Buffer.from('end'))];
    await expect(complete('large', upload, [replaced])).rejects.toMatchObject({ name: 'InvalidPart' });
    await expect(complete('large', upload, parts.toReversed())).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    expect(sandbox.openUploads()).toMatchObject([{ key: 'large', parts: 2 }]);
    await complete('large', upload, parts);
    expect(sandbox.openUploads()).toEqual([]);
    expect((await sandbox.read('large')).equals(Buffer.concat([first, Buffer.from('end')]))).toBe(true);
    await expect(complete('large', upload, parts)).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await sandbox.remove('large');
    const abandoned = await begin('large');
    await putPart('large', abandoned, 1, first);
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'large', UploadId: abandoned }));
    expect(sandbox.openUploads()).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses parts that real ones refuse', async () => {
    const small = await begin('small');
    const smallParts = [
      await putPart('small', small, 1, Buffer.alloc(1_000)),
      await putPart('small', small, 2, Buffer.alloc(1)),
    ];
    await expect(complete('small', small, smallParts)).rejects.toMatchObject({ name: 'EntityTooSmall' });
    const uneven = await begin('uneven');
    const sizes = [5 * mebibyte, 5 * mebibyte + 1, 1];
    const unevenParts = [];
    for (const [place, bytes] of sizes.entries())
      unevenParts.push(await putPart('uneven', uneven, place + 1, Buffer.alloc(bytes)));
    await expect(complete('uneven', uneven, unevenParts)).rejects.toMatchObject({ name: 'InvalidPart' });
    await expect(putPart('uneven', uneven, 10_001, Buffer.alloc(1))).rejects.toMatchObject({ name: 'InvalidArgument' });
    await expect(putPart('another', uneven, 1, Buffer.alloc(1))).rejects.toMatchObject({ name: 'NoSuchUpload' });
    for (const [Key, UploadId] of [
      ['small', small],
      ['uneven', uneven],
    ])
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  });

  it('lists in pages', async () => {
    for (const key of ['b', 'a/2', 'a/1', 'c']) await sandbox.write(key, Buffer.from(key));
    const first = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 3 }));
    expect(first.Contents?.map(({ Key }) => Key)).toEqual(['a/1', 'a/2', 'b']);
    const ContinuationToken = first.NextContinuationToken;
    const second = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken }));
    expect(second).toMatchObject({ IsTruncated: false, Contents: [{ Key: 'c', Size: 1 }] });
    const wrong = client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: 'made-up' }));
    await expect(wrong).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  it('refuses to delete many without an MD5, as older servers do', async () => {
    await sandbox.write('a', Buffer.from('a'));
    const many = client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a' }] } }));
    await expect(many).rejects.toMatchObject({ name: 'InvalidRequest' });
    expect(sandbox.keys()).toEqual(['a']);
  });

  it('believes nobody who did not sign', async () => {
    await sandbox.write('a', Buffer.from('a'));
    expect(await send('GET', '/shop/a')).toMatchObject({ status: 403, text: expect.stringMatching(/AccessDenied/) });
    const both = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'a' }));
    expect(await send('GET', both, { authorization: 'AWS4-HMAC-SHA256 Credential=a' })).toMatchObject({ status: 400 });
    expect((await send('GET', both)).text).toBe('a');
    expect(await send('GET', both, { 'x-amz-meta-more': 'a' })).toMatchObject({
      text: expect.stringMatching(/not signed/),
    });
    expect(await send('HEAD', both)).toMatchObject({ status: 403, text: '' });
    const long = both.replace(/X-Amz-Expires=\d+/, 'X-Amz-Expires=604801');
    expect(await send('GET', long)).toMatchObject({ status: 400, text: expect.stringMatching(/less than a week/) });
    const old = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'a' }), {
      signingDate: new Date(Date.now() - 3_600_000),
      expiresIn: 3_599,
    });
    expect(await send('GET', old)).toMatchObject({ status: 403, text: expect.stringMatching(/has expired/) });
    const early = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'a' }), {
      signingDate: new Date(Date.now() + 3_600_000),
    });
    expect(await send('GET', early)).toMatchObject({ status: 403, text: expect.stringMatching(/not yet valid/) });
  });

  it('keeps no body that is not the one that was announced', async () => {
    const md5 = createHash('md5').update('other').digest('base64');
    const wrongSum = client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'body', ContentMD5: md5 }));
    await expect(wrongSum).rejects.toMatchObject({ name: 'BadDigest' });
    const chunked = await send('PUT', await presignedPut('a'), { 'transfer-encoding': 'chunked' }, Buffer.from('a'));
    expect(chunked).toMatchObject({ status: 501 });
    const changing = open({ requestChecksumCalculation: 'WHEN_REQUIRED' });
    changing.middlewareStack.add(
      (next) => (call) => {
        (call.request as { body: string }).body = 'ydob';
        return next(call);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'changedOnTheWay' },
    );
    const changed = changing.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'body' }));
    await expect(changed).rejects.toMatchObject({ name: 'XAmzContentSHA256Mismatch' });
    const target = new URL(await presignedPut('a'));
    await new Promise<void>((gone) => {
      const short = request(target, { method: 'PUT', headers: { 'content-length': '10' } });
      short.on('error', () => {});
      short.on('close', gone);
      short.write('12345', () => short.destroy());
    });
    expect(sandbox.keys()).toEqual([]);
  });

  it('says what it does not do', async () => {
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'a' }));
    expect(await send('GET', `${url}&acl=`)).toMatchObject({
      status: 501,
      text: expect.stringMatching(/NotImplemented/),
    });
    expect(await send('PATCH', '/shop/a')).toMatchObject({ status: 405 });
    expect(await send('GET', '/')).toMatchObject({ status: 501 });
    expect(await send('GET', '/shop/%zz')).toMatchObject({ status: 400, text: expect.stringMatching(/InvalidURI/) });
  });

  it('is told over HTTP what shall go wrong', async () => {
    await sandbox.write('a', Buffer.from('abc'));
    const fault = { kind: 'flipped', operation: 'get', atByte: 1 };
    const post = (body: unknown) => send('POST', '/sandbox/faults', {}, Buffer.from(JSON.stringify(body)));
    expect(await post(fault)).toMatchObject({ status: 201 });
    expect(await post({ kind: 'unheard of' })).toMatchObject({ status: 400 });
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'a' }));
    expect(await Body?.transformToString()).toBe('acc');
    expect(JSON.parse((await send('GET', '/sandbox/faults')).text)).toMatchObject({
      waiting: [],
      met: [fault].map(({ kind }) => ({ kind })),
    });
    await post({ kind: 'dies' });
    await expect(client.send(new GetObjectCommand({ Bucket, Key: 'a' }))).rejects.toThrow();
    expect(await send('DELETE', '/sandbox/faults')).toMatchObject({ status: 200 });
    await client.send(new GetObjectCommand({ Bucket, Key: 'a' }));
    expect(JSON.parse((await send('GET', '/sandbox/objects')).text)).toMatchObject({
      objects: [{ key: 'a', bytes: 3 }],
    });
  });
});
