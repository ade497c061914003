import { plainText } from '../core/figures.ts';
import type { Server, TransportName } from './server.ts';

/** What became of one attempt to ask, or of all of them. */
export type Outcome =
  | 'answered'
  /** Nothing came in time. */
  | 'timeout'
  /** Over TCP a message began and was not complete in time. */
  | 'slow'
  /** Nobody listens there: ICMP port unreachable, or a reset while connecting. */
  | 'refused'
  /** No way there: no route, host or network unreachable, administratively prohibited. */
  | 'unreachable'
  /** Only answers with another id came. */
  | 'wrong_id'
  /** Only answers to another question came (0x20: of other letter cases, too). */
  | 'wrong_question'
  /** What came is no DNS message. */
  | 'garbage'
  /** The connection ended before the answer was complete. */
  | 'closed'
  /** The certificate is expired, for another name, or of an unknown authority. */
  | 'certificate'
  | 'tls_failed'
  /** HTTP answered, with something that is no DNS answer. */
  | 'http_failed'
  /** The answer was cut, and TCP was not asked or not to be had. */
  | 'truncated'
  /** The server did not understand EDNS; asked again without (RFC 6891 §7). */
  | 'formerr_fallback'
  /** The server wants an older EDNS; asked again with its version (RFC 6891 §6.1.3). */
  | 'badvers_fallback'
  /** The server wants its own cookie back; asked again with it (RFC 7873 §5.3). */
  | 'badcookie_retry'
  /** The signature of the answer is wrong (RFC 8945). */
  | 'bad_signature'
  /** This machine could not send it. */
  | 'not_sent'
  | 'aborted';

/** Messages that came and did not fit; who sends them may be forging. */
export interface Discarded {
  wrongId: number;
  wrongQuestion: number;
  wrongSource: number;
  garbage: number;
}

/** One query to one server over one transport. */
export interface Attempt {
  transport: TransportName;
  server: Server;
  /** Milliseconds since 1970. */
  sentAt: number;
  /** Milliseconds from sending (with TCP: from connecting) to the answer, or to giving up. */
  ms: number;
  /** Of DNS messages. */
  bytesOut: number;
  bytesIn: number;
  outcome: Outcome;
  /** What the system or the library said, where something failed. */
  reason?: string;
  /** Parts of `ms`: until TCP stood, and for TLS after that. Absent on a connection that was open already. */
  connectMs?: number;
  tlsMs?: number;
  /** This machine's end. */
  local?: { address: string; port: number };
}

/** An attempt that begins now; until something else is known it ends by silence. */
export const newAttempt = (transport: TransportName, server: Server, { length }: Uint8Array): Attempt => ({
  transport,
  server,
  sentAt: Date.now(),
  ms: 0,
  bytesOut: length,
  bytesIn: 0,
  outcome: 'timeout',
});

export const nothingDiscarded = (): Discarded => ({ wrongId: 0, wrongQuestion: 0, wrongSource: 0, garbage: 0 });

const OVER: Readonly<Record<TransportName, string>> = { udp: 'UDP', tcp: 'TCP', tls: 'TLS', https: 'HTTPS' };

/** Plain words for what happened: one or two sentences. `attempts` of one exchange, at least one. */
export function sentenceOf(attempts: readonly Attempt[], outcome: Outcome, discarded: Discarded): string {
  const last = attempts[attempts.length - 1];
  const where = `${last.server.address}#${last.server.port} over ${OVER[last.transport]}`;
  const tries = attempts.filter((attempt) => attempt.outcome === outcome).length;
  const times = tries > 1 ? ` (${tries} tries)` : '';
  const why = last.reason === undefined ? '' : `: ${last.reason}`;
  const facts = { where, ms: msText(last.ms), bytesIn: last.bytesIn, times, why };
  // Certificates and HTTP headers are quoted in it.
  return plainText(`${SENTENCES[outcome](facts)}${remarks(outcome, discarded)}`);
}

/** What sentences are made of. `times` and `why` are empty, or stand behind a word. */
interface Facts {
  where: string;
  ms: string;
  bytesIn: number;
  times: string;
  why: string;
}

const GUESSING = 'a broken server, or somebody is guessing.';

const SENTENCES: Readonly<Record<Outcome, (facts: Facts) => string>> = {
  answered: ({ where, ms }) => `${where} answered in ${ms}.`,
  timeout: ({ where, ms, times }) =>
    `${where} did not answer within ${ms}${times}. It is down, filtered, or does not want to talk to us.`,
  slow: ({ where, ms, bytesIn }) =>
    `${where} began to answer and had sent ${bytesIn} bytes after ${ms}: too slow to wait for.`,
  refused: ({ where }) => `${where} refused: nothing listens on that port.`,
  unreachable: ({ where, why }) => `${where} cannot be reached${why}.`,
  wrong_id: ({ where, ms }) => `${where} sent only answers with another id within ${ms}: ${GUESSING}`,
  wrong_question: ({ where, ms }) => `${where} sent only answers to another question within ${ms}: ${GUESSING}`,
  garbage: ({ where, why }) => `${where} sent something that is no DNS message${why}.`,
  closed: ({ where, why }) => `${where} closed the connection before its answer was complete${why}.`,
  certificate: ({ where, why }) => `${where} showed a certificate that cannot be trusted${why}.`,
  tls_failed: ({ where, why }) => `${where} and we found no TLS to speak${why}.`,
  http_failed: ({ where, why }) => `${where} speaks HTTP but gave no DNS answer${why}.`,
  truncated: ({ where, bytesIn, why }) =>
    `${where} cut its answer to ${bytesIn} bytes (TC)${why}. Ask over TCP for all of it.`,
  formerr_fallback: ({ where }) => `${where} did not understand EDNS.`,
  badvers_fallback: ({ where }) => `${where} speaks another version of EDNS only.`,
  badcookie_retry: ({ where }) => `${where} keeps refusing our cookie.`,
  bad_signature: ({ where, why }) => `${where} answered with a signature that does not hold${why}.`,
  not_sent: ({ where, why }) => `The query to ${where} could not be sent${why}.`,
  aborted: ({ where }) => `The query to ${where} was given up.`,
};

function remarks(outcome: Outcome, { wrongId, wrongQuestion, wrongSource, garbage }: Discarded): string {
  const parts: string[] = [];
  if (wrongId > 0 && outcome !== 'wrong_id') parts.push(`${wrongId} with another id`);
  if (wrongQuestion > 0 && outcome !== 'wrong_question') parts.push(`${wrongQuestion} to another question`);
  if (wrongSource > 0) parts.push(`${wrongSource} from another address`);
  if (garbage > 0 && outcome !== 'garbage') parts.push(`${garbage} that were no DNS messages`);
  return parts.length === 0 ? '' : ` Passed over: ${parts.join(', ')}.`;
}

/** Milliseconds as people read them: `0.42 ms`, `12.3 ms`, `5 s`. */
export function msText(ms: number): string {
  if (ms >= 1000) return `${Number((ms / 1000).toFixed(2))} s`;
  return `${Number(ms.toFixed(ms < 10 ? 2 : 1))} ms`;
}
