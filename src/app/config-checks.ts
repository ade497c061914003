import { resolve } from 'node:path';
import { FilterError } from '../filter/errors.ts';
import { isLoopback } from '../server/hosts.ts';
import { reasonOf } from '../core/errors.ts';
import { PROBES } from '../probes/index.ts';
import type { ProbesConfig } from '../probes/settings.ts';
import type { Config } from './settings.ts';
import { rowFilter } from '../filter/row.ts';

/** What is wrong with a value though it is of the right form; `path` says which one. */
export interface ConfigProblem {
  path: readonly string[];
  text: string;
}

/** What values say together, and what only their readers can judge. */
export function configProblems(config: Config): ConfigProblem[] {
  return [
    ...inputProblems(config),
    ...filterProblems(config),
    ...privacyProblems(config),
    ...storeProblems(config),
    ...serverProblems(config),
    ...sinkProblems(config),
    ...probeProblems(config),
  ];
}

/** A target is of the form that its kind of check has. */
function probeProblems({ probes }: Config): ConfigProblem[] {
  return Object.entries(probes.checks as ProbesConfig['checks']).flatMap(([name, { type, targets }]) =>
    targets.flatMap((target, i) => {
      try {
        PROBES[type].read(target);
        return [];
      } catch (error) {
        const path = ['probes', 'checks', name, 'targets', String(i)];
        return [{ path, text: `${path.join('.')}: ${reasonOf(error).replace(/\.$/, '')}` }];
      }
    }),
  );
}

function inputProblems({ capture, pipeline }: Config): ConfigProblem[] {
  const given = [
    capture.files.length > 0 && 'files',
    capture.folder !== undefined && 'folder',
    capture.dnstap.length > 0 && 'dnstap',
  ].filter((one) => one !== false);
  const problems = given.slice(1).map((key) => ({
    path: ['capture', key],
    text: `capture.${key} and capture.${given[0]} exclude each other: leave one of them out`,
  }));
  if (pipeline.late < pipeline.timeout) {
    problems.push({ path: ['pipeline', 'late'], text: 'pipeline.late is at least pipeline.timeout' });
  }
  return problems;
}

function filterProblems(config: Config): ConfigProblem[] {
  const filters: [string[], string | undefined][] = [
    [['pipeline', 'filter'], config.pipeline.filter],
    ...Object.entries(config.sinks).map(([name, { filter }]): [string[], string | undefined] => [
      ['sinks', name, 'filter'],
      filter,
    ]),
  ];
  return filters.flatMap(([path, text]) => {
    const why = text === undefined ? undefined : filterProblem(text);
    return why === undefined ? [] : [{ path, text: `${path.join('.')}: ${why}` }];
  });
}

function filterProblem(text: string): string | undefined {
  try {
    rowFilter(text, []);
    return undefined;
  } catch (error) {
    if (error instanceof FilterError) return error.reason.replace(/\.$/, '');
    throw error;
  }
}

/** Packets hold everything: none are kept where something is hidden. */
function privacyProblems({ privacy, store, sinks }: Config): ConfigProblem[] {
  if (privacy.level === 0 && privacy.names === 'full') return [];
  const paths = Object.entries(sinks).flatMap(([name, { type }]) => (type === 'pcapng' ? [['sinks', name]] : []));
  if (store.packets.keep) paths.push(['store', 'packets', 'keep']);
  return paths.map((path) => ({
    path,
    text: `${path.join('.')} writes packets: that needs privacy.level 0 and privacy.names full`,
  }));
}

/** Counts alone are kept where the store gives up rows once they are counted: ClickHouse gives them up by age. */
function storeProblems({ privacy, store }: Config): ConfigProblem[] {
  if (privacy.level !== 5 || store.engine !== 'clickhouse') return [];
  const text = 'store.engine: ClickHouse keeps rows, privacy.level 5 allows only counts: choose duckdb or postgres';
  return [{ path: ['store', 'engine'], text }];
}

function serverProblems({ server }: Config): ConfigProblem[] {
  const { listen, users, token } = server;
  if (isLoopback(listen.address) || token !== undefined || Object.keys(users).length > 0) return [];
  const text = `server.listen: beyond this machine (${listen.address}) the page wants server.users or server.token`;
  return [{ path: ['server', 'listen'], text }];
}

function sinkProblems({ sinks, log }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const taken = new Map(log.file === undefined ? [] : [[resolve(log.file), 'log.file']]);
  for (const [name, sink] of Object.entries(sinks)) {
    if ('path' in sink) {
      const path = ['sinks', name, 'path'];
      const other = taken.get(resolve(sink.path));
      if (other !== undefined) problems.push({ path, text: `${path.join('.')} is the file of ${other}` });
      taken.set(resolve(sink.path), path.join('.'));
    }
    if ('tls' in sink && sink.tls !== undefined) {
      const path = ['sinks', name, 'tls'];
      if ('to' in sink && sink.to.kind !== 'tls') {
        problems.push({ path, text: `${path.join('.')} is for receivers such as tls:HOST:PORT` });
      }
      if ('nodes' in sink && !sink.nodes.every((node) => node.startsWith('https:'))) {
        problems.push({ path, text: `${path.join('.')} is for addresses that begin with https:` });
      }
      if ((sink.tls.certificate === undefined) !== (sink.tls.key === undefined)) {
        problems.push({ path, text: `${path.join('.')} wants certificate and key together` });
      }
    }
  }
  return problems;
}
