// Runs a script of this repository under Node 24: node scripts/run.mjs bench/run.ts [arguments]
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const { install, isInstalled, runWithNode24 } = createRequire(import.meta.url)('../bin/setup.js');
if (!isInstalled()) install();
const [script, ...rest] = process.argv.slice(2);
runWithNode24(resolve(script), rest);
