import type { ByteInput } from './bytes.ts';

/** The input decompressed, when `head` (its first bytes, at least four) begins like a compressed stream. */
export function uncompressed(_input: ByteInput, _head: Uint8Array): ByteInput | undefined {
  return undefined;
}
