import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { parse } from 'yaml';
import { parseRules } from '../../src/app/rules.ts';
import { type ConfigSources, loadConfig } from '../../src/app/config.ts';
import { CONFIG_KEYS, configOptions } from '../../src/app/config-options.ts';
import { reloadedConfig } from '../../src/app/config-reload.ts';
import { configSchema } from '../../src/app/config-schema.ts';
import { configText, configValue, exampleText } from '../../src/app/config-text.ts';
import { UserError } from '../../src/core/errors.ts';
import { sizeOf, spanOf } from '../../src/core/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-config-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

/** A file with this text. */
function file(text: string): string {
  const path = join(folder, `${++files}.yaml`);
  writeFileSync(path, text);
  return path;
}

/** Loads without what this machine may have set. */
const load = (sources: ConfigSources = {}) => loadConfig({ environment: {}, file: file(''), ...sources });

/** The lines of the error that loading ends in, with `FILE` for the file's name. */
function problems(text: string, sources: ConfigSources = {}): string[] {
  const path = file(text);
  try {
    load({ ...sources, file: path });
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.exit, 1);
    return error.message.replaceAll(path, 'FILE').split('\n');
  }
  return [];
}

test('without a file everything has its default', () => {
  const { config } = load();
  assert.deepEqual(config.server.listen, { address: '127.0.0.1', port: 5390 });
  assert.equal(config.store.flush, 1000);
  assert.equal(config.store.memory, 250 * 2 ** 20);
  assert.equal(config.store.keep.passive, Number.POSITIVE_INFINITY);
  assert.equal(config.server.token, undefined);
  assert.equal(config.privacy.level, 0);
});

test('flags are stronger than the environment, the environment than the file, the file than the default', () => {
  const sources = {
    file: file('log:\n  level: debug\n  format: json\n  file: a.log\nstore:\n  flush: 2s\n'),
    environment: { NAMETAP_LOG_LEVEL: 'warn', NAMETAP_LOG_FORMAT: 'text', NAMETAP_CAPTURE_INTERFACES: 'eth0, eth1' },
    flags: { 'log-level': 'error', 'capture-udp-ports': ['5300', '5353'], 'capture-promiscuous': 'no' },
  };
  const { config, tree } = load(sources);
  assert.equal(config.log.level, 'error');
  assert.equal(config.log.format, 'text');
  assert.equal(config.log.file, 'a.log');
  assert.equal(config.store.flush, 2000);
  assert.deepEqual(config.capture.interfaces, ['eth0', 'eth1']);
  assert.deepEqual(config.capture.udp_ports, [5300, 5353]);
  assert.equal(config.capture.promiscuous, false);
  assert.equal(tree.origin(['log', 'level']), '--log-level');
  assert.equal(tree.origin(['log', 'format']), 'NAMETAP_LOG_FORMAT');
  assert.equal(tree.origin(['store', 'flush']), `${sources.file}:6:3`);
});

test('maps are merged entry by entry, lists are replaced', () => {
  const sources = {
    file: file('clients: {192.0.2.1: one, 192.0.2.2: two}\nresolvers: [192.0.2.53]\n'),
    environment: { NAMETAP_CLIENTS: '{192.0.2.2: zwei}', NAMETAP_RESOLVERS: '2001:db8::/32' },
  };
  const { config } = load(sources);
  assert.deepEqual(config.clients, { '192.0.2.1': 'one', '192.0.2.2': 'zwei' });
  assert.deepEqual(config.resolvers, [{ family: 6, words: [0x20010db8, 0, 0, 0], bits: 32 }]);
});

test('every problem has its file, line and column, and the key that was probably meant', () => {
  const text = [
    'server:',
    '  listn: 1',
    '  listen: nowhere',
    '  users:',
    '    anna: {pasword: x}',
    'store:',
    '  memory: 3MiB',
    '  flush: 1 fortnight',
    'memory: 1GiB',
    'capture:',
    '  interfaces: eth0',
    '  udp_ports: [1, 99999, "53"]',
    '  promiscuous: yes',
    'pipeline:',
    '  filter: 1',
    'log: loud',
    '',
  ].join('\n');
  assert.deepEqual(problems(text), [
    'FILE:2:3: server.listn is no setting; did you mean listen?',
    'FILE:3:3: server.listen takes HOST:PORT, not "nowhere".',
    'FILE:5:5: server.users.anna.password is missing.',
    'FILE:5:12: server.users.anna.pasword is no setting; did you mean password?',
    'FILE:7:3: store.memory is at least 64MiB, not 3MiB.',
    'FILE:8:3: store.flush takes a time such as 500ms, 30s or 7d, not "1 fortnight".',
    'FILE:9:1: memory is no setting; did you mean store.memory?',
    'FILE:11:3: capture.interfaces takes a list such as [a, b].',
    'FILE:12:18: capture.udp_ports.1 is at most 65535, not 99999.',
    'FILE:12:25: capture.udp_ports.2 takes a whole number, not "53".',
    'FILE:13:3: capture.promiscuous takes true or false, not "yes".',
    'FILE:15:3: pipeline.filter takes a text, not 1.',
    'FILE:16:1: log takes keys of its own, each on a line below.',
  ]);
});

test('problems of the environment and of the command line say so', () => {
  const sources = { environment: { NAMETAP_STORE_THREADS: 'x' }, flags: { 'log-level': 'loud', clients: '{' } };
  assert.match(problems('', sources)[0], /^--clients: "\{" is no YAML: /);
  assert.deepEqual(problems('', { ...sources, flags: { 'log-level': 'loud' } }), [
    'NAMETAP_STORE_THREADS: store.threads takes a whole number, not "x".',
    '--log-level: log.level takes trace, debug, info, warn, error, off, not "loud".',
  ]);
  assert.deepEqual(load({ environment: { NAMETAP_LOG_LEVL: 'info', NAMETAP_DEBUG: '1' } }).remarks, [
    'NAMETAP_LOG_LEVL is no setting, and changes nothing',
  ]);
});

test('what values say together is checked too', () => {
  const text = [
    'server: {listen: "0.0.0.0:53"}',
    'pipeline: {filter: "dns.flags.rcode ==", late: 1s}',
    'capture:',
    '  files: [a.pcap]',
    '  folder: b',
    'privacy: {level: 2}',
    'store: {packets: {keep: true}}',
    'sinks:',
    '  a: {type: pcapng, path: x, filter: dns.nothing}',
    '  b: {type: sylog}',
  ].join('\n');
  assert.deepEqual(problems(text), [
    'FILE:10:7: sinks.b.type takes file, pcapng, parquet, syslog, dnstap, kafka, opensearch; did you mean syslog?',
  ]);
  const found = problems(text.replace('type: sylog', 'type: syslog, to: "udp:127.0.0.1:514"'));
  assert.equal(found.length, 7);
  assert.match(found[0], /^FILE:1:10: server\.listen: beyond this machine \(0\.0\.0\.0\)/);
  assert.match(found[1], /^FILE:2:12: pipeline\.filter: /);
  assert.match(found[2], /^FILE:2:42: pipeline\.late is at least pipeline\.timeout\.$/);
  assert.match(found[3], /^FILE:5:3: capture\.folder and capture\.files exclude each other/);
  assert.match(found[4], /^FILE:7:19: store\.packets\.keep writes packets: that needs privacy\.level 0/);
  assert.match(found[5], /^FILE:9:3: sinks\.a writes packets/);
  assert.match(found[6], /^FILE:9:30: sinks\.a\.filter: /);
});

test('where only counts may be kept, the store is one that keeps only counts', () => {
  const text = (engine: string) => `privacy: {level: 5}\nstore: {engine: ${engine}}`;
  assert.deepEqual(problems(text('clickhouse')), [
    'FILE:2:9: store.engine: ClickHouse keeps rows, privacy.level 5 allows only counts: choose duckdb or postgres.',
  ]);
  assert.deepEqual(problems(text('postgres')), []);
  assert.deepEqual(problems('privacy: {level: 4}\nstore: {engine: clickhouse}'), []);
});

test('sinks do not write into each other, and TLS is for those who speak it', () => {
  const text = [
    'log: {file: out/../a.log}',
    'sinks:',
    '  a: {type: file, path: b.log}',
    '  b: {type: pcapng, path: ./b.log}',
    '  c: {type: file, path: a.log}',
    '  d: {type: syslog, to: "tcp:127.0.0.1:514", tls: {key: k}}',
  ].join('\n');
  assert.deepEqual(problems(text), [
    'FILE:4:21: sinks.b.path is the file of sinks.a.path.',
    'FILE:5:19: sinks.c.path is the file of log.file.',
    'FILE:6:46: sinks.d.tls is for receivers such as tls:HOST:PORT.',
    'FILE:6:46: sinks.d.tls wants certificate and key together.',
  ]);
});

test('a file that is no configuration is refused in a sentence', () => {
  assert.match(problems('a: [1\nb: 2\n')[0], /^FILE:\d+:\d+: /);
  assert.match(problems('log: {level: info}\nlog: {level: info}\n')[0], /^FILE:2:1: Map keys must be unique/);
  assert.deepEqual(problems('- a\n'), ['FILE:1:1: The configuration is a list of keys, such as "server:".']);
  assert.throws(() => load({ file: join(folder, 'none.yaml') }), /Cannot read .*none\.yaml: there is no such file/);
  const binary = join(folder, 'capture.pcap');
  writeFileSync(binary, Buffer.from([0xd4, 0xc3, 0xb2, 0xa1]));
  assert.throws(() => load({ file: binary }), /it is no UTF-8 text/);
  // Aliases of aliases: refused, not expanded.
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...'bcdefghi'.split('').map((c, i) => {
      const before = 'abcdefgh'[i];
      return `${c}: &${c} [${Array(9).fill(`*${before}`).join(', ')}]`;
    }),
  ].join('\n');
  assert.throws(() => load({ file: file(bomb) }), UserError);
});

test('keys of JavaScript objects are keys like others', () => {
  assert.deepEqual(problems('__proto__: {level: x}\nclients: {constructor: b}\n'), [
    'FILE:1:1: __proto__ is no setting.',
    'FILE:2:11: clients.constructor is no name that can be given here.',
  ]);
  assert.equal(({} as Record<string, unknown>).level, undefined);
});

test('secrets come from files too, and are never printed', () => {
  const path = join(folder, 'secret');
  writeFileSync(path, 'token of a file\n');
  const byFile = load({ file: file(`server: {token: {file: ${path}}}\n`) });
  assert.equal(byFile.config.server.token, 'token of a file');
  const byVariable = load({ environment: { NAMETAP_SERVER_TOKEN_FILE: path } });
  assert.equal(byVariable.config.server.token, 'token of a file');
  const written = load({ file: file('server: {token: hush, users: {anna: {password: hash}}}\n') });
  for (const loaded of [byFile, byVariable, written]) {
    assert.doesNotMatch(configText(loaded) + JSON.stringify(configValue(loaded)), /hush|hash|token of a file|\/secret/);
  }
  assert.match(configText(written), /token: "\*{8}" {2}# .*yaml:1:10/);
  assert.match(
    problems('server: {token: {file: /nowhere}}')[0],
    /cannot be read from \/nowhere: there is no such file/,
  );
});

test('what is printed gives the same when it is read again', () => {
  const text =
    'store: {flush: 2s, keep: {hours: forever}}\nclients: {"2001:db8::1": "a: b # c"}\ncapture: {interfaces: [a, b]}\n';
  const first = load({ file: file(text), flags: { 'log-level': 'warn' } });
  const second = load({ file: file(configText(first)) });
  assert.deepEqual(second.config, first.config);
  assert.deepEqual(load({ file: file(configText(load())) }).config, load().config);
});

const repository = fileURLToPath(new URL('../..', import.meta.url));

test('config/nametap.example.yaml is the generated one, and changes nothing', () => {
  const text = readFileSync(join(repository, 'config/nametap.example.yaml'), 'utf8');
  assert.equal(text, exampleText(), 'run: nametap config example > config/nametap.example.yaml');
  assert.deepEqual(load({ file: file(text) }).config, load().config);
});

test('every configuration that the guides show is sound', () => {
  const secret = join(folder, 'guide-secret');
  writeFileSync(secret, 'x');
  const blocks = globSync('docs/guide/*.md', { cwd: repository }).flatMap((path) =>
    Array.from(
      readFileSync(join(repository, path), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm),
      ([, text]) => text,
    ),
  );
  assert.ok(blocks.length >= 3);
  for (const text of blocks) {
    // A list is of rules.
    if (text.startsWith('- ')) assert.equal(parseRules(text, 'guide').length, 1);
    else assert.deepEqual(problems(text.replace(/\{ ?file: [^}]+\}/g, `{ file: ${secret} }`)), [], text);
  }
});

test('the example with every # taken away is sound, and says every key', () => {
  const secret = join(folder, 'example-secret');
  writeFileSync(secret, 'x');
  let text = exampleText();
  // Keys have no blank behind their #, what is in a hidden group two.
  for (let i = 0; i < 2; i++) text = text.replace(/^(\s*)#(\S| {2})/gm, '$1$2');
  text = text.replace(/\{file: [^}]+\}/g, `{file: ${secret}}`);
  // These exclude each other.
  text = text.replace(/^ {2}(folder|dnstap): .*$/gm, '');
  const { config, tree } = load({ file: file(text) });
  assert.equal(config.server.users.name.role, 'viewer');
  assert.equal(config.server.tls?.key, '/etc/nametap/key.pem');
  const missing = CONFIG_KEYS.filter(({ path }) => tree.ownOrigin(path) === undefined).map(({ path }) =>
    path.join('.'),
  );
  assert.deepEqual(missing, ['capture.folder', 'capture.dnstap']);
});

test('the JSON Schema says what every key is, and knows no other', () => {
  const schema = configSchema() as unknown as SchemaNode;
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
  for (const { path, setting } of CONFIG_KEYS) {
    let node = schema;
    for (const key of path) {
      assert.equal(node.additionalProperties, false, path.join('.'));
      node = node.properties[key];
    }
    assert.equal(node.description, setting.summary, path.join('.'));
    if (setting.default !== undefined) assert.deepEqual(node.default, setting.default, path.join('.'));
  }
});

interface SchemaNode {
  $schema?: string;
  description?: string;
  default?: unknown;
  additionalProperties?: unknown;
  properties: Record<string, SchemaNode>;
}

test('every key is an option and a variable of its own', () => {
  const names = configOptions().map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes('server-listen') && names.includes('data') && names.includes('store-keep-minutes'));
  const letters = configOptions().flatMap(({ letter }) => letter ?? []);
  assert.equal(new Set(letters).size, letters.length);
});

test('a reload applies what can change, and names what has to wait', () => {
  const before = load({ file: file('log: {level: info}\nstore: {flush: 1s}\nclients: {192.0.2.1: a}\n') }).config;
  const after = load({
    file: file(
      'log: {level: debug}\nstore: {flush: 3s, keep: {minutes: 1d}}\nserver: {tls: {certificate: a, key: b}}\n',
    ),
  }).config;
  const { config, applied, waiting } = reloadedConfig(before, after);
  assert.deepEqual(applied, ['clients', 'store.keep.minutes', 'log.level']);
  assert.deepEqual(waiting, ['store.flush', 'server.tls']);
  assert.equal(config.log.level, 'debug');
  assert.deepEqual(config.clients, {});
  assert.equal(config.store.keep.minutes, 86_400_000);
  assert.equal(config.store.flush, 1000);
  assert.equal(config.server.tls, undefined);
  assert.equal(before.log.level, 'info');
});

test('sizes and times want their units', () => {
  assert.equal(sizeOf('64MiB'), 64 * 2 ** 20);
  assert.equal(sizeOf('1.5 GB'), 1.5e9);
  assert.equal(spanOf('1.5h'), 5_400_000);
  assert.equal(spanOf('250ms'), 250);
  for (const text of ['', '5', '5 MB/s', '-1s', '1e3s', 'MiB', '5M']) {
    assert.equal(sizeOf(text), undefined, text);
    if (text !== '5M') assert.equal(spanOf(text), undefined, text);
  }
});

test('whatever YAML is given, the answer is a configuration or a sentence', () => {
  const key = fc.constantFrom(...CONFIG_KEYS.map(({ path }) => path));
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom('1s', '64MiB', 'any', '127.0.0.1:0', true));
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 5 }), (entries) => {
      const environment = Object.fromEntries(
        entries.map(([path, one]) => {
          const { variable } = CONFIG_KEYS.find((candidate) => candidate.path === path) ?? CONFIG_KEYS[0];
          return [variable, typeof one === 'string' ? one : JSON.stringify(one)];
        }),
      );
      try {
        const loaded = load({ environment });
        assert.deepEqual(parse(configText(loaded)), parse(configText(loaded)));
      } catch (error) {
        assert.ok(error instanceof UserError, String(error));
      }
    }),
    { numRuns: 200 },
  );
});
