/** Writes the sound of an order that is ready, always the same: `node scripts/make-chime.ts [FILE.wav]`. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const sampleRate = 22_050;
const seconds = 0.88;

/** A fourth upwards, which sounds like a friendly question: G5, then C6. */
const tones = [
  { hertz: 783.99, fromSecond: 0, loudness: 0.42 },
  { hertz: 1046.5, fromSecond: 0.16, loudness: 0.5 },
];
/** A struck bell: what is higher is softer and dies sooner. */
const partials = [
  { multiple: 1, share: 1, decayPerSecond: 6 },
  { multiple: 2, share: 0.28, decayPerSecond: 10 },
  { multiple: 3.01, share: 0.1, decayPerSecond: 18 },
];
const attackSeconds = 0.006;
const fadeSeconds = 0.06;

/** The samples of the chime, each from -1 to 1. */
export function chimeSamples(): number[] {
  return Array.from({ length: Math.round(seconds * sampleRate) }, (_, index) => {
    const second = index / sampleRate;
    const fade = Math.min(1, (seconds - second) / fadeSeconds); // ends in silence, without a click
    return fade * tones.reduce((sum, tone) => sum + tone.loudness * struck(tone.hertz, second - tone.fromSecond), 0);
  });
}

function struck(hertz: number, second: number): number {
  if (second < 0) return 0;
  const attack = Math.min(1, second / attackSeconds);
  return partials.reduce(
    (sum, { multiple, share, decayPerSecond }) =>
      sum + attack * share * Math.exp(-decayPerSecond * second) * Math.sin(2 * Math.PI * hertz * multiple * second),
    0,
  );
}

/** RIFF WAVE, PCM, one channel of 16 bits. */
export function waveFile(samples: readonly number[]): Buffer {
  const bytes = Buffer.alloc(44 + samples.length * 2);
  bytes.write('RIFF', 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write('WAVEfmt ', 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20); // PCM
  bytes.writeUInt16LE(1, 22); // channels
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(sampleRate * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36);
  bytes.writeUInt32LE(samples.length * 2, 40);
  for (const [index, sample] of samples.entries()) bytes.writeInt16LE(Math.round(sample * 32_767), 44 + index * 2);
  return bytes;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = process.argv[2] ?? path.join(import.meta.dirname, '../assets/sounds/ready.wav');
  const bytes = waveFile(chimeSamples());
  writeFileSync(file, bytes);
  console.log(`${file}: ${bytes.length} bytes`);
}
