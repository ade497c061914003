import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { Source } from '../core/frames.ts';
import type { DnstapInput } from '../sources/dnstap.ts';
import { openFiles } from '../sources/files.ts';
import { openFolder } from '../sources/folder.ts';
import type { EncryptedPorts } from '../sources/live/bpf/dns.ts';
import type { PowerDnsInput } from '../sources/powerdns.ts';
import type { TlsFiles } from '../sources/listener.ts';
import type { Fanout } from '../sources/live/options.ts';
import { openIdle } from '../sources/idle.ts';
import { openReplay } from '../sources/replay.ts';
import { openLive } from '../sources/live/source.ts';

/** Where a run takes its frames from, as plain data: a worker can open it too. */
export type FrameInput =
  | { kind: 'files'; paths: string[] }
  /** A folder watched for new capture files. */
  | { kind: 'folder'; path: string }
  /** Nothing: what others captured is shown. */
  | { kind: 'none' }
  /** Capture files played over and over as if captured now (ReplayOptions). */
  | { kind: 'replay'; paths: string[]; backSeconds: number; roundSeconds: number }
  | {
      kind: 'live';
      interfaces: string[];
      snaplen?: number;
      promiscuous?: boolean;
      ringBytes?: number;
      blockTimeoutMs?: number;
      captureFilter?: string;
      family?: 4 | 6;
      udpPorts?: number[];
      tcpPorts?: number[];
      /** Encrypted DNS that the built-in capture filter lets through. */
      encrypted?: EncryptedPorts;
      /** Every IP packet, not only what may be DNS. */
      everything?: boolean;
    };

/** Frames, or the messages of dnstap and PowerDNS senders, and of dnstap files (one after the other). */
export type Input = FrameInput | { kind: 'dnstap'; from: (DnstapInput | PowerDnsInput)[] };

/** Opens an input; `fanout` shares a live interface between workers. */
export async function openInput(input: FrameInput, fanout?: Fanout, blocking = false): Promise<Source> {
  if (input.kind === 'files') return openFiles(input.paths);
  if (input.kind === 'folder') return openFolder(input.path);
  if (input.kind === 'none') return openIdle();
  if (input.kind === 'replay') return openReplay(input.paths, input);
  return openLive({
    interfaces: input.interfaces,
    snaplen: input.snaplen,
    promiscuous: input.promiscuous,
    ringBytes: input.ringBytes,
    blockTimeoutMs: input.blockTimeoutMs,
    filter: input.captureFilter,
    defaultFilter: input.everything ? 'none' : 'dns',
    extraUdpPorts: input.udpPorts,
    extraTcpPorts: input.tcpPorts,
    encrypted: input.encrypted,
    family: input.family,
    fanout,
    blocking,
  });
}

const DNSTAP_NAME = /\.(fstrm|dnstap|tap)(\.(gz|zst|lz4|xz))?$/i;

/**
 * The input that paths name: capture files, a folder, or dnstap files, told apart by their first bytes.
 * `-` is standard input, read as a capture. Throws UserError when they do not go together.
 */
export function inputOf(paths: readonly string[]): Input {
  const folder = paths.find((path) => path !== '-' && statSync(path, { throwIfNoEntry: false })?.isDirectory());
  if (folder !== undefined) {
    if (paths.length === 1) return { kind: 'folder', path: folder };
    throw new UserError(`${folder} is a folder: it is watched for new files, and read alone.`);
  }
  if (new Set(paths).size < paths.length && paths.filter((path) => path === '-').length > 1) {
    throw new UserError('Standard input can be read only once. Give one - only.');
  }
  const isTap = paths.map(looksLikeDnstap);
  if (!isTap.includes(true)) return { kind: 'files', paths: [...paths] };
  if (isTap.includes(false)) {
    throw new UserError('dnstap files and capture files cannot be read in one run. Read them one after the other.');
  }
  return { kind: 'dnstap', from: paths.map((path) => ({ kind: 'file', path })) };
}

/** A Frame Streams file begins with an escape: four octets of zero. A compressed one is known by its name. */
function looksLikeDnstap(path: string): boolean {
  if (path === '-' || !statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  if (DNSTAP_NAME.test(path)) return true;
  const head = new Uint8Array(4);
  try {
    const fd = openSync(path, 'r');
    const count = readSync(fd, head, 0, 4, 0);
    closeSync(fd);
    return count === 4 && head.every((octet) => octet === 0);
  } catch (error) {
    throw new UserError(`Cannot open ${path}: ${reasonOf(error)}.`, EXIT.file, { cause: error });
  }
}

/**
 * Reads the value of `--dnstap`: `unix:/path`, `tcp:host:port`, `tcp:port`, `powerdns:port`, `-` or a file. Throws
 * UserError.
 */
export function parseDnstap(text: string, tls?: TlsFiles): DnstapInput | PowerDnsInput {
  const unix = /^unix:(.+)$/.exec(text);
  if (unix !== null) return { kind: 'unix', path: unix[1] };
  const tcp = /^(tcp|tls|powerdns):(?:(.*):)?(\d{1,5})$/.exec(text);
  if (tcp !== null && Number(tcp[3]) < 65536) {
    const host = tcp[2]?.replace(/^\[(.*)\]$/, '$1');
    const kind = tcp[1] === 'powerdns' ? 'powerdns' : 'tcp';
    return { kind, host: host === '' || host === '*' ? undefined : host, port: Number(tcp[3]), tls };
  }
  if (/^(?:tcp|tls|unix|powerdns):/.test(text)) {
    throw new UserError(
      `"${text}" is no place to listen on. Give unix:/path, tcp:HOST:PORT, tcp:PORT or powerdns:PORT.`,
    );
  }
  return { kind: 'file', path: text };
}

/** True where bytes come when somebody else sends them: what is known is shown at once then. */
export function isSlow(input: Input): boolean {
  if (input.kind === 'files') {
    return input.paths.some((path) => path === '-' || !statSync(path, { throwIfNoEntry: false })?.isFile());
  }
  return input.kind !== 'dnstap' || input.from.some((one) => one.kind !== 'file' || one.path === '-');
}

/** True where packets are stamped as they come: the clock says that no earlier one will follow. */
export function isCurrent(input: Input): boolean {
  if (input.kind === 'dnstap') return input.from.some(({ kind }) => kind !== 'file');
  return input.kind === 'live' || input.kind === 'replay' || input.kind === 'none';
}

/** Below so many bytes of files, threads cost more than they save. */
const WORTH_THREADS_BYTES = 40 << 20;

/** Worker threads that pay for an input, at most `cores`: none for what cannot be read twice. */
export function usefulThreads(input: Input, cores: number): number {
  if (input.kind !== 'files' || isSlow(input) || cores < 2) return 0;
  let bytes = 0;
  for (const path of input.paths) bytes += statSync(path).size;
  return bytes < WORTH_THREADS_BYTES ? 0 : cores;
}

export {
  type Account,
  accountToBecome,
  dropRights,
  NoRightError,
  rightsCommand,
  startedBy,
} from '../sources/live/rights.ts';
