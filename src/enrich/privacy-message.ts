import { createHmac } from 'node:crypto';
import { DNS } from '../core/carrier.ts';
import { OptionCursor } from '../wire/edns.ts';
import type { MessageView } from '../wire/message.ts';
import { copyName, FOLD } from '../wire/name.ts';
import { closeUp, eachRdataName } from './privacy-names.ts';
import { registrableStart } from './public-suffix.ts';

const TYPE_A = 1;
const TYPE_AAAA = 28;
const TYPE_OPT = 41;
const TYPE_XPF = 65_422;
const CLIENT_SUBNET = 8;
/** Options that tell clients apart: cookies (RFC 7873), and the MAC, device and account ids of forwarders. */
const IDENTIFYING = new Set([10, 20_292, 26_946, 65_001, 65_073, 65_074]);
export interface MaskOptions {
  hidesAddresses: boolean;
  /** Of the reverse names of own addresses everything is hidden, else the host part only. */
  wholeReverseNames: boolean;
  names: 'full' | 'domain' | 'hashed';
  /** For hashed labels. */
  key: Uint8Array;
  isOwn(family: number, words: readonly number[]): boolean;
  /** What stands for an address of 4 or 16 octets. */
  hide(address: Uint8Array): Uint8Array;
}

const MAX_LABELS = 128;
const LABELS_KNOWN = 65_536;
const BASE32 = new TextEncoder().encode('abcdefghijklmnopqrstuvwxyz234567');
const HEX_DIGIT = /^[0-9a-f]$/i;
const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const NIBBLES_KEPT = 12;

/**
 * Hides addresses and names within the octets of a message. One `x` stands for any hidden labels, which makes the message
 * shorter; addresses, data and hashed labels keep their length.
 */
export class MessageMask {
  readonly #options: MaskOptions;
  readonly #cursor = new OptionCursor();
  /** Labels of the name at hand: offsets of their length octets. */
  readonly #labels = new Int32Array(MAX_LABELS);
  readonly #wire = new Uint8Array(256);
  /** Labels to hide. All names are looked at before the first is changed: they share their ends. */
  readonly #hidden = new Set<number>();
  readonly #hashed = new Set<number>();
  readonly #known = new Map<string, Uint8Array>();

  constructor(options: MaskOptions) {
    this.#options = options;
  }

  /** Hides in place; `view` is a message just read, and has to be read again. Returns by how much it is shorter now. */
  apply(view: MessageView, protocol: number): number {
    this.#hidden.clear();
    this.#hashed.clear();
    this.#eachName(view, protocol);
    if (this.#options.hidesAddresses) {
      this.#hideOptions(view);
      this.#hideRecords(view, protocol);
    }
    const { bytes } = view;
    for (const at of this.#hashed) if (!this.#hidden.has(at)) this.#hashLabel(bytes, at);
    // What could not be read cannot be searched.
    if (view.fault !== 0) bytes.fill(0, view.parsedEnd, view.end);
    return closeUp(view, this.#hidden);
  }

  #eachName(view: MessageView, protocol: number): void {
    for (let q = 0; q < view.questions; q++) this.#name(view, view.questionName[q], protocol);
    for (let i = 0; i < view.records; i++) {
      this.#name(view, view.owner[i], protocol);
      eachRdataName(view, i, (at) => this.#name(view, at, protocol));
    }
  }

  #name(view: MessageView, at: number, protocol: number): void {
    const { bytes, start } = view;
    let count = 0;
    for (let i = at; bytes[i] !== 0; ) {
      if (bytes[i] >= 0xc0) {
        i = start + (((bytes[i] & 0x3f) << 8) | bytes[i + 1]);
        continue;
      }
      this.#labels[count++] = i;
      i += bytes[i] + 1;
    }
    if (count === 0) return;
    if (this.#options.hidesAddresses) this.#reverseName(bytes, count);
    const { names } = this.#options;
    if (names === 'full') return;
    const into = names === 'domain' ? this.#hidden : this.#hashed;
    const left = protocol === DNS ? this.#leftOfDomain(view, at, count) : count;
    for (let k = 0; k < left; k++) {
      // Of names on the link only services and the domain itself are public.
      if (protocol === DNS || !this.#isPublic(bytes, this.#labels[k])) into.add(this.#labels[k]);
    }
  }

  #isPublic(bytes: Uint8Array, at: number): boolean {
    return bytes[at + 1] === 0x5f || this.#label(bytes, at) === 'local';
  }

  #label(bytes: Uint8Array, at: number): string {
    let text = '';
    for (let i = at + 1; i <= at + bytes[at]; i++) text += String.fromCharCode(FOLD[bytes[i]]);
    return text;
  }

  /** How many labels stand left of the registrable domain. */
  #leftOfDomain(view: MessageView, at: number, count: number): number {
    copyName(view.bytes, at, view.start, this.#wire, 0, true);
    const stop = registrableStart(this.#wire);
    if (stop < 0) return 0;
    let left = 0;
    for (let i = 0; i < stop && left < count; i += this.#wire[i] + 1) left++;
    return left;
  }

  /** `4.3.2.10.in-addr.arpa` and its kind, also those of networks: hides the labels of own addresses. */
  #reverseName(bytes: Uint8Array, count: number): void {
    if (count < 3 || this.#label(bytes, this.#labels[count - 1]) !== 'arpa') return;
    const zone = this.#label(bytes, this.#labels[count - 2]);
    const most = zone === 'in-addr' ? 4 : zone === 'ip6' ? 32 : 0;
    const form = most === 4 ? OCTET : HEX_DIGIT;
    const words: [number, number, number, number] = [0, 0, 0, 0];
    let digits = 0;
    for (let k = count - 3; k >= 0 && digits < most; k--) {
      const text = this.#label(bytes, this.#labels[k]);
      if (!form.test(text)) break;
      if (most === 4) words[3] = (words[3] | ((Number(text) & 255) << (24 - 8 * digits))) >>> 0;
      else words[digits >> 3] |= Number.parseInt(text, 16) << (28 - 4 * (digits & 7));
      digits++;
    }
    if (digits === 0 || !this.#options.isOwn(most === 4 ? 4 : 6, words)) return;
    const kept = this.#options.wholeReverseNames ? 0 : most === 4 ? 3 : NIBBLES_KEPT;
    for (let k = count - 3 - kept; k >= 0; k--) this.#hidden.add(this.#labels[k]);
  }

  #hashLabel(bytes: Uint8Array, at: number): void {
    const length = bytes[at];
    const text = this.#label(bytes, at);
    let hash = this.#known.get(text);
    if (hash === undefined) {
      hash = createHmac('sha512', this.#options.key).update(text, 'latin1').digest();
      if (this.#known.size >= LABELS_KNOWN) this.#known.clear();
      this.#known.set(text, hash);
    }
    for (let k = 0; k < length; k++) bytes[at + 1 + k] = BASE32[hash[k] & 31];
  }

  #hideOptions(view: MessageView): void {
    if (view.opt < 0) return;
    const { bytes } = view;
    const cursor = this.#cursor;
    cursor.open(view);
    while (cursor.next()) {
      const { at, length, code } = cursor;
      if (code === CLIENT_SUBNET) this.#hideSubnet(bytes, at, length);
      else if (IDENTIFYING.has(code)) bytes.fill(0, at, at + length);
    }
    if (cursor.malformedAt >= 0) bytes.fill(0, cursor.malformedAt, view.rdata[view.opt] + view.rdlength[view.opt]);
  }

  #hideSubnet(bytes: Uint8Array, at: number, length: number): void {
    if (length <= 4) return;
    const size = bytes[at + 1] === 1 ? 4 : bytes[at + 1] === 2 ? 16 : 0;
    const given = Math.min(length - 4, size);
    const address = new Uint8Array(size);
    address.set(bytes.subarray(at + 4, at + 4 + given));
    const hidden = size === 0 ? address : this.#options.hide(address);
    const source = bytes[at + 2];
    bytes.fill(0, at + 4, at + length);
    for (let k = 0; k < given; k++) {
      const bits = Math.min(8, Math.max(0, source - 8 * k));
      bytes[at + 4 + k] = hidden[k] & (0xff00 >> bits);
    }
  }

  #hideRecords(view: MessageView, protocol: number): void {
    const { bytes } = view;
    for (let i = 0; i < view.records; i++) {
      const at = view.rdata[i];
      const length = view.rdlength[i];
      const type = view.type[i];
      if (type === TYPE_OPT && i !== view.opt) bytes.fill(0, at, at + length);
      else if (type === TYPE_XPF) bytes.fill(0, Math.min(at + 2, at + length), at + length);
      else if ((type === TYPE_A && length === 4) || (type === TYPE_AAAA && length === 16)) {
        const address = bytes.slice(at, at + length);
        // Neighbours' addresses are theirs, whatever the network.
        if (protocol !== DNS || this.#options.isOwn(length === 4 ? 4 : 6, wordsOf(address))) {
          bytes.set(this.#options.hide(address), at);
        }
      }
    }
  }
}

function wordsOf(octets: Uint8Array): readonly number[] {
  const word = (at: number): number =>
    ((octets[at] << 24) | (octets[at + 1] << 16) | (octets[at + 2] << 8) | octets[at + 3]) >>> 0;
  return octets.length === 4 ? [0, 0, 0, word(0)] : [word(0), word(4), word(8), word(12)];
}
