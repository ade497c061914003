import type { RecordData } from '../../rr/value.ts';
import type { Security } from '../dnssec/validator.ts';
import type { Outcome } from '../outcome.ts';
import type { TransportName } from '../server.ts';

/** What a server's answer means for who looks for a name. */
export type StepKind =
  | 'referral'
  | 'answer'
  | 'alias'
  | 'nodata'
  | 'nxdomain'
  /** It does not serve the zone it is listed for: refuses, refers up, or answers without authority. */
  | 'lame'
  /** No answer, or one that says that it failed. */
  | 'failed';

/** A name server of a zone. */
export interface ServerName {
  /** Absent for a root given by address. */
  name?: string;
  addresses: string[];
  /** Where its addresses are from: the parent's answer, an own look-up, or nowhere yet. */
  from: 'glue' | 'lookup' | 'given' | 'none';
}

/** One question to one server on the way. */
export interface TraceStep {
  /** How deep in look-ups for others: 0 is the name asked for. */
  depth: number;
  /** Why it was asked. */
  purpose: 'name' | 'address' | 'keys' | 'signer' | 'check';
  /** The zone whose server was asked. */
  zone: string;
  question: { name: string; type: string };
  server: { name?: string; address: string; port: number };
  transport: TransportName;
  kind: StepKind;
  outcome: Outcome;
  /** Null without an answer. */
  rcode: string | null;
  flags: string[];
  ms: number;
  /** Both times of an answer cut over UDP. */
  udp_ms?: number;
  tcp_ms?: number;
  referral?: { zone: string; ttl: number; servers: ServerName[]; signed: boolean };
  answers: RecordData[];
  /** What is odd about it. */
  remarks: string[];
}

/** A zone on the way and whether what it says can be trusted (RFC 4035 §4.3). */
export interface ChainLink {
  zone: string;
  state: Security;
  reason: string;
}

/** How the look-up ended. */
export type TraceEnd = 'answer' | 'nodata' | 'nxdomain' | 'failed' | 'alias_loop' | 'limit' | 'aborted';

export interface Trace {
  question: { name: string; type: string };
  end: TraceEnd;
  /** One or two plain sentences. */
  sentence: string;
  steps: TraceStep[];
  /** The aliases and the records at their end. */
  answers: RecordData[];
  rcode: string | null;
  /** Null when signatures were not looked at. */
  security: { state: Security; reason: string; chain: ChainLink[] } | null;
  /** Of the zone's servers, with `all`. */
  check: ZoneCheck | null;
  queries: number;
  ms: number;
}

/** What one server of a zone says. */
export interface ServerCheck {
  name?: string;
  address: string;
  ms: number | null;
  outcome: Outcome;
  authoritative: boolean;
  /** SOA serial. */
  serial: number | null;
  servers: string[];
  rcode: string | null;
  answers: string[];
  /** What a name that nobody can have registered gave: NXDOMAIN where all is well. */
  random: string | null;
}

/** All servers of a zone side by side. */
export interface ZoneCheck {
  zone: string;
  servers: ServerCheck[];
  parent: string[];
  remarks: string[];
}

/** How to trace. What is left out is usual: from the root hints, port 53, QNAME minimisation and DNSSEC on. */
export interface TraceOptions {
  /** Addresses of root servers. */
  root?: readonly string[];
  /** Port of all servers. */
  port?: number;
  family?: 4 | 6;
  /** Of each try. */
  timeoutMs?: number;
  tries?: number;
  /** RFC 9156. */
  minimise?: boolean;
  dnssec?: boolean;
  /** Trust anchors of the root, as DS data. */
  anchors?: readonly string[];
  /** Ask all servers of the zone that answers. */
  all?: boolean;
  /** Most queries of one trace (default 400). */
  mostQueries?: number;
  /** Whether a server may be asked: for who traces for others. */
  allows?(address: string): boolean;
  /** Each step as it is made. */
  onStep?(step: TraceStep): void;
  signal?: AbortSignal;
  /** Seconds since 1970: the time signatures have to hold at. */
  now?: number;
}
