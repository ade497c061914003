import {
  ALGORITHMS,
  CERTIFICATE_TYPES,
  CLASSES,
  DSO_TYPES,
  EXTENDED_ERRORS,
  type NumberNames,
  OPCODES,
  OPTIONS,
  RCODES,
  SVC_PARAMS,
  TSIG_ERRORS,
  TYPES,
} from '../../wire/iana.ts';

/** Names of a field's values: any of them may be written in a filter, in any case; the first text is shown. */
export interface ValueNames {
  /** −1 when it is none. */
  number(text: string): number;
  /** Undefined without a name. */
  text(number: number): string | undefined;
  /** Both texts where there are two, for `contains` and `matches`. */
  texts(number: number): readonly string[];
  /** Numbers with the text shown, ascending. */
  readonly entries: readonly (readonly [number: number, text: string])[];
}

/** IANA's mnemonics and, before them, the texts Wireshark shows. */
function both(registry: NumberNames | undefined, shown: string): ValueNames {
  const texts = new Map<number, string>();
  const numbers = new Map<string, number>();
  for (const entry of shown.split(/\s*;\s*/)) {
    const match = /^\s*([0-9]+) (.+)$/s.exec(entry);
    if (match === null) continue;
    const text = match[2].replace(/\s+/g, ' ').trim();
    texts.set(Number(match[1]), text);
    numbers.set(text.toLowerCase(), Number(match[1]));
  }
  const registered = new Map(registry?.entries);
  const shownTexts = new Map([...registered, ...texts]);
  return {
    entries: [...shownTexts].sort((a, b) => a[0] - b[0]),
    number: (text) => numbers.get(text.toLowerCase()) ?? registry?.number(text) ?? -1,
    text: (number) => shownTexts.get(number),
    texts: (number) => [texts.get(number), registered.get(number)].filter((text): text is string => text !== undefined),
  };
}

const RCODE_TEXTS = `0 No error; 1 Format error; 2 Server failure; 3 No such name; 4 Not implemented; 5 Refused;
  6 Name exists; 7 RRset exists; 8 RRset does not exist; 9 Not authoritative; 10 Name out of zone;
  11 DSO-Type not implemented; 16 Bad OPT Version or TSIG Signature Failure; 17 Key not recognized;
  18 Signature out of time window; 19 Bad TKEY Mode; 20 Duplicate key name; 21 Algorithm not supported;
  22 Bad Truncation; 23 Bad/missing Server Cookie`;

export const TYPE_NAMES = both(TYPES, '');
export const CLASS_NAMES = both(CLASSES, '');
export const OPCODE_NAMES = both(
  OPCODES,
  `0 Standard query; 1 Inverse query; 2 Server status request; 4 Zone change notification; 5 Dynamic update;
  6 DNS Stateful operations (DSO)`,
);
export const RCODE_NAMES = both(RCODES, RCODE_TEXTS);
export const OPTION_NAMES = both(
  OPTIONS,
  `0 Reserved; 1 LLQ - Long-lived query; 2 UL - Update lease; 3 NSID - Name Server Identifier; 4 Owner (reserved);
  5 DAU - DNSSEC Algorithm Understood (RFC6975); 6 DHU - DS Hash Understood (RFC6975);
  7 N3U - NSEC3 Hash Understood (RFC6975); 8 CSUBNET - Client subnet; 9 EDNS EXPIRE (RFC7314); 10 COOKIE;
  11 EDNS TCP Keepalive; 12 PADDING; 13 CHAIN; 15 Extended DNS Error`,
);
export const EDE_NAMES = both(EXTENDED_ERRORS, '');
export const PARAM_NAMES = both(SVC_PARAMS, '');
export const TLV_NAMES = both(DSO_TYPES, '');
export const FAMILY_NAMES = both(undefined, '1 IPv4; 2 IPv6');
export const PROTOCOL_NUMBERS = both(undefined, '1 ICMP; 6 TCP; 17 UDP; 41 IPv6; 47 GRE; 50 ESP; 58 ICMPv6; 132 SCTP');
export const ETHERTYPES = both(
  undefined,
  '2048 IPv4; 2054 ARP; 33024 802.1Q Virtual LAN; 34525 IPv6; 34887 MPLS label switched packet; 34915 PPPoE Discovery; 34916 PPPoE Session; 34984 802.1ad Provider Bridge (Q-in-Q)',
);
export const PACKET_TYPES = both(
  undefined,
  '0 Unicast to us; 1 Broadcast; 2 Multicast; 3 Unicast to another host; 4 Sent by us',
);

const ALGORITHM_NAMES = both(
  ALGORITHMS,
  `1 RSA/MD5; 2 Diffie-Hellman; 3 DSA; 4 Elliptic curve crypto; 5 RSA/SHA1; 6 DSA + NSEC3/SHA1;
  7 RSA/SHA1 + NSEC3/SHA1; 8 RSA/SHA-256; 10 RSA/SHA-512; 12 GOST R 34.10-2001;
  13 ECDSA Curve P-256 with SHA-256; 14 ECDSA Curve P-386 with SHA-386; 15 Ed25519; 16 Ed448; 157 HMAC/MD5;
  252 Indirect key; 253 Private, domain name; 254 Private, OID`,
);
const OF_REGISTRY = new Map<NumberNames, ValueNames>([
  [TYPES, TYPE_NAMES],
  [ALGORITHMS, ALGORITHM_NAMES],
  [CERTIFICATE_TYPES, both(CERTIFICATE_TYPES, '')],
  [TSIG_ERRORS, both(TSIG_ERRORS, RCODE_TEXTS)],
]);

/** The names of a registry with Wireshark's texts. */
export function namesOf(registry: NumberNames | undefined): ValueNames | undefined {
  return registry === undefined ? undefined : (OF_REGISTRY.get(registry) ?? both(registry, ''));
}

/** Names of values that no registry in `wire/` holds, by field. */
export const RDATA_NAMES: Readonly<Record<string, ValueNames>> = {
  'dns.ds.digest_type': both(undefined, '0 Reserved digest; 1 SHA-1; 2 SHA-256; 3 GOST R 34.11-94; 4 SHA-384'),
  'dns.nsec3.algo': both(undefined, '0 Reserved; 1 SHA-1'),
  'dns.sshfp.algorithm': both(undefined, '0 Reserved; 1 RSA; 2 DSS; 3 ECDSA; 4 Ed25519; 6 Ed448'),
  'dns.sshfp.fingerprint.type': both(undefined, '0 Reserved; 1 SHA1; 2 SHA256'),
  'dns.tlsa.certificate_usage': both(
    undefined,
    `0 CA constraint (PKIX-TA); 1 Service certificate constraint (PKIX-EE); 2 Trust anchor assertion (DANE-TA);
    3 Domain-issued certificate (DANE-EE)`,
  ),
  'dns.tlsa.selector': both(undefined, '0 Full certificate (Cert); 1 SubjectPublicKeyInfo (SPKI)'),
  'dns.tlsa.matching_type': both(
    undefined,
    '0 No Hash Used (Full); 1 256 bit hash by SHA2 (SHA2-256); 2 512 bit hash by SHA2 (SHA2-512)',
  ),
  'dns.wks.protocol': PROTOCOL_NUMBERS,
  'dns.opt.client.family': FAMILY_NAMES,
  'dns.apl.address_family': FAMILY_NAMES,
};
