import type { PeerCertificate, TLSSocket } from 'node:tls';
import { plainText } from '../core/figures.ts';
import type { ProbeFacts, ProbeMetric } from '../core/probe.ts';

/** A chain that is longer than this is none. */
const MOST_CERTIFICATES = 10;
/** Of names in a certificate, which its owner chose, so much is kept. */
const MOST_NAME = 1000;
const MOST_NAMES = 4000;
/** What Go shows where no chain was verified: the year 1. */
const NO_CHAIN = -62_135_596_800;

/** What a handshake told of certificates. `isVerified`: that there is a chain to an authority was demanded, and is so. */
export function certificateFacts(socket: TLSSocket, isVerified: boolean): ProbeFacts {
  const version = (socket.getProtocol() ?? '').replace(/^TLSv(1(?:\.\d)?)$/, 'TLS $1').replace(/^TLS 1$/, 'TLS 1.0');
  const leaf = socket.getPeerCertificate(true);
  let expires = Number.POSITIVE_INFINITY;
  let certificate = leaf;
  // A chain ends in itself.
  for (let i = 0; i < MOST_CERTIFICATES && certificate?.valid_to !== undefined; i++) {
    expires = Math.min(expires, Date.parse(certificate.valid_to) / 1000);
    if (certificate.issuerCertificate === certificate || certificate.issuerCertificate === undefined) break;
    certificate = certificate.issuerCertificate;
  }
  if (!Number.isFinite(expires)) return { tls_version: version };
  return {
    tls_version: version,
    certificate_expires: expires,
    certificate_verified: isVerified,
    certificate_fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    certificate_subject: distinguishedName(leaf.subject),
    certificate_issuer: distinguishedName(leaf.issuer),
    certificate_names: alternativeNames(leaf.subjectaltname ?? ''),
  };
}

/** Attributes in the order in which Go writes them (RFC 2253: the last one of a name comes first). */
const ATTRIBUTES = [
  ['serialNumber', 'SERIALNUMBER'],
  ['CN', 'CN'],
  ['postalCode', 'POSTALCODE'],
  ['street', 'STREET'],
  ['ST', 'ST'],
  ['L', 'L'],
  ['OU', 'OU'],
  ['O', 'O'],
  ['C', 'C'],
] as const;

function distinguishedName(name: PeerCertificate['subject']): string {
  const values: Readonly<Record<string, string | string[] | undefined>> = { ...name };
  const parts = ATTRIBUTES.flatMap(([key, shown]) => {
    const value = values[key];
    if (value === undefined) return [];
    return [
      [value]
        .flat()
        .map((one) => `${shown}=${escaped(one)}`)
        .join('+'),
    ];
  });
  return plainText(parts.join(',')).slice(0, MOST_NAME);
}

function escaped(value: string): string {
  return value.replace(/[,+"\\<>;]|^[ #]| $/g, (character) => `\\${character}`);
}

/** `DNS:a.example, DNS:b.example, IP Address:…` as the names alone. */
function alternativeNames(text: string): string {
  const names = text.split(', ').flatMap((one) => (one.startsWith('DNS:') ? [one.slice(4)] : []));
  return plainText(names.join(',')).slice(0, MOST_NAMES);
}

/** Those of TLS. */
export function certificateMetrics(facts: ProbeFacts): ProbeMetric[] {
  const { certificate_expires, certificate_verified, tls_version } = facts;
  const list: ProbeMetric[] = [];
  if (typeof certificate_expires === 'number') {
    const text = (fact: ProbeFacts[string]) => (typeof fact === 'string' ? fact : '');
    list.push(
      {
        name: 'probe_ssl_earliest_cert_expiry',
        help: 'Returns last SSL chain expiry in unixtime',
        value: certificate_expires,
      },
      {
        name: 'probe_ssl_last_chain_expiry_timestamp_seconds',
        help: 'Returns last SSL chain expiry in timestamp',
        value: certificate_verified === true ? certificate_expires : NO_CHAIN,
      },
      {
        name: 'probe_ssl_last_chain_info',
        help: 'Contains SSL leaf certificate information',
        labels: {
          fingerprint_sha256: text(facts.certificate_fingerprint),
          issuer: text(facts.certificate_issuer),
          subject: text(facts.certificate_subject),
          subjectalternative: text(facts.certificate_names),
        },
        value: 1,
      },
    );
  }
  if (typeof tls_version === 'string' && tls_version !== '') {
    list.push({
      name: 'probe_tls_version_info',
      help: 'Returns the TLS version used or NaN when unknown',
      labels: { version: tls_version },
      value: 1,
    });
  }
  return list;
}
