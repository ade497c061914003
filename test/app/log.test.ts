import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../../src/app/config.ts';
import { logText, openLog } from '../../src/app/log.ts';

const folder = mkdtempSync(join(tmpdir(), 'nametap-log-'));
after(() => rmSync(folder, { recursive: true }));

/** What a process that logs prints; `body` is given `log` and `settings`. */
function printed(flags: Record<string, string>, body: string): string {
  const script = `
    import { loadConfig } from '${new URL('../../src/app/config.ts', import.meta.url).href}';
    import { openLog } from '${new URL('../../src/app/log.ts', import.meta.url).href}';
    const settings = loadConfig({ environment: {}, flags: ${JSON.stringify(flags)} }).config.log;
    const log = openLog(settings, '1.2.3');
    ${body}
    await log.close();`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', cwd: folder });
}

test('lines are JSON with the names of ECS; what came from the wire is escaped', () => {
  const text = printed(
    { 'log-level': 'debug' },
    `log.info({ name: 'a\\x1b[2J\\u202eb', count: 3 }, 'Two\\nlines');
     log.part('sinks').error({ error: new TypeError('no\\x07') }, 'It failed');
     log.debug({ deep: { deep: { deep: { deep: { deep: {} } } } }, list: Array(99).fill(1), long: 'x'.repeat(9999) }, 'Much');
     log.trace({}, 'not said');`,
  );
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\u202e]/);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
  assert.equal(lines.length, 3);
  const [info, error, debug] = lines;
  assert.match(String(info['@timestamp']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(
    [info['log.level'], info.message, info['service.name'], info['service.version'], info['ecs.version']],
    ['info', 'Two\\010lines', 'nametap', '1.2.3', '9.4.0'],
  );
  assert.deepEqual(info.nametap, { name: 'a\\027[2J\\226\\128\\174b', count: 3 });
  assert.equal(error['log.logger'], 'sinks');
  assert.equal(error['error.type'], 'TypeError');
  assert.equal(error['error.message'], 'no\\007');
  assert.match(String(error['error.stack_trace']), /TypeError: no\\007\n/);
  const much = debug.nametap as { deep: unknown; list: unknown[]; long: string };
  assert.deepEqual(much.deep, { deep: { deep: { deep: { deep: '…' } } } });
  assert.equal(much.list.length, 32);
  assert.equal(much.long.length, 4097);
});

test('people get text; level and format change while it runs', () => {
  const text = printed(
    { 'log-format': 'text' },
    `log.info({ path: '/a b', count: 1 }, 'Said');
     log.apply({ ...settings, format: 'json', level: 'warn' });
     log.info({}, 'not said');
     log.warn({}, 'as JSON');
     log.apply({ ...settings, level: 'off' });
     log.error({}, 'not said either');`,
  );
  const [said, json, ...more] = text.trimEnd().split('\n');
  assert.match(said, /^\d\d:\d\d:\d\d info {2}Said {2}path="\/a b" {2}count=1$/);
  assert.equal((JSON.parse(json) as { message: string }).message, 'as JSON');
  assert.deepEqual(more, []);
  const line = JSON.stringify({
    '@timestamp': '2026-11-24T12:30:01.000Z',
    'log.level': 'error',
    message: 'x',
    'error.message': 'why',
  });
  assert.equal(logText(line, false), '12:30:01 error x  error=why\n');
});

test('the file has every line, is rotated, and a full disk ends nothing', () => {
  printed(
    { 'log-file': 'logs/nametap.log', 'log-rotate-size': '4096B', 'log-rotate-keep': '3' },
    `for (let i = 0; i < 100; i++) log.info({ i }, 'line');`,
  );
  const names = readdirSync(join(folder, 'logs'));
  assert.equal(names.length, 4);
  const last = readFileSync(join(folder, 'logs', 'nametap.log'), 'utf8')
    .trimEnd()
    .split('\n');
  assert.deepEqual((JSON.parse(last[last.length - 1]) as { nametap: unknown }).nametap, { i: 99 });
  const text = printed({ 'log-file': '/dev/full' }, `log.info({}, 'one'); log.info({}, 'two');`);
  assert.deepEqual(
    text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { message: string }).message),
    ['Cannot write /dev/full: the disk is full.', 'one', 'two'],
  );
});

test('a file that cannot be opened is told before anything starts', () => {
  const { config } = loadConfig({ environment: {}, flags: { 'log-file': '/dev/null/nametap.log' } });
  assert.throws(() => openLog(config.log, '1.2.3'), /^UserError: Cannot open \/dev\/null\/nametap\.log: /);
});
