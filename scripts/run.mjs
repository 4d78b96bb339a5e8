#!/usr/bin/env node
// Runs a TypeScript entry point of this project: installs when needed, finds a Node that can, passes everything on.
// Plain JavaScript on purpose: it must start on the older Node that a machine may have.
import { launch } from './launch.mjs';

const [target, ...args] = process.argv.slice(2);
if (target === undefined) {
  console.error('usage: node scripts/run.mjs [options of node] FILE.ts [arguments]');
  process.exit(2);
}
await launch(target, args, { withTools: true });
