/**
 * Names of DNS numbers: IANA's registries as of 2026-11-01, plus what is seen in the wild (65281 WINS, 65282 WINS-R).
 * Every table answers both ways; text is matched in any case.
 */
export interface NumberNames {
  /** Mnemonic, or the generic form (`TYPE65280`, `CLASS32`, `RCODE12` …) of a number without one. */
  name(number: number): string;
  /** Number of a mnemonic (any case), of the generic form or of plain digits; −1 when it is none. */
  number(text: string): number;
  /** Known pairs in ascending order. */
  readonly entries: readonly (readonly [number: number, name: string])[];
}

/** A table of names; `generic` is the prefix of the RFC 3597 style form, `max` its largest number. */
function names(generic: string, max: number, list: string, aliases: Record<string, number> = {}): NumberNames {
  const entries = list
    .trim()
    .split(/\s*;\s*/)
    .filter((entry) => entry !== '')
    .map((entry) => {
      const space = entry.indexOf(' ');
      return [Number(entry.slice(0, space)), entry.slice(space + 1).trim()] as const;
    })
    .sort((a, b) => a[0] - b[0]);
  const byNumber = new Map(entries);
  const byName = new Map(entries.map(([number, name]) => [name.toUpperCase(), number]));
  for (const [alias, number] of Object.entries(aliases)) byName.set(alias.toUpperCase(), number);
  const form = new RegExp(`^(?:${generic})?([0-9]{1,10})$`, 'i');
  return {
    entries,
    name: (number) => byNumber.get(number) ?? `${generic}${number}`,
    number(text) {
      const known = byName.get(text.toUpperCase());
      if (known !== undefined) return known;
      const digits = form.exec(text);
      const number = digits === null ? -1 : Number(digits[1]);
      return number <= max ? number : -1;
    },
  };
}

/** RR types and query types (RFC 6895 §3.1). */
export const TYPES = names(
  'TYPE',
  0xffff,
  `1 A; 2 NS; 3 MD; 4 MF; 5 CNAME; 6 SOA; 7 MB; 8 MG; 9 MR; 10 NULL; 11 WKS; 12 PTR; 13 HINFO; 14 MINFO; 15 MX;
  16 TXT; 17 RP; 18 AFSDB; 19 X25; 20 ISDN; 21 RT; 22 NSAP; 23 NSAP-PTR; 24 SIG; 25 KEY; 26 PX; 27 GPOS; 28 AAAA;
  29 LOC; 30 NXT; 31 EID; 32 NIMLOC; 33 SRV; 34 ATMA; 35 NAPTR; 36 KX; 37 CERT; 38 A6; 39 DNAME; 40 SINK; 41 OPT;
  42 APL; 43 DS; 44 SSHFP; 45 IPSECKEY; 46 RRSIG; 47 NSEC; 48 DNSKEY; 49 DHCID; 50 NSEC3; 51 NSEC3PARAM; 52 TLSA;
  53 SMIMEA; 55 HIP; 56 NINFO; 57 RKEY; 58 TALINK; 59 CDS; 60 CDNSKEY; 61 OPENPGPKEY; 62 CSYNC; 63 ZONEMD; 64 SVCB;
  65 HTTPS; 66 DSYNC; 67 HHIT; 68 BRID; 99 SPF; 100 UINFO; 101 UID; 102 GID; 103 UNSPEC; 104 NID; 105 L32; 106 L64;
  107 LP; 108 EUI48; 109 EUI64; 128 NXNAME; 249 TKEY; 250 TSIG; 251 IXFR; 252 AXFR; 253 MAILB; 254 MAILA; 255 ANY;
  256 URI; 257 CAA; 258 AVC; 259 DOA; 260 AMTRELAY; 261 RESINFO; 262 WALLET; 263 CLA; 264 IPN; 32768 TA; 32769 DLV;
  65281 WINS; 65282 WINS-R`,
  { '*': 255, NSAP_PTR: 23, WINSR: 65282 },
);

/** Classes (RFC 6895 §3.2). */
export const CLASSES = names('CLASS', 0xffff, '1 IN; 3 CH; 4 HS; 254 NONE; 255 ANY', { '*': 255 });

/** Operation codes (RFC 6895 §2.2, RFC 8490). */
export const OPCODES = names('OPCODE', 15, '0 QUERY; 1 IQUERY; 2 STATUS; 4 NOTIFY; 5 UPDATE; 6 DSO');

/** Operation codes of NetBIOS name service (RFC 1002 §4.2.1.1). */
export const NBNS_OPCODES = names('OPCODE', 15, '0 QUERY; 5 REGISTRATION; 6 RELEASE; 7 WACK; 8 REFRESH; 15 MULTIHOMED');

/** Response codes, 12 bits (RFC 6895 §2.3). In TSIG, 16 is BADSIG (`TSIG_ERRORS`). */
export const RCODES = names(
  'RCODE',
  0xffff,
  `0 NOERROR; 1 FORMERR; 2 SERVFAIL; 3 NXDOMAIN; 4 NOTIMP; 5 REFUSED; 6 YXDOMAIN; 7 YXRRSET; 8 NXRRSET; 9 NOTAUTH;
  10 NOTZONE; 11 DSOTYPENI; 16 BADVERS; 17 BADKEY; 18 BADTIME; 19 BADMODE; 20 BADNAME; 21 BADALG; 22 BADTRUNC;
  23 BADCOOKIE`,
  { BADSIG: 16 },
);

/** Error codes within TSIG and TKEY (RFC 8945 §3, RFC 2930 §2.6): as RCODES, 16 is BADSIG. */
export const TSIG_ERRORS: NumberNames = {
  entries: RCODES.entries.map(([number, name]) => [number, number === 16 ? 'BADSIG' : name] as const),
  name: (number) => (number === 16 ? 'BADSIG' : RCODES.name(number)),
  number: (text) => RCODES.number(text),
};

/** EDNS option codes (RFC 6891 §9). */
export const OPTIONS = names(
  'OPT',
  0xffff,
  `1 LLQ; 2 UL; 3 NSID; 5 DAU; 6 DHU; 7 N3U; 8 ECS; 9 EXPIRE; 10 COOKIE; 11 KEEPALIVE; 12 PADDING; 13 CHAIN;
  14 KEY-TAG; 15 EDE; 16 CLIENT-TAG; 17 SERVER-TAG; 18 REPORT-CHANNEL; 19 ZONEVERSION; 20 MQTYPE-QUERY;
  21 MQTYPE-RESPONSE; 22 EDE-LANGUAGE; 23 FILTERING-CONTACT; 24 FILTERING-ORGANIZATION; 25 FILTERING-DATABASE;
  20292 UMBRELLA; 26946 DEVICE-ID`,
  { 'CLIENT-SUBNET': 8, 'TCP-KEEPALIVE': 11, 'EDNS-TCP-KEEPALIVE': 11 },
);

/** Extended DNS error texts (RFC 8914 §5.2 and later). */
export const EXTENDED_ERRORS = names(
  'EDE',
  0xffff,
  `0 Other Error; 1 Unsupported DNSKEY Algorithm; 2 Unsupported DS Digest Type; 3 Stale Answer; 4 Forged Answer;
  5 DNSSEC Indeterminate; 6 DNSSEC Bogus; 7 Signature Expired; 8 Signature Not Yet Valid; 9 DNSKEY Missing;
  10 RRSIGs Missing; 11 No Zone Key Bit Set; 12 NSEC Missing; 13 Cached Error; 14 Not Ready; 15 Blocked; 16 Censored;
  17 Filtered; 18 Prohibited; 19 Stale NXDOMAIN Answer; 20 Not Authoritative; 21 Not Supported;
  22 No Reachable Authority; 23 Network Error; 24 Invalid Data; 25 Signature Expired before Valid; 26 Too Early;
  27 Unsupported NSEC3 Iterations Value; 28 Unable to conform to policy; 29 Synthesized; 30 Invalid Query Type;
  31 Rate Limited; 32 Over Quota; 33 Negative Trust Anchor`,
);

/** Keys of service parameters (RFC 9460 §14.3). */
export const SVC_PARAMS = names(
  'key',
  0xffff,
  `0 mandatory; 1 alpn; 2 no-default-alpn; 3 port; 4 ipv4hint; 5 ech; 6 ipv6hint; 7 dohpath; 8 ohttp;
  9 tls-supported-groups; 10 docpath`,
);

/** DNS Stateful Operations TLV types (RFC 8490 §10.3, RFC 8765). */
export const DSO_TYPES = names(
  'TLV',
  0xffff,
  '1 KEEPALIVE; 2 RETRY-DELAY; 3 PADDING; 64 SUBSCRIBE; 65 PUSH; 66 UNSUBSCRIBE; 67 RECONFIRM',
);

/** DNSSEC algorithm numbers (RFC 8624 and the registry). */
export const ALGORITHMS = names(
  '',
  255,
  `0 DELETE; 1 RSAMD5; 2 DH; 3 DSA; 5 RSASHA1; 6 NSEC3DSA; 7 NSEC3RSASHA1; 8 RSASHA256; 10 RSASHA512; 12 ECCGOST;
  13 ECDSAP256SHA256; 14 ECDSAP384SHA384; 15 ED25519; 16 ED448; 17 SM2SM3; 23 ECC-GOST12; 252 INDIRECT;
  253 PRIVATEDNS; 254 PRIVATEOID`,
);

/** Certificate types of CERT (RFC 4398 §2.1). */
export const CERTIFICATE_TYPES = names(
  '',
  0xffff,
  '1 PKIX; 2 SPKI; 3 PGP; 4 IPKIX; 5 ISPKI; 6 IPGP; 7 ACPKIX; 8 IACPKIX; 253 URI; 254 OID',
);

export const className = (number: number): string => CLASSES.name(number);
export const classNumber = (text: string): number => CLASSES.number(text);
export const opcodeName = (number: number): string => OPCODES.name(number);
export const opcodeNumber = (text: string): number => OPCODES.number(text);
export const rcodeName = (number: number): string => RCODES.name(number);
export const rcodeNumber = (text: string): number => RCODES.number(text);
export const optionName = (code: number): string => OPTIONS.name(code);
export const optionNumber = (text: string): number => OPTIONS.number(text);
/** Text of an extended error, such as `Prohibited`. */
export const extendedErrorText = (code: number): string => EXTENDED_ERRORS.name(code);
