/** What the documents say of the repository is true. */
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { everyCommand } from '../../src/cli/commands.ts';
import { parseWords } from '../../src/cli/parse.ts';
import { compileFilter } from '../../src/filter/compile.ts';
import { RR_TYPES } from '../../src/rr/index.ts';
import { OUTPUTS } from '../../src/sinks/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const architecture = read('ARCHITECTURE.md');

test('links between the documents lead somewhere', () => {
  const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root, exclude: ['docs/reference/**'] });
  assert.ok(documents.length > 10);
  const known = new Set(documents.map((path) => path.replaceAll('\\', '/')));
  const files = new Set([
    ...known,
    ...globSync(['docs/**', 'src/*', 'test/*', 'config/*', 'LICENSE', 'NOTICE'], { cwd: root }),
  ]);
  for (const path of documents) {
    const text = readFileSync(join(root, path), 'utf8');
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g)) {
      const to = join(dirname(path), target).replaceAll('\\', '/').replace(/\/$/, '');
      assert.ok(files.has(to), `${path} links to ${target}`);
    }
  }
});

test('the map names every folder of the source, and nothing that is not there', () => {
  const folders = readdirSync(join(root, 'src')).map((name) => `src/${name}`);
  const named = Array.from(architecture.matchAll(/^\| `(src\/\w+)` \|.*\|$/gm), ([, folder]) => folder);
  assert.deepEqual(named.toSorted(), folders.toSorted());
  for (const [, folder, , starts] of architecture.matchAll(/^\| `(src\/\w+)` \|(.*)\| (.*) \|$/gm)) {
    for (const [, file] of starts.matchAll(/`([^`]+)`/g)) {
      assert.ok(globSync(join(folder, file), { cwd: root }).length === 1, `${folder}/${file}`);
    }
  }
  assert.ok(architecture.split('\n').length <= 175, 'the map stays short');
});

test('the table of dependencies is what package.json says', () => {
  const manifest = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'devDependencies' | 'optionalDependencies',
    Record<string, string>
  >;
  const listed = Array.from(architecture.matchAll(/^\| (\S+) \| (\d\S*) \| (\S.*?) \|/gm));
  const expected = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  assert.deepEqual(
    listed.map(([, name, version]) => [name, version]),
    expected,
  );
  for (const [, name, , licence] of listed) {
    const { license } = JSON.parse(read(`node_modules/${name}/package.json`)) as { license: string };
    assert.equal(licence, license, name);
  }
  for (const version of Object.values(manifest.optionalDependencies))
    assert.ok(architecture.includes(version), version);
});

test('commands that the documents show exist', () => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
  for (const path of globSync(['*.md', 'docs/guide/*.md'], { cwd: root })) {
    for (const [, name] of read(path).matchAll(/\bnpm run ([\w:]+)/g)) {
      assert.ok(scripts.includes(name), `${path}: npm run ${name}`);
    }
  }
});

test('every nametap command line that documents and help show is one', async () => {
  const commands = await everyCommand();
  const lines = commands.flatMap(({ examples = [] }) => [...examples]);
  for (const path of globSync(['*.md', 'docs/guide/*.md'], { cwd: root })) {
    for (const [, block] of read(path).matchAll(/^```sh\n([\s\S]*?)^```$/gm)) lines.push(...block.split('\n'));
  }
  const calls = lines
    .flatMap((line) => line.replace(/ # .*$/, '').split(/\s\|\s/))
    .filter((call) => /^\S*nametap /.test(call));
  assert.ok(calls.length > 30, `${calls.length} command lines`);
  for (const call of calls) {
    const [, name, ...rest] = Array.from(call.matchAll(/'([^']*)'|[^\s']+/g), ([bare, quoted]) => quoted ?? bare);
    if (name.startsWith('-') || name === 'COMMAND') continue;
    const command = commands.find((one) => one.name === name);
    assert.ok(command !== undefined, call);
    const words = rest.includes('>') ? rest.slice(0, rest.indexOf('>')) : rest;
    const { options } = parseWords(command, words);
    if (typeof options.filter === 'string') compileFilter(options.filter);
  }
});

test('numbers in the README are those of the code', () => {
  const words = ['ten', 'eleven', 'twelve', 'thirteen', 'fourteen', 'fifteen'];
  assert.match(read('README.md'), new RegExp(`: ${RR_TYPES.length} record types,`));
  assert.match(read('README.md'), new RegExp(`\\*\\*Writes\\*\\* ${words[OUTPUTS.length - 10]} formats`));
});
