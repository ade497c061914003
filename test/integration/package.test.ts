/** What users get: the packed tarball, installed in an empty folder by the machine's own npm and Node. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nametap-package-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The environment of a user: no Node of this checkout in the path, nothing of the npm that runs the tests. */
const env: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:npm_|NODE_)/i.test(name))),
  PATH: (process.env.PATH ?? '')
    .split(delimiter)
    .filter((path) => !path.includes('node_modules'))
    .join(delimiter),
};

function run(command: string, words: readonly string[], cwd = folder): string {
  return execFileSync(command, words, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The first example of README.md. */
const example = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1] ?? '';
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
let packed: string[] = [];

before(() => {
  const told = run('npm', ['pack', '--json', '--pack-destination', folder], root);
  const [{ filename, files }] = JSON.parse(told) as [{ filename: string; files: { path: string }[] }];
  packed = files.map(({ path }) => path);
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ type: 'module', scripts: { example: 'node example.mjs' } }),
  );
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', `./${filename}`]);
  for (const name of ['lookups.pcapng', 'udp.pcap'])
    copyFileSync(join(root, 'test', 'captures', name), join(folder, name));
});

test('the package holds the program, its types, the demo and the licences, and no source or tests', () => {
  for (const path of ['bin/nametap', 'dist/cli/main.js', 'dist/library/index.js', 'dist/library/index.d.ts']) {
    assert.ok(packed.includes(path), path);
  }
  for (const path of ['assets/demo.pcap.gz', 'LICENSE', 'NOTICE', 'README.md', 'CHANGELOG.md', 'docs/guide/flows.md']) {
    assert.ok(packed.includes(path), path);
  }
  assert.deepEqual(
    packed.filter((path) => /^(?:src|test|bench|scripts|node_modules)\//.test(path)),
    [],
  );
});

test('nametap runs under the Node of the machine', () => {
  assert.match(
    run('npx', ['--no-install', 'nametap', '--version']),
    new RegExp(`\\b${version.replaceAll('.', '\\.')}\\b`),
  );
  const rows = run('npx', ['--no-install', 'nametap', 'read', 'lookups.pcapng', '-T', 'ndjson']).trimEnd().split('\n');
  assert.equal(rows.length, 50);
  const { outcome, latency_ms } = JSON.parse(rows[0]) as { outcome: string; latency_ms: number };
  assert.equal(outcome, 'answered');
  assert.ok(latency_ms > 0);
});

test('worker threads start from the package', () => {
  const words = ['--no-install', 'nametap', 'report', 'lookups.pcapng', '-T', 'json'];
  const [inline, threaded] = ['0', '2'].map((threads) => run('npx', [...words, '--threads', threads]));
  const value = JSON.parse(threaded) as { transactions: { count: number } };
  assert.equal(value.transactions.count, 50);
  assert.deepEqual(value, JSON.parse(inline));
});

test('messages and filters work in the Node of the machine too', () => {
  const code = `
    import { messageFilter } from 'nametap/filter';
    import { decodeMessage, encodeMessage } from 'nametap/wire';
    const bytes = encodeMessage({ id: 7, questions: [{ name: 'EXAMPLE.com', type: 'A' }] });
    console.log(decodeMessage(bytes).id, messageFilter('dns.qry.name == "example.com"')(bytes));
  `;
  assert.equal(run('node', ['--input-type=module', '--eval', code]), '7 true\n');
});

test("the README's example runs", () => {
  assert.match(example, /from 'nametap'/);
  writeFileSync(join(folder, 'example.mjs'), example);
  // In npm's scripts the Node 24 that came with the package is first in the path.
  assert.notEqual(run('npm', ['run', '--silent', 'example']), '');
});

test('its types satisfy a strict TypeScript project', () => {
  writeFileSync(join(folder, 'example.ts'), example);
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
  const rules = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--target', 'es2024', '--module', 'nodenext'];
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...rules, ...types, 'example.ts'], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
});
