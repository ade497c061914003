import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Which folder of src may import which others (its own always). A new arrow is a decision record. */
const COMPONENT = ['core', 'sketch', 'wire', 'rr'];
const ENGINE = [...COMPONENT, 'net', 'filter', 'sources', 'sinks', 'correlate', 'enrich', 'report', 'pipeline'];
const JUDGE = ['baseline', 'detect', 'rules', 'alerts', 'actions', 'generate'];
const ASK = ['client', 'probes'];
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  sketch: ['core'],
  wire: ['core'],
  net: ['core', 'wire'],
  rr: ['core', 'wire'],
  filter: ['core', 'wire', 'rr'],
  sources: [...COMPONENT, 'net', 'filter'],
  sinks: [...COMPONENT, 'net', 'filter', 'bus', 'transport', 'tracing'],
  correlate: COMPONENT,
  enrich: COMPONENT,
  report: [...COMPONENT, 'filter'],
  baseline: COMPONENT,
  detect: [...COMPONENT, 'baseline'],
  rules: [...COMPONENT, 'filter', 'detect'],
  // Connections, rotating files and how networks are written are those of sinks and enrichment.
  alerts: ['core', 'enrich', 'sinks'],
  actions: ['core', 'wire', 'rr'],
  generate: COMPONENT,
  client: COMPONENT,
  // How networks are written is that of enrichment.
  probes: [...COMPONENT, 'enrich', 'client'],
  store: [...COMPONENT, 'filter', 'enrich'],
  bus: COMPONENT,
  transport: ['core', 'tracing'],
  tracing: ['core'],
  cache: ['core'],
  pipeline: ['core', 'net', 'wire', 'correlate'],
  app: [...ENGINE, ...JUDGE, ...ASK, 'bus', 'transport', 'store', 'cache', 'tracing', 'server'],
  server: ['core', 'wire', 'rr', 'filter', 'store', 'cache', 'tracing', 'report', 'alerts'],
  cli: ['core', 'filter', 'report', 'store', 'app', ...ASK],
  // What `import … from 'nametap'` gives: a face over all of it.
  library: [...ENGINE, 'client', 'app'],
};
const MAY_USE_NODE = [
  ...ASK,
  'enrich',
  'bus',
  'transport',
  'cache',
  'alerts',
  'actions',
  'sources',
  'sinks',
  'store',
  'app',
  'server',
  'cli',
  'library',
];

/** Types say what a thing is without pulling it in: these arrows are for `import type` only. */
const TYPES_ONLY: Record<string, readonly string[]> = { pipeline: ['filter'] };

/** Longer than 400 lines, each with its reason. */
const MAY_BE_LONG: Record<string, string> = {
  'src/net/dissect.ts': 'hot: the common frame without a walk, and the layers that have state',
  'src/net/reassembly.ts': 'hot: what is known of a direction, in columns that every step works on',
  'src/correlate/matcher.ts': 'hot: one table, one loop over messages',
  'src/sinks/transaction-json.ts': 'hot: a row as JSON, straight from columns and message bytes',
  'src/detect/dga/weights.ts': 'written by npm run train: numbers, in base64',
  'src/report/report.ts': 'one place where a row is counted',
};

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (pattern: string) =>
  globSync(pattern, { cwd: root }).map((path) => {
    const slashed = path.replaceAll('\\', '/');
    const text = readFileSync(`${root}/${path}`, 'utf8');
    return {
      path: slashed,
      folder: slashed.split('/')[1],
      text,
      code: text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''),
    };
  });
const files = read('src/**/*.ts');
const page = read('web/src/**/*.{ts,tsx}');

/** Every violation of `rule`, one line each; the test fails with the list. */
function holds(rule: (file: (typeof files)[number]) => string[], of = files): void {
  assert.ok(of.length > 50, 'the sources were found');
  assert.deepEqual(
    of.flatMap((file) => rule(file).map((what) => `${file.path}: ${what}`)),
    [],
  );
}

test('folders import only the layers below them', () => {
  holds(({ path, folder, code }) => {
    const allowed = MAY_IMPORT[folder];
    if (allowed === undefined) return [`the folder ${folder} has no place in the import table`];
    const found: string[] = [];
    const statement =
      /(?:^|\n)\s*(import|export)(\s+type)?\s[^;]*?from\s+'([^']+)'|import\(\s*'([^']+)'|new URL\(\s*'(\.[^']+\.ts)'/g;
    for (const match of code.matchAll(statement)) {
      const target = match[3] ?? match[4] ?? match[5];
      if (target.startsWith('node:') && !MAY_USE_NODE.includes(folder)) found.push(`uses ${target}`);
      if (!target.startsWith('.')) continue;
      if (!/\.(ts|json)$/.test(target)) found.push(`imports ${target} without .ts`);
      const to = new URL(target, `file:///${path}`).pathname.split('/')[2];
      const typesOnly = match[2] !== undefined && TYPES_ONLY[folder]?.includes(to) === true;
      if (to !== folder && !allowed.includes(to) && !typesOnly) found.push(`imports ${target}`);
    }
    return found;
  });
});

test('no default exports, enums, any, or silenced type checks', () => {
  const refused = /export default|\benum\s+\w|\bas any\b|<any>|@ts-(?:ignore|expect-error|nocheck)/;
  const rule = ({ code, text }: { code: string; text: string }) => {
    const match = refused.exec(code) ?? /@ts-(?:ignore|expect-error|nocheck)|\b(?:TODO|FIXME|XXX)\b/.exec(text);
    return match === null ? [] : [match[0]];
  };
  holds(rule);
  holds(rule, page);
});

test('what browsers may import needs no Node', () => {
  for (const entry of ['src/library/wire.ts', 'src/library/filter.ts', 'src/library/browser.ts']) {
    const reached = new Set([entry]);
    for (const path of reached) {
      const { code } = files.find((file) => file.path === path) ?? { code: '' };
      assert.notEqual(code, '', `${path} exists`);
      // What is imported as a type is gone at run time.
      for (const [, target] of code.replace(/(?:import|export) type\s[^;]*;/g, '').matchAll(/from\s+'([^']+)'/g)) {
        assert.ok(!target.startsWith('node:'), `${entry} reaches ${target} through ${path}`);
        if (target.startsWith('.')) reached.add(new URL(target, `file:///${path}`).pathname.slice(1));
      }
    }
    assert.ok(reached.size > 3, `${entry} imports something`);
  }
});

test('the page takes types from the sources, and code only from the core and what is made for browsers', () => {
  holds(({ path, code }) => {
    const targets = [...code.matchAll(/(?:^|\n)import\s+(?!type\s)[^;]*?from\s+'(\.[^']+)'/g)].map(([, target]) =>
      new URL(target, `file:///${path}`).pathname.slice(1),
    );
    return targets.filter(
      (target) => !/^(?:web\/src\/|src\/core\/|src\/library\/(?:wire|filter|browser)\.ts$)/.test(target),
    );
  }, page);
});

test('files are short, or on the list of those that may be long', () => {
  const rule = ({ path, text }: { path: string; text: string }) => {
    const lines = text.split('\n').length - 1;
    return lines > 400 && MAY_BE_LONG[path] === undefined ? [`${lines} lines`] : [];
  };
  holds(rule);
  holds(rule, page);
  for (const path of Object.keys(MAY_BE_LONG)) {
    const file = files.find((candidate) => candidate.path === path);
    assert.ok(file !== undefined && file.text.split('\n').length > 400, `${path} need not be on the list`);
  }
});
