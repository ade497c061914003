import { DNS, MDNS } from '../core/carrier.ts';
import { FAULT } from '../wire/fault.ts';
import { OptionCursor } from '../wire/edns.ts';
import type { MessageView } from '../wire/message.ts';
import { recordReader } from './define.ts';
import { rrTypeOf } from './registry.ts';

const TSIG = 250;
const SIG = 24;
const CLASS_NONE = 254;
const CLASS_ANY = 255;
const cursor = new OptionCursor();

/**
 * Looks into what `MessageView.read` does not: rdata's form and length, compression where it is forbidden, pointers to
 * pointers, options, the place of TSIG. The first finding becomes the view's fault unless it has one; returns that fault.
 *
 * For use on demand, not on the hot path; work is linear in the message's size.
 */
export function checkRdata(view: MessageView, protocol: number = DNS): number {
  if (view.fault !== 0) return view.fault;
  recordReader.begin(view);
  for (let i = 0; i < view.records && view.fault === 0; i++) {
    if (i === view.opt) checkOptions(view, i);
    else checkRecord(view, i, protocol);
  }
  return view.fault;
}

function checkRecord(view: MessageView, i: number, protocol: number): void {
  const type = view.type[i];
  const unsigned = view.rdlength[i] > 0 && view.rdata[i] > 0 && type === SIG ? coveredType(view, i) : 0;
  if ((type === TSIG || (type === SIG && unsigned === 0)) && i < view.records - 1) {
    return fail(view, FAULT.tsig_not_last, view.owner[i], i);
  }
  const pointed = pointerToPointer(view.bytes, view.owner[i], view.start);
  if (pointed >= 0) return fail(view, FAULT.pointer_to_pointer, pointed, i);
  if (view.rdlength[i] === 0 && (view.class[i] === CLASS_ANY || view.class[i] === CLASS_NONE)) return;
  const form = rrTypeOf(type, protocol);
  if (form === undefined) return;
  form.decode(recordReader.open(view, i));
  if (!recordReader.finish()) fail(view, recordReader.fault, recordReader.failedAt + view.start, i);
  // mDNS may compress names anywhere in known types (RFC 6762 §18.14).
  else if (recordReader.compressedAt >= 0 && protocol !== MDNS) {
    fail(view, FAULT.compression_forbidden, recordReader.compressedAt + view.start, i);
  }
}

function coveredType(view: MessageView, i: number): number {
  return view.rdlength[i] < 2 ? 1 : (view.bytes[view.rdata[i]] << 8) | view.bytes[view.rdata[i] + 1];
}

function checkOptions(view: MessageView, i: number): void {
  cursor.open(view);
  while (cursor.next());
  if (cursor.malformedAt >= 0) fail(view, FAULT.opt_malformed, cursor.malformedAt, i);
}

function fail(view: MessageView, code: number, at: number, record: number): void {
  view.fault = code;
  view.faultAt = at - view.start;
  view.faultIn = view.section[record] + 1;
}

/** Offset of the first pointer of a sound name if its target is no label (RFC 9267 §2); −1 when all is well. */
function pointerToPointer(bytes: Uint8Array, at: number, start: number): number {
  while (bytes[at] !== 0 && bytes[at] < 0xc0) at += bytes[at] + 1;
  if (bytes[at] === 0) return -1;
  const target = bytes[start + (((bytes[at] & 0x3f) << 8) | bytes[at + 1])];
  return target === 0 || target >= 0xc0 ? at : -1;
}
