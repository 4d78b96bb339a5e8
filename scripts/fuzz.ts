/** `npm run fuzz`: the fuzz of `npm test` in its long form, on both backends. FUZZ_SEED and FUZZ_REQUESTS choose another. */
process.env.FUZZ_REQUESTS ??= '5100';
process.env.FUZZ_SEED ??= String(Math.floor(Date.now() / 1_000));
process.env.TEST_FILE_LIMIT_MS ??= String(24 * 3_600_000);
process.argv.splice(2, 0, 'test/fuzz');
await import('./test.ts');
