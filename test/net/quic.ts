import { createCipheriv } from 'node:crypto';

/** Keys of a client's Initial packets for the connection id of RFC 9001, Appendix A.1, as it gives them. */
const ID = Buffer.from('8394c8f03e515708', 'hex');
const KEY = Buffer.from('1f369613dd76d5467730efcbe3b1a22d', 'hex');
const IV = Buffer.from('fa044b2f42a3fd3b46fb255c', 'hex');
const HEADER_KEY = Buffer.from('9f50449e04a0e810283a1e9933adedd2', 'hex');

/** The ClientHello of RFC 9001, Appendix A.2: it asks for example.com and offers `alpn`. */
export const RFC_HELLO = Buffer.from(
  '010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010000e0000' +
    '0b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100000000003300260024001d' +
    '00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e04030503060302030804' +
    '08050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff080110010480007530090110' +
    '0f088394c8f03e51570806048000ffff',
  'hex',
);

/** A CRYPTO frame (RFC 9000 §19.6). */
export function cryptoFrame(bytes: Uint8Array, offset: number): Uint8Array {
  const at = offset < 64 ? [offset] : [0x40 | (offset >> 8), offset & 255];
  return Buffer.from([6, ...at, 0x40 | (bytes.length >> 8), bytes.length & 255, ...bytes]);
}

/** A client's Initial packet of 1,200 octets with these frames, sealed. */
export function initialPacket(frames: Uint8Array, number = 2): Uint8Array {
  const plain = Buffer.alloc(1162);
  plain.set(frames);
  const header = Buffer.from([0xc3, 0, 0, 0, 1, ID.length, ...ID, 0, 0, 0x44, 0x9e, 0, 0, 0, number]);
  const nonce = Buffer.from(IV);
  nonce[11] ^= number;
  const gcm = createCipheriv('aes-128-gcm', KEY, nonce);
  gcm.setAAD(header);
  const sealed = Buffer.concat([gcm.update(plain), gcm.final(), gcm.getAuthTag()]);
  const mask = createCipheriv('aes-128-ecb', HEADER_KEY, null).update(sealed.subarray(0, 16));
  header[0] ^= mask[0] & 0x0f;
  for (let i = 0; i < 4; i++) header[header.length - 4 + i] ^= mask[1 + i];
  return Buffer.concat([header, sealed]);
}
