import type { Outcome } from './outcome.ts';

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  ENONET: 'unreachable',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
  ETIMEDOUT: 'timeout',
};

const WORDS: Readonly<Record<string, string>> = {
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'the network is unreachable',
  EHOSTDOWN: 'the host is down',
  ENETDOWN: 'the network is down',
  EACCES: 'a firewall or the system does not allow it',
  EPERM: 'a firewall or the system does not allow it',
  EADDRNOTAVAIL: 'this machine has no such source address',
  EADDRINUSE: 'the source port is in use',
  EMSGSIZE: 'the query is too long for a datagram',
  EMFILE: 'too many files and sockets are open',
  EINVAL: 'the address cannot be used',
  EAFNOSUPPORT: 'this machine does not speak that address family',
  ECONNRESET: 'it reset the connection',
  EPIPE: 'it reset the connection',
};

/** The outcome of an attempt that ended with an error of the system, and its words. */
export function networkOutcome(error: unknown): { outcome: Outcome; reason: string } {
  const { code = '', message } = error as NodeJS.ErrnoException;
  // What came is not HTTP, or no sound one (Node's parser).
  if (code.startsWith('HPE_')) return { outcome: 'garbage', reason: message.replace(/^Parse Error: /, 'no HTTP: ') };
  return { outcome: OUTCOMES[code] ?? 'not_sent', reason: WORDS[code] ?? message };
}

const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'its chain ends in an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'no known authority signed it',
  UNABLE_TO_GET_ISSUER_CERT: 'no known authority signed it',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'no known authority signed it',
  CERT_REVOKED: 'it was revoked',
  INVALID_PURPOSE: 'it is not for servers',
};

/** The same of what TLS reports: a certificate, the handshake, or the network below. */
export function tlsOutcome(error: unknown): { outcome: Outcome; reason: string } {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const words = CERTIFICATE[code];
  if (words !== undefined) {
    return {
      outcome: 'certificate',
      reason: code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? `${words} (${altNames(message)})` : words,
    };
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) return { outcome: 'tls_failed', reason: message };
  if (code === 'ECONNRESET' || code === 'EPROTO') return { outcome: 'tls_failed', reason: 'it ended the handshake' };
  return networkOutcome(error);
}

function altNames(message: string): string {
  return /altnames: (.*)$/s.exec(message)?.[1].slice(0, 200) ?? message.slice(0, 200);
}
