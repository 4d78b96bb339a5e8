import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { chimeSamples, waveFile } from './make-chime.ts';

it('writes the sound that is kept', () => {
  const kept = readFileSync(path.join(import.meta.dirname, '../assets/sounds/ready.wav'));
  expect(waveFile(chimeSamples()).equals(kept)).toBe(true);
});

it('is a sound without clicks: not too loud, and silent at both ends', () => {
  const samples = chimeSamples();
  const loudest = (from: number, to?: number) => Math.max(...samples.slice(from, to).map(Math.abs));
  expect(loudest(0)).toBeGreaterThan(0.5);
  expect(loudest(0)).toBeLessThan(0.95);
  expect(loudest(0, 3)).toBeLessThan(0.01);
  expect(loudest(-50)).toBeLessThan(0.001);
});
