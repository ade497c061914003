/**
 * `nametap`: transactions of capture files and live interfaces, and what they add up to.
 *
 * The neighbours: `nametap/pcap` (frames and their layers), `nametap/wire` (messages to values and back), `nametap/filter`
 * (display filters), `nametap/client` (asking servers).
 */
import { registrable } from '../enrich/public-suffix.ts';
import { inputOf } from '../app/input.ts';
import { runReport } from '../app/run.ts';
import { reportValue, type ReportValue } from '../report/value.ts';
import { type MatchTimes, matchOptions, Transactions } from './transactions.ts';

export { EXIT, type ExitCode, UserError } from '../core/errors.ts';
export type { CapturedInterface, Damage } from '../core/frames.ts';
export type { FrameFate, LedgerValue, MessageOutcome } from '../core/ledger.ts';
export type { ReportValue } from '../report/value.ts';
export type { Transaction } from '../rr/transaction.ts';
export type { EcsData, EdeData, EdnsData, FaultData, RecordData } from '../rr/value.ts';
export { summarize, type Summary } from '../sketch/summary.ts';
export type { MatchTimes, Transactions } from './transactions.ts';
export { registrable };

/** What `readCapture` reads, and when it stops. */
export interface CaptureOptions extends MatchTimes {
  /** Display filter (Wireshark's language; names fold case): only what passes becomes a transaction. */
  filter?: string;
  /** `wireshark`: names are compared exactly. */
  compat?: 'nametap' | 'wireshark';
  /** Ports to take for DNS besides 53, 5353, 5355 and 137. */
  udpPorts?: readonly number[];
  tcpPorts?: readonly number[];
  /** Find DNS on other UDP ports too, by a strict look at the message; on for files, off live. */
  heuristic?: boolean;
  /** Ends the reading: open transactions are still handed out, with outcome `capture_ended`. */
  signal?: AbortSignal;
}

/** What `readCapture` takes besides. */
export interface ReadCaptureOptions extends CaptureOptions {
  /** Told of each file that is cut or corrupt, with the byte offset; everything before the damage is delivered. */
  onDamage?: (damage: { file: string; offset: number; reason: string }) => void;
}

/**
 * The transactions of capture files: a query joined with its response, its copies and its time-out. Rows come in order of
 * the packet that closed them. Files: pcap or pcapng, plain or compressed (gzip, zstd, lz4, xz), `-` is standard input;
 * several are read as one, in time order. A folder is watched for new files until `signal` aborts.
 *
 * Read it once, with `for await`; afterwards `.ledger` says what became of every frame. A wrong filter throws `UserError`
 * (exit 4) at once; a file that cannot be opened throws it (exit 3) when reading begins.
 *
 * @example
 * import { readCapture } from 'nametap';
 *
 * const capture = readCapture('lookups.pcapng', { filter: 'dns.qry.type == AAAA' });
 * for await (const { name, latency_ms, addresses } of capture) console.log(name, latency_ms, addresses);
 * console.log(capture.ledger.received, 'frames, of which', capture.ledger.frames.carried, 'carried DNS');
 */
export function readCapture(path: string | readonly string[], options: ReadCaptureOptions = {}): Transactions {
  return new Transactions(typeof path === 'string' ? [path] : path, options);
}

/** What `watchInterface` captures. */
export interface WatchOptions extends CaptureOptions {
  /** Capture filter in tcpdump's language; the kernel leaves out what does not pass. Absent: what may be DNS. */
  captureFilter?: string;
  /** Most bytes kept of a frame; 262,144 unless told. */
  snaplen?: number;
  /** Also frames for other stations; true unless told. */
  promiscuous?: boolean;
  /** Memory of the kernel's ring, bytes. */
  ringBytes?: number;
}

/**
 * The transactions on live interfaces, as they close, until `signal` aborts. Needs the right to capture (`nametap doctor`
 * says how); throws `UserError` (exit 2) without it.
 *
 * @example
 * import { watchInterface } from 'nametap';
 *
 * const watched = watchInterface('lo', { filter: 'dns.flags.rcode != 0', signal: AbortSignal.timeout(300) });
 * for await (const { time, client, name, rcode } of watched) console.log(time, client, name, rcode);
 */
export function watchInterface(name: string | readonly string[], options: WatchOptions = {}): Transactions {
  const interfaces = typeof name === 'string' ? [name] : [...name];
  const { captureFilter, snaplen, promiscuous, ringBytes } = options;
  return new Transactions({ kind: 'live', interfaces, captureFilter, snaplen, promiscuous, ringBytes }, options);
}

/** What `reportCapture` counts. */
export interface ReportCaptureOptions extends CaptureOptions {
  /** Rows of each top list; 10 unless told. */
  top?: number;
  /** Worker threads; 0 (all in this thread) unless told. */
  threads?: number;
}

/**
 * The whole report on capture files or dnstap files, as `nametap report -T json` prints it: latency, sizes, TTLs, types, response codes,
 * top names, domains, servers and clients, and the ledger. Memory does not grow with the number of packets.
 *
 * @example
 * import { reportCapture } from 'nametap';
 *
 * const { latency, ledger } = await reportCapture('lookups.pcapng');
 * console.log(latency.p95, latency.unit, 'or less for 95 % of', latency.n, 'answers');
 * console.log(ledger.received, 'frames received');
 */
export async function reportCapture(
  path: string | readonly string[],
  options: ReportCaptureOptions = {},
): Promise<ReportValue> {
  const files = typeof path === 'string' ? [path] : [...path];
  const { filter, compat, udpPorts, tcpPorts, heuristic = true, threads = 0 } = options;
  const { report } = await runReport(
    {
      input: inputOf(files),
      filter,
      compat,
      dissect: { udpPorts, tcpPorts, heuristic },
      match: matchOptions(options),
      threads,
    },
    {},
    { signal: options.signal ?? new AbortController().signal },
  );
  return reportValue(report, { files, ...(filter !== undefined && { filter }) }, options.top ?? 10);
}
