/** How questions are encrypted: in TLS, in HTTP over it, in QUIC (RFC 7858, RFC 8484, RFC 9250), or by DNSCrypt. */
export type EncryptedKind = 'dot' | 'doh' | 'doq' | 'dnscrypt';

/** Four words of an address in network order; IPv4 in the last. */
export type AddressWords = readonly [number, number, number, number];

/**
 * A client that speaks encrypted DNS with a server, as far as anybody can see it: told of once for each name that the
 * client says (SNI), and again after a while where it goes on.
 */
export interface EncryptedFlow {
  kind: EncryptedKind;
  /** Seconds since 1970. */
  time: number;
  /** Where it stands among rows: the closing time that the next row has at least, and the frame (TransactionBatch). */
  closeSeconds: number;
  closeNanos: number;
  closeNumber: number;
  family: number;
  client: AddressWords;
  clientPort: number;
  server: AddressWords;
  serverPort: number;
  /** 17 or 6. */
  transport: number;
  /** Others that were not told of since the last one, because there were too many in a second; absent = none. */
  missed?: number;
  /** What the client's first message says (RFC 6066 §3, RFC 7301); absent where it was not seen, or says nothing. */
  serverName?: string;
  alpn?: readonly string[];
}
