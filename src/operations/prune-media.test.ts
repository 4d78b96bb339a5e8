import { expect, it } from 'vitest';
import type { Asset } from '../storage/asset-index.ts';
import { findUnusedMedia } from './prune-media.ts';

const now = new Date('2026-11-22T12:00:00Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);
const asset = (name: string, versionedName: string): Asset => ({
  name,
  versionedName,
  file: '',
  bytes: 1,
  changedMs: 0,
  contentType: 'image/svg+xml',
});

it('takes only old versions of pictures and sounds that nobody has used for thirty days', () => {
  const assets = [
    asset('products/tea.svg', 'products/tea.aaaaaaaaaaaa.svg'),
    asset('products/cake.svg', 'products/cake.aaaaaaaaaaaa.svg'),
    asset('products/new.svg', 'products/new.aaaaaaaaaaaa.svg'),
  ];
  const ages: [key: string, days: number][] = [
    ['products/tea.aaaaaaaaaaaa.svg', 40],
    ['products/tea.bbbbbbbbbbbb.svg', 90], // gone for 40 days
    ['products/cake.aaaaaaaaaaaa.svg', 2],
    ['products/cake.bbbbbbbbbbbb.svg', 90], // in use until two days ago
    ['products/new.bbbbbbbbbbbb.svg', 90], // in use until now: what comes after it is not stored yet
    ['products/gone.bbbbbbbbbbbb.svg', 31],
    ['products/gone.cccccccccccc.svg', 29],
    // others' things
    ['products/tea.svg', 90],
    ['products/app.bbbbbbbbbbbb.js', 90],
    ['products/hot/tea.bbbbbbbbbbbb.svg', 90],
    ['tea.bbbbbbbbbbbb.svg', 90],
    ['products/tea.bbbbbbbbbbb.svg', 90],
  ];
  const stored = new Map(ages.map(([key, days]) => [key, { key, bytes: 1, changedAt: daysAgo(days) }]));
  expect(findUnusedMedia(assets, stored, now).map(({ key }) => key)).toEqual([
    'products/tea.bbbbbbbbbbbb.svg',
    'products/gone.bbbbbbbbbbbb.svg',
  ]);
});
