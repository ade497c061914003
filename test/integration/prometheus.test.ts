import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { METRICS } from '../../src/server/metrics.ts';
import { CAPTURES } from '../store/batches.ts';
import { type Fixture, fixture } from '../server/fixture.ts';
import { freePort } from '../../scripts/services/free-port.ts';

const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url));
const RULES = `${deploy}prometheus/alerts.yml`;
const SCRAPE = `${deploy}prometheus/prometheus.yml`;
const folder = mkdtempSync(join(tmpdir(), 'nametap-prometheus-'));

interface RuleFile {
  groups: {
    name: string;
    rules: { alert?: string; record?: string; expr: string; annotations?: { summary?: string } }[];
  }[];
}
interface Dashboard {
  uid: string;
  schemaVersion: number;
  templating: { list: { name: string; type: string; definition?: string }[] };
  panels: {
    id: number;
    title: string;
    targets?: { expr: string }[];
    gridPos: { x: number; y: number; w: number; h: number };
  }[];
}
const rules = parse(readFileSync(RULES, 'utf8')) as RuleFile;
const dashboard = JSON.parse(readFileSync(`${deploy}grafana/nametap.json`, 'utf8')) as Dashboard;

let f: Fixture;
let prometheus: ChildProcess;
let url = '';

/** A port that is free at the moment. */

async function ask(path: string, query: Record<string, string>): Promise<{ status: number; body: PrometheusAnswer }> {
  const response = await fetch(`${url}${path}?${new URLSearchParams(query)}`);
  return { status: response.status, body: (await response.json()) as PrometheusAnswer };
}
interface PrometheusAnswer {
  status: string;
  error?: string;
  data: { result: unknown[]; groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
}

before(async () => {
  f = await fixture();
  // The example as it is shipped, at our port and faster.
  const port = await freePort();
  const config = readFileSync(SCRAPE, 'utf8')
    .replaceAll('127.0.0.1:5390', `127.0.0.1:${f.server.port}`)
    .replaceAll(/_interval: 15s/g, '_interval: 1s')
    .replace('alerts.yml', RULES);
  writeFileSync(join(folder, 'prometheus.yml'), config);
  prometheus = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=warn',
    ],
    { stdio: 'ignore' },
  );
  url = `http://127.0.0.1:${port}`;
  for (let i = 0; ; i++) {
    const up = await ask('/api/v1/query', { query: 'up{job="nametap"} == 1' }).catch(() => null);
    if (up !== null && up.body.data.result.length > 0) break;
    assert.ok(i < 150, 'Prometheus scrapes nametap');
    await sleep(200);
  }
  // Counters have to move for rates to be seen.
  for (let round = 0; round < 4; round++) {
    for (const path of CAPTURES) await f.addCapture(path);
    await sleep(1100);
  }
});
after(async () => {
  prometheus.kill();
  await f.close();
  rmSync(folder, { recursive: true, force: true });
});

test('promtool finds nothing wrong with the rules and the scrape configuration', () => {
  for (const args of [
    ['check', 'rules', '--lint=all', '--lint-fatal', RULES],
    ['check', 'config', SCRAPE],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  }
});

test('promtool finds nothing wrong with the metrics, in either format', async () => {
  const plain = await f.get('/metrics');
  assert.equal(plain.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const text = await plain.text();
  const lint = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  assert.equal(lint.status, 0, lint.stdout + lint.stderr);
  for (const { name } of METRICS) assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'), name);
  const open = await f.get('/metrics', { accept: 'application/openmetrics-text; version=1.0.0' });
  assert.equal(open.headers.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  const openText = await open.text();
  assert.ok(openText.endsWith('# EOF\n'));
  assert.match(openText, /^nametap_transactions_total\{outcome="answered"\} [1-9]/m);
  const again = await (await f.get('/metrics', { accept: 'application/openmetrics-text' })).text();
  assert.match(again, /^nametap_transactions_total\{outcome="answered"\} [1-9]/m, 'also the second time');
});

test('no label holds a name or an address of anyone', async () => {
  const text = await (await f.get('/metrics')).text();
  const labels = new Set([...text.matchAll(/(\w+)="/g)].map(([, name]) => name));
  const known = METRICS.flatMap((metric) => metric.labels);
  for (const label of labels)
    assert.ok([...known, 'le', 'version', 'major', 'minor', 'patch', 'kind', 'space'].includes(label), label);
  assert.doesNotMatch(text, /\d+\.\d+\.\d+\.\d+/);
  assert.ok(text.length < 200_000, `${text.length} characters`);
});

test('every expression of the dashboard runs, and shows something', async () => {
  assert.equal(dashboard.uid, 'nametap');
  assert.ok(dashboard.schemaVersion >= 36);
  const names = dashboard.templating.list.map(({ name }) => name);
  assert.deepEqual(names, ['datasource', 'job', 'instance']);
  // What can only be seen when something goes wrong, or was not asked for yet.
  const quiet = /_dropped_total|_errors_total|store_lag|malformed/;
  let expressions = 0;
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr } of targets) {
      const query = expr.replaceAll('$job', '.+').replaceAll('$instance', '.+').replaceAll('$__rate_interval', '1m');
      assert.doesNotMatch(query, /\$/, title);
      const { body } = await ask('/api/v1/query', { query });
      assert.equal(body.status, 'success', `${title}: ${body.error}: ${query}`);
      if (!quiet.test(query)) assert.ok(body.data.result.length > 0, `${title} shows nothing: ${query}`);
      expressions++;
    }
  }
  assert.ok(expressions > 45, `${expressions} expressions`);
  for (const { definition = '' } of dashboard.templating.list.slice(1)) {
    const metric = /label_values\((\w+)/.exec(definition)?.[1] ?? '';
    assert.ok((await ask('/api/v1/query', { query: metric })).body.data.result.length > 0, definition);
  }
});

test('panels have a place of their own', () => {
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const [i, a] of dashboard.panels.entries()) {
    assert.ok(a.gridPos.x + a.gridPos.w <= 24, a.title);
    for (const b of dashboard.panels.slice(i + 1)) {
      const apart =
        a.gridPos.x + a.gridPos.w <= b.gridPos.x ||
        b.gridPos.x + b.gridPos.w <= a.gridPos.x ||
        a.gridPos.y + a.gridPos.h <= b.gridPos.y ||
        b.gridPos.y + b.gridPos.h <= a.gridPos.y;
      assert.ok(apart, `${a.title} and ${b.title}`);
    }
  }
});

test('every alert rule is evaluated without an error, and its metrics are there', async () => {
  const { body } = await ask('/api/v1/rules', {});
  const seen = body.data.groups.flatMap((group) => group.rules);
  const wanted = rules.groups.flatMap((group) => group.rules);
  assert.equal(seen.length, wanted.length);
  for (const { name, health, lastError } of seen) assert.equal(health, 'ok', `${name}: ${lastError}`);
  const metrics = new Set([...METRICS.map(({ name }) => name), 'up', ...wanted.flatMap(({ record = '' }) => record)]);
  for (const { alert, record, expr, annotations } of wanted) {
    const { body: answer } = await ask('/api/v1/query', { query: expr });
    assert.equal(answer.status, 'success', `${alert ?? record}: ${answer.error}`);
    for (const [name] of expr.matchAll(/\b(?:instance:)?nametap_[a-z0-9_:]+\b/g)) {
      assert.ok(metrics.has(name.replace(/_bucket$/, '')), `${alert ?? record} asks for ${name}`);
    }
    if (record !== undefined) assert.ok(answer.data.result.length > 0, `${record} records something`);
    if (alert !== undefined) assert.ok((annotations?.summary ?? '').length > 10, alert);
  }
  const loud = await ask('/api/v1/query', { query: 'ALERTS{alertname=~"Nametap.+"}' });
  assert.deepEqual(loud.body.data.result, [], 'a nametap that is well raises nothing');
});
