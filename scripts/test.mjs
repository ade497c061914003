// npm test: sets the checkout up and runs the tests under Node 24, whatever Node and whatever state it starts from.
//
//   node scripts/test.mjs unit       what needs only Node (≤ 5 minutes)
//   node scripts/test.mjs all        also test/integration and test/e2e: other programs, root
//   node scripts/test.mjs services   test/services: what takes longer than a CI run
//   node scripts/test.mjs unit rr/   only files whose path contains "rr/"
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const { install, isInstalled, runWithNode24 } = createRequire(import.meta.url)('../bin/setup.js');
if (!isInstalled()) install();
runWithNode24(fileURLToPath(new URL('./run-tests.ts', import.meta.url)), process.argv.slice(2));
