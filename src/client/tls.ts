import { createHash, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import type { Server } from './server.ts';
import type { TlsOptions } from './stream.ts';

/** TLS above a stream; `secureConnect` or `error` tells how it went. */
export function connectSecurely(
  socket: Duplex,
  server: Server,
  { verify = true, ca, pin }: TlsOptions,
  alpn: readonly string[],
): TLSSocket {
  const host = server.name ?? server.address;
  return connect({
    socket,
    host,
    // A name is sent as SNI, an address must not be (RFC 6066 §3).
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: [...alpn],
    minVersion: 'TLSv1.2',
    // With a pin the key is what is trusted, whoever signed it.
    rejectUnauthorized: verify && pin === undefined,
    ...(ca !== undefined && { ca }),
    checkServerIdentity: (name, certificate) => (verify ? checkServerIdentity(name, certificate) : undefined),
  });
}

/** Whether the server's key is not the pinned one (RFC 7858 §4.2). */
export function isOtherKey(socket: TLSSocket, pin: string): boolean {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined || spkiHash(certificate) !== pin;
}

function spkiHash(certificate: X509Certificate): string {
  return createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}
