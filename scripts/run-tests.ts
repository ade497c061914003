/** Runs the test files of a tier with node:test, two at a time, and fails when a tier or a filter finds no test. */
import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const TIERS: Record<string, (file: string) => boolean> = {
  unit: (file) => !/^test\/(integration|e2e|services)\//.test(file),
  all: (file) => !file.startsWith('test/services/'),
  services: (file) => file.startsWith('test/services/'),
};
/** No test file may take longer; a hang is a failure with a name. */
const FILE_TIMEOUT_MS = 10 * 60_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const [tier = 'unit', ...wanted] = process.argv.slice(2);
const belongs = TIERS[tier];
if (belongs === undefined) fail(`no tier "${tier}"; there are ${Object.keys(TIERS).join(', ')}`);
process.chdir(root);
const files = globSync('test/**/*.test.ts')
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => belongs(file) && (wanted.length === 0 || wanted.some((part) => file.includes(part))))
  .sort();
if (files.length === 0) fail(`no test file in tier "${tier}" matches`);

const counts = { tests: 0, failed: 0, skipped: 0, todo: 0 };
const stream = run({ files, concurrency: 2, timeout: FILE_TIMEOUT_MS });
stream.on('test:summary', ({ file, counts: of }) => {
  if (file !== undefined) return; // the closing summary is the one without a file
  Object.assign(counts, { tests: of.tests, skipped: of.skipped, todo: of.todo });
  counts.failed = of.tests - of.passed - of.skipped - of.todo;
});
stream.on('end', () => {
  const reason = whyFailed();
  if (reason === '') return;
  process.exitCode = 1;
  // The report is still on its way out; this line comes after it.
  process.on('exit', () => process.stderr.write(`test: ${reason}\n`));
});
stream.compose(spec).pipe(process.stdout);

function whyFailed(): string {
  const { tests, failed, skipped, todo } = counts;
  if (tests === 0) return 'not one test ran';
  if (failed > 0) return `${failed} of ${tests} tests failed`;
  if (process.env.CI === 'true' && skipped + todo > 0) return `${skipped + todo} skipped; with CI=true all have to run`;
  return '';
}

function fail(reason: string): never {
  process.stderr.write(`test: ${reason}\n`);
  process.exit(1);
}
