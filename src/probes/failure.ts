import { networkOutcome, tlsOutcome } from '../client/network-error.ts';
import type { Outcome } from '../client/outcome.ts';
import type { Failure } from './probe.ts';

/** What outcomes of the client are for a check. */
const OUTCOMES: Readonly<Partial<Record<Outcome, Failure['outcome']>>> = {
  timeout: 'timeout',
  slow: 'slow',
  refused: 'refused',
  unreachable: 'unreachable',
  wrong_id: 'garbage',
  wrong_question: 'garbage',
  garbage: 'garbage',
  closed: 'closed',
  certificate: 'certificate',
  tls_failed: 'tls_failed',
  http_failed: 'garbage',
  truncated: 'unexpected',
  bad_signature: 'unexpected',
};

const WORDS: Readonly<Partial<Record<Outcome, string>>> = {
  timeout: 'no answer',
  refused: 'connection refused',
};

/** A failure of the client, as a check tells it. */
export function failureOf(outcome: Outcome, reason: string | undefined): Failure {
  const words = WORDS[outcome] ?? reason ?? outcome.replaceAll('_', ' ');
  const text = outcome === 'certificate' ? `the certificate: ${words}` : words;
  return { outcome: OUTCOMES[outcome] ?? 'not_sent', text };
}

/** An error of a socket; `isTls` once the handshake has begun. */
export function socketFailure(error: unknown, isTls: boolean): Failure {
  const { outcome, reason } = isTls ? tlsOutcome(error) : networkOutcome(error);
  return failureOf(outcome, reason);
}
