import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { BrokenInput, type ByteInput } from '../../src/sources/byte-input.ts';
import { ZstdInput } from '../../src/sources/zstd.ts';

/** Bytes that come in pieces of any size. */
class Pieces implements ByteInput {
  readBytes = 0;
  readonly totalBytes: number;
  readonly #bytes: Uint8Array;
  readonly #piece: number;

  constructor(bytes: Uint8Array, piece: number) {
    this.#bytes = bytes;
    this.totalBytes = bytes.length;
    this.#piece = piece;
  }

  read(into: Uint8Array): number {
    const piece = this.#bytes.subarray(this.readBytes, this.readBytes + Math.min(this.#piece, into.length));
    into.set(piece);
    this.readBytes += piece.length;
    return piece.length;
  }

  close(): void {}
}

async function plain(bytes: Uint8Array, piece = 1000): Promise<Buffer> {
  const input = new ZstdInput(new Pieces(bytes, piece), () => import('fzstd'));
  const into = new Uint8Array(7777);
  const parts: Buffer[] = [];
  for (let n = await input.read(into); n > 0; n = await input.read(into)) parts.push(Buffer.from(into.subarray(0, n)));
  return Buffer.concat(parts);
}

/** Text that repeats itself near and far, and octets that do not. */
const text = Buffer.from(Array.from({ length: 40_000 }, (_, i) => `${(i * 7919) % 3001}.example `).join(''));
const noise = Buffer.from(Uint32Array.from({ length: 60_000 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 3).buffer);
const zeros = Buffer.alloc(1_000_000);

test('what zstd packs is unpacked: levels, checksums, far matches, any size of piece', async () => {
  for (const [level, checksum, piece] of [
    [1, 0, 100_000],
    [3, 1, 1000],
    [19, 1, 64],
  ] as const) {
    const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: checksum };
    for (const whole of [text, noise, zeros, Buffer.from('a'), Buffer.alloc(0), Buffer.concat([noise, text, noise])]) {
      const packed = zstdCompressSync(whole, { params });
      assert.ok((await plain(packed, piece)).equals(whole), `level ${level}, ${whole.length} octets`);
    }
  }
});

test('frames follow each other, skippable ones between them', async () => {
  const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const packed = Buffer.concat([skippable, zstdCompressSync(text), skippable, zstdCompressSync(noise)]);
  assert.ok((await plain(packed)).equals(Buffer.concat([text, noise])));
});

test('damage is told as such, wherever it is', async () => {
  const packed = zstdCompressSync(text);
  for (const cut of [5, 20, packed.length - 1]) {
    await assert.rejects(
      plain(packed.subarray(0, cut)),
      (error) => error instanceof BrokenInput && /zstd/.test(error.message),
    );
  }
  await assert.rejects(plain(Buffer.concat([packed, Buffer.from('no frame at all')])), /no zstd frame/);
  // Whatever the octets are, it is damage or data, and comes to an end.
  for (let at = 4; at < packed.length; at += 37) {
    const broken = Uint8Array.from(packed);
    broken[at] ^= 0x55;
    await plain(broken).catch((error: unknown) => assert.ok(error instanceof BrokenInput, String(error)));
  }
});

test('a frame that claims much memory, or wants a dictionary, gets none', async () => {
  const head = (...octets: number[]) =>
    plain(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...octets, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
  await assert.rejects(head(0, 31 << 3), /window of more than 128 MiB/);
  await assert.rejects(head(0xe0, 0, 0, 0, 0, 1), /window of more than 128 MiB/);
  await assert.rejects(head(1, 0, 7), /dictionary/);
});
