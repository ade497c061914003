import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as askOnward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { filebeat } from '../../scripts/services/filebeat.ts';
import { type OpenSearchService, start } from '../../scripts/services/opensearch.ts';
import { loadConfig } from '../../src/app/config.ts';
import { openLog } from '../../src/app/log.ts';
import { openSinks } from '../sinks/contract-sinks.ts';
import { expected, rows } from '../sinks/numbered.ts';

const deploy = (name: string): string => new URL(`../../deploy/elastic/${name}`, import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'nametap-filebeat-'));
let service: OpenSearchService;
/**
 * Filebeat since 7.13 works only with servers that tell of a licence, as Elasticsearch does: this stands in front of OpenSearch,
 * answers that one question and hands on everything else.
 */
const front = createServer((request, response) => {
  if (request.url === '/_license' || request.url?.startsWith('/_license?') === true) {
    response.setHeader('content-type', 'application/json');
    response.end('{"license":{"status":"active","uid":"none","type":"basic","mode":"basic"}}');
    return;
  }
  const { method, headers, url = '/' } = request;
  const onward = askOnward(service.address + url, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
});
before(async () => {
  service = await start({ saysElastic: true });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
});
after(async () => {
  front.close();
  front.closeAllConnections();
  await service.stop();
  rmSync(folder, { recursive: true });
});

async function ask<T>(method: string, path: string, body?: string): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(service.address + path, { method, headers, ...(body !== undefined && { body }) });
  const text = await response.text();
  assert.ok(response.ok, `${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

interface Document {
  id: string;
  fields: Record<string, unknown> & { event: Record<string, unknown> };
}

async function documents(index: string): Promise<Document[]> {
  await ask('POST', '/_refresh');
  const response = await fetch(`${service.address}/${index}-*/_search?size=10000&ignore_unavailable=true`);
  // An index that was made this moment cannot be searched yet.
  if (response.status === 503) return [];
  const { hits } = (await response.json()) as { hits: { hits: { _id: string; _source: Document['fields'] }[] } };
  return hits.hits.map(({ _id: id, _source: fields }) => ({ id, fields }));
}

/** Writes both logs as serve writes them. */
async function writeLogs(log: string, queries: string): Promise<void> {
  const { config } = loadConfig({ environment: { NAMETAP_LOG_FILE: log }, flags: {} });
  const own = openLog(config.log, '1.2.3');
  for (let i = 0; i < 50; i++) own.info({ turn: i }, `line ${i}`);
  own.part('store').error({ error: new Error('a "quoted" reason') }, 'It failed');
  await own.close();
  const sinks = openSinks({ queries: { type: 'file', path: queries, format: 'ecs' } }, join(folder, 'kept'));
  const batch = rows(0, 500, Math.floor(Date.now() / 1000) - 1000);
  sinks.rows(batch, 0, batch.count);
  await sinks.close();
}

function startFilebeat(log: string, queries: string): ChildProcess {
  const config = join(folder, 'filebeat.yml');
  copyFileSync(deploy('filebeat.yml'), config);
  const env = {
    NAMETAP_LOG: log,
    NAMETAP_QUERY_LOG: queries,
    SEARCH_HOST: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
  };
  const words = [
    '-c',
    config,
    '--path.home',
    folder,
    '--path.data',
    join(folder, 'data'),
    '-e',
    '--strict.perms=false',
  ];
  return spawn(filebeat(), words, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });
}

test('Filebeat ships both logs into a real OpenSearch, with the fields of the pipeline; what comes twice is there once', async () => {
  const log = join(folder, 'nametap.log');
  const queries = join(folder, 'dns.ndjson');
  await ask('PUT', '/_ingest/pipeline/nametap', readFileSync(deploy('ingest-pipeline.json'), 'utf8'));
  await ask('PUT', '/_index_template/nametap-logs', readFileSync(deploy('log-template.json'), 'utf8'));
  await writeLogs(log, queries);
  appendFileSync(log, 'no JSON\n');
  let child = startFilebeat(log, queries);
  try {
    let found: Document[] = [];
    let lines: Document[] = [];
    for (const end = Date.now() + 90_000; Date.now() < end; await sleep(1000)) {
      [found, lines] = [await documents('nametap-query'), await documents('nametap-log')];
      if (found.length >= 500 && lines.length >= 52) break;
    }
    assert.deepEqual([found.length, lines.length], [500, 52]);
    assert.deepEqual(
      found.filter(({ fields }) => fields.dns === undefined),
      [],
    );
    const names = found.map(({ fields }) => (fields.dns as { question: { name: string } }).question.name);
    assert.deepEqual(names.toSorted(), expected(0, 500));
    assert.ok(found.every(({ id, fields: { event } }) => id === event.id && event.dataset === 'nametap.query'));
    const [failed] = lines.filter(({ fields }) => fields.message === 'It failed');
    const { log: said, error, service: about, event } = failed.fields as Record<string, Record<string, unknown>>;
    assert.deepEqual([said.level, said.logger, about.name, about.version], ['error', 'store', 'nametap', '1.2.3']);
    assert.deepEqual([error.type, error.message, event.dataset], ['Error', 'a "quoted" reason', 'nametap.log']);
    assert.equal(lines.filter(({ fields }) => fields.event.dataset === 'nametap.unreadable').length, 1);
    // Filebeat forgets how far it came, and reads all of it again.
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(join(folder, 'data'), { recursive: true });
    child = startFilebeat(log, queries);
    for (const end = Date.now() + 90_000; Date.now() < end; await sleep(1000)) {
      if ((await documents('nametap-log')).length >= 104) break;
    }
    assert.equal((await documents('nametap-query')).length, 500);
  } finally {
    child.kill('SIGKILL');
  }
});
