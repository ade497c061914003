import { choice, group, span, text, type ValueOf } from '../core/settings.ts';
import type { ByteWriter } from './byte-writer.ts';
import { Delivery } from './delivery.ts';
import { FileTarget, rulesOf } from './file-sink.ts';
import { type RebuiltPacket, rebuiltPackets } from './rebuilt-packets.ts';
import { COMMON, ROTATION, type SinkDefinition } from './sink.ts';

const settings = group(
  'Queries and responses as IP packets in a rotating pcapng file: their headers are made again, the messages are those ' +
    'that were seen. For packets as captured: store.packets.',
  {
    path: text('The file; old ones stand beside it, as NAME-TIME.EXT.', { required: true, example: 'logs/dns.pcapng' }),
    rotate: group('When the file is renamed and a new one begun.', {
      ...ROTATION,
      age: span('A new file after so long.', { default: '1d', least: 1000 }),
      compress: choice('How old files are compressed.', ['none', 'gzip', 'zstd'], { default: 'none' }),
    }),
    ...COMMON,
  },
);

/** Messages as packets in a rotating capture file. */
export const pcapngSink: SinkDefinition<ValueOf<typeof settings>> = {
  settings,
  open(options, context) {
    const target = new FileTarget(options.path, rulesOf(options.rotate), { begin: fileHead }, context);
    return new Delivery(
      target,
      (writer) => (batch, row, ends) => {
        for (const packet of rebuiltPackets(batch, row)) writePacket(packet, writer);
        ends.push(writer.length);
        return true;
      },
      context,
      { queue: options.queue },
    );
  },
};

const LINKTYPE_RAW = 101;
const SECTION_BYTES = 28;
const INTERFACE_BYTES = 32;

/** Section header, and one interface of IP packets with nanoseconds (draft-ietf-opsawg-pcapng §4.1, 4.2). */
function fileHead(): Uint8Array {
  const view = new DataView(new ArrayBuffer(SECTION_BYTES + INTERFACE_BYTES));
  view.setUint32(0, 0x0a0d0d0a, true);
  view.setUint32(4, SECTION_BYTES, true);
  view.setUint32(8, 0x1a2b3c4d, true);
  view.setUint16(12, 1, true);
  view.setBigInt64(16, -1n, true);
  view.setUint32(24, SECTION_BYTES, true);
  view.setUint32(SECTION_BYTES, 1, true);
  view.setUint32(SECTION_BYTES + 4, INTERFACE_BYTES, true);
  view.setUint16(SECTION_BYTES + 8, LINKTYPE_RAW, true);
  // Option 9: times in 10^-9 s; then the end of options.
  view.setUint16(SECTION_BYTES + 16, 9, true);
  view.setUint16(SECTION_BYTES + 18, 1, true);
  view.setUint8(SECTION_BYTES + 20, 9);
  view.setUint32(SECTION_BYTES + INTERFACE_BYTES - 4, INTERFACE_BYTES, true);
  return new Uint8Array(view.buffer);
}

/** An enhanced packet block (§4.3). */
function writePacket({ seconds, nanos, bytes }: RebuiltPacket, writer: ByteWriter): void {
  const padded = (bytes.length + 3) & ~3;
  const length = 32 + padded;
  writer.room(length);
  const { words: view, length: at } = writer;
  const time = BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
  view.setUint32(at, 6, true);
  view.setUint32(at + 4, length, true);
  view.setUint32(at + 8, 0, true);
  view.setUint32(at + 12, Number((time >> 32n) & 0xffffffffn), true);
  view.setUint32(at + 16, Number(time & 0xffffffffn), true);
  view.setUint32(at + 20, bytes.length, true);
  view.setUint32(at + 24, bytes.length, true);
  writer.bytes.set(bytes, at + 28);
  writer.bytes.fill(0, at + 28 + bytes.length, at + 28 + padded);
  view.setUint32(at + length - 4, length, true);
  writer.length = at + length;
}
