import { AlertBook } from '../alerts/book.ts';
import type { Incident } from '../alerts/incident.ts';
import type { Baseline } from '../baseline/baseline.ts';
import { UserError } from '../core/errors.ts';
import type { EncryptedFlow } from '../core/encrypted-flow.ts';
import type { Damage } from '../core/frames.ts';
import { Ledger } from '../core/ledger.ts';
import type { TransactionBatch } from '../core/transactions.ts';
import { DETECTORS } from '../detect/index.ts';
import type { DetectorState } from '../detect/judge.ts';
import { type LogCounts, type OpenLog, openLogFile, readLogs } from '../sources/logs/read.ts';
import type { Config } from './config.ts';
import { inputOf, usefulThreads } from './input.ts';
import { judgeOf } from './judging.ts';
import { RowMarks } from './row-marks.ts';
import { detectorsOf } from './rules.ts';
import { type RowsListener, runRows } from './run.ts';

export type { LogCounts };

/** Ids of all detectors. */
export function detectorIds(): string[] {
  return DETECTORS.map(({ id }) => id);
}

export interface DetectPlan {
  /** Capture files (or a dnstap file), or logs. */
  paths: readonly string[];
  /** `capture`, or the name of a kind of log; absent: each file is looked at. */
  format?: string | undefined;
  config: Config;
  vantage?: Config['vantage'];
  /** Ids of the detectors that run; absent: all that the configuration wants. */
  only?: readonly string[] | undefined;
  /** Files of rules besides those of the configuration. */
  rules: readonly string[];
  cores: number;
  /** Ports that are taken for DNS besides those of the configuration (captures). */
  ports?: { udpPorts: readonly number[]; tcpPorts: readonly number[] };
  /** What is usual, for who wants to know afterwards. */
  baseline?: Baseline;
}

export interface DetectHooks {
  signal: AbortSignal;
  counting?(counts: () => Ledger): void;
  /** Whoever else reads the transactions. */
  rows?: RowsListener;
  /** Whoever takes clients that speak encrypted DNS; captures only. */
  encrypted?(flow: EncryptedFlow): void;
  progress?(readBytes: number, totalBytes: number, frames: number): void;
}

/** What was read of the files, whatever they were. */
export interface ReadResult {
  ledger: Ledger;
  damage: Damage[];
  /** dnstap: payloads that held no readable message. */
  unreadable: number;
  logs: LogCounts[];
}

export interface DetectResult extends ReadResult {
  /** In the order in which they were raised. */
  incidents: Readonly<Incident>[];
  /** Which transactions belong to one, or were marked by a rule. */
  marks: RowMarks;
  transactions: number;
  clients: number;
  /** Of the first and the last transaction, seconds since 1970; NaN without any. */
  from: number;
  to: number;
  detectors: readonly DetectorState[];
  /** Findings that only a summary stands for. */
  suppressed: number;
}

/** Runs the detectors over files. Throws UserError. */
export async function detectFiles(plan: DetectPlan, hooks: DetectHooks): Promise<DetectResult> {
  const { config } = plan;
  const book = new AlertBook({ rules: { perDetector: MOST_AN_HOUR, most: MOST_ALERTS } });
  const incidents: Readonly<Incident>[] = [];
  book.subscribe(({ cause, incident }) => {
    // The book goes on with the object that it gives.
    if (cause === 'raised') incidents.push(incident);
  });
  const marks = new RowMarks();
  const rules = detectorsOf([...config.detect.rules, ...plan.rules], (seen, names) => marks.markSeen(seen, names));
  const judge = judgeOf(config.detect, {
    vantage: plan.vantage ?? config.vantage,
    networks: config.networks,
    resolvers: config.resolvers,
    raise: book.raise,
    ...(plan.baseline !== undefined && { baseline: plan.baseline }),
    more: rules,
    only: plan.only === undefined ? undefined : [...plan.only, ...rules.map(({ id }) => id)],
  });
  const clients = new Set<number | string>();
  let from = Number.NaN;
  let to = Number.NaN;
  const watching = { ...hooks, encrypted: (flow: EncryptedFlow) => judge.encrypted(flow) };
  const read = await readRows(plan, watching, (batch, first, end) => {
    const { openSeconds, openNanos, family, client0, client1, client2, client3 } = batch.col;
    hooks.rows?.(batch, first, end);
    judge.rows(batch, first, end);
    for (let i = first; i < end; i++) {
      const time = openSeconds[i] + openNanos[i] / 1e9;
      if (!(time >= from)) from = time;
      if (!(time <= to)) to = time;
      if (clients.size >= MOST_CLIENTS) continue;
      clients.add(family[i] === 4 ? client3[i] : `${client0[i]} ${client1[i]} ${client2[i]} ${client3[i]}`);
    }
  });
  book.end();
  marks.markIncidents(incidents);
  return {
    ...read,
    incidents: incidents.toSorted((a, b) => a.raised - b.raised),
    marks,
    transactions: judge.judged,
    clients: clients.size,
    from,
    to,
    detectors: judge.states,
    suppressed: book.counts.suppressed,
  };
}

/** Who reads a file wants all of it: only what nobody could read is summed up. */
const MOST_AN_HOUR = 10_000;
const MOST_ALERTS = 50_000;
/** Clients are counted up to here. */
const MOST_CLIENTS = 1_000_000;

/** Reads captures or logs, and hands over their transactions in order. Throws UserError. */
export async function readRows(plan: DetectPlan, hooks: DetectHooks, rows: RowsListener): Promise<ReadResult> {
  const logs = await openLogs(plan);
  if (logs.length > 0) {
    const counts = await readLogs(logs, hooks.signal, (batch: TransactionBatch) => {
      rows(batch, 0, batch.count);
      return true;
    });
    const damage = counts.flatMap((one) => (one.damage === undefined ? [] : [one.damage]));
    return { ledger: new Ledger(), damage, unreadable: 0, logs: counts };
  }
  const input = inputOf(plan.paths);
  if (input.kind === 'folder') throw new UserError(`${input.path} is a folder. Name the files in it.`);
  const { capture } = plan.config;
  const { udpPorts = [], tcpPorts = [] } = plan.ports ?? {};
  const run = {
    input,
    dissect: {
      heuristic: true,
      udpPorts: [...capture.udp_ports, ...udpPorts],
      tcpPorts: [...capture.tcp_ports, ...tcpPorts],
    },
    match: { vantage: plan.vantage ?? plan.config.vantage, resolvers: plan.config.resolvers },
    threads: usefulThreads(input, plan.cores),
    encrypted: hooks.encrypted !== undefined,
  };
  const { ledger, damage, unreadable } = await runRows(run, hooks, rows);
  return { ledger, damage, unreadable, logs: [] };
}

/** The files as logs; none of them when they are captures. Standard input is a capture unless a format is named. */
async function openLogs({ paths, format }: DetectPlan): Promise<OpenLog[]> {
  if (format === 'capture') return [];
  const logs: OpenLog[] = [];
  for (const path of paths) {
    const log = path === '-' && format === undefined ? undefined : await openLogFile(path, format);
    if (log !== undefined) logs.push(log);
  }
  if (logs.length === 0 || logs.length === paths.length) return logs;
  for (const { input } of logs) input.close();
  const other = paths.find((path) => !logs.some((log) => log.path === path)) ?? '-';
  throw new UserError(`${logs[0].path} is a log and ${other} is none. Read captures and logs one after the other.`);
}
