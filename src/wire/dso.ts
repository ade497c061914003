import { opaque, showOpaque } from './bytes-field.ts';
import { plainName, u16, u32, Words } from './field.ts';
import { DSO_TYPES } from './iana.ts';
import type { MessageView } from './message.ts';
import { RdataReader } from './rdata.ts';
import { type AnyStructure, structure } from './structure.ts';
import { typeCode } from './type-field.ts';
import type { Writer } from './writer.ts';

/** Opcode of DNS Stateful Operations: behind the header come TLVs, not sections (RFC 8490 §5.4). */
export const OPCODE_DSO = 6;

/** One TLV: type, its name, and its data as text. */
export interface DsoData {
  readonly type: number;
  readonly name: string;
  readonly data: string;
}

const asked = { name: plainName, type: typeCode, class: u16 };
const FORMS = new Map<number, AnyStructure>([
  [1, structure('KEEPALIVE', { inactivityMillis: u32, intervalMillis: u32 })],
  [2, structure('RETRY-DELAY', { delayMillis: u32 })],
  [64, structure('SUBSCRIBE', asked)],
  [66, structure('UNSUBSCRIBE', { id: u16 })],
  [67, structure('RECONFIRM', { ...asked, rdata: opaque })],
]);
const reader = new RdataReader();

/** The TLVs of a DSO message; empty for any other. A TLV that passes the end of the message ends the list. */
export function readDso(view: MessageView): DsoData[] {
  const list: DsoData[] = [];
  if (view.opcode !== OPCODE_DSO || view.parsedEnd - view.start < 12) return list;
  const { bytes, end } = view;
  let at = view.parsedEnd;
  while (at + 4 <= end) {
    const type = (bytes[at] << 8) | bytes[at + 1];
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    if (at + 4 + length > end) break;
    list.push({ type, name: DSO_TYPES.name(type), data: tlvText(type, bytes, at + 4, length) });
    at += 4 + length;
  }
  return list;
}

function tlvText(type: number, bytes: Uint8Array, at: number, length: number): string {
  const form = FORMS.get(type);
  if (form !== undefined) {
    const value = form.decode(reader.bare(bytes, at, at + length));
    if (reader.sound && reader.left === 0) return form.show(value);
  }
  return showOpaque(bytes.subarray(at, at + length));
}

/** Writes TLVs behind a header. Throws `UserError` for text that is not the type's. */
export function writeDso(w: Writer, list: readonly DsoData[]): void {
  for (const { type, data } of list) {
    w.u16(type);
    const from = w.openLength();
    const form = FORMS.get(type);
    if (form === undefined || data.startsWith('\\#')) opaque.write(w, opaque.parse(new Words(data), {}), {});
    else form.write(form.parse(data), w);
    w.patchLength(from);
  }
}
