import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { InitialPacket } from '../net/quic-initial.ts';

/** Salts and labels of the versions (RFC 9001 §5.2, RFC 9369 §3.3). */
const SALTS = {
  1: Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex'),
  2: Buffer.from('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'hex'),
};
const LABELS = { 1: 'quic', 2: 'quicv2' };
const TAG_BYTES = 16;
/** The sample lies behind where the longest packet number would end. */
const SAMPLE_AT = 4;

/**
 * Opens a client's Initial packet (RFC 9001 §5): its keys are made of what it says in clear. The frames in it; null where
 * it does not open.
 */
export function unsealInitial(bytes: Uint8Array, packet: InitialPacket): Uint8Array | null {
  const { version, idAt, idLength, at, numberAt, end } = packet;
  const label = LABELS[version];
  const initial = hmac(SALTS[version], bytes.subarray(idAt, idAt + idLength));
  const secret = expand(initial, 'client in', 32);
  const sample = bytes.subarray(numberAt + SAMPLE_AT, numberAt + SAMPLE_AT + 16);
  const ecb = createCipheriv('aes-128-ecb', expand(secret, `${label} hp`, 16), null);
  const mask = ecb.update(sample);
  const first = bytes[at] ^ (mask[0] & 0x0f);
  const numberBytes = (first & 3) + 1;
  const header = Buffer.from(bytes.subarray(at, numberAt + numberBytes));
  header[0] = first;
  const nonce = expand(secret, `${label} iv`, 12);
  for (let i = 0; i < numberBytes; i++) {
    const octet = bytes[numberAt + i] ^ mask[1 + i];
    header[numberAt - at + i] = octet;
    nonce[12 - numberBytes + i] ^= octet;
  }
  const sealed = bytes.subarray(numberAt + numberBytes, end - TAG_BYTES);
  const gcm = createDecipheriv('aes-128-gcm', expand(secret, `${label} key`, 16), nonce);
  gcm.setAAD(header).setAuthTag(bytes.subarray(end - TAG_BYTES, end));
  try {
    const opened = gcm.update(sealed);
    gcm.final();
    return opened;
  } catch {
    // It was made with other keys, or is none of a client's.
    return null;
  }
}

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** HKDF-Expand-Label without a context (RFC 8446 §7.1), of at most one block. */
function expand(secret: Uint8Array, label: string, length: number): Buffer {
  const full = `tls13 ${label}`;
  const info = Buffer.from([length >> 8, length & 255, full.length, ...Buffer.from(full), 0, 1]);
  return hmac(secret, info).subarray(0, length);
}
