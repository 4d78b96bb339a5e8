#!/usr/bin/env node
// The `twolane` command, on whatever Node the machine has (see launch.mjs).
import { fileURLToPath } from 'node:url';
import { launch } from './launch.mjs';

await launch(fileURLToPath(new URL('../src/cli.ts', import.meta.url)), process.argv.slice(2), { withTools: false });
