import { copyName, FOLD, nameText, skipName } from '../wire/name.ts';
import { parseName } from '../wire/writer.ts';

/**
 * A domain name in canonical form: folded, uncompressed (RFC 4034 §6.2). Names of any case are the same one.
 */
export class DomainName {
  /** At most 255 octets, the root's 0 included. */
  readonly wire: Uint8Array;
  /** The same, to compare by and for maps. */
  readonly key: string;
  /** Labels without the root's. */
  readonly labels: number;
  /** Offset of each label. */
  readonly #starts: number[] = [];

  constructor(wire: Uint8Array) {
    this.wire = wire;
    for (let at = 0; wire[at] !== 0; at += wire[at] + 1) this.#starts.push(at);
    this.labels = this.#starts.length;
    this.key = Buffer.from(wire.buffer, wire.byteOffset, wire.length).toString('latin1');
  }

  /** Of its text (RFC 1035 §5.1). Throws `UserError`. */
  static parse(text: string): DomainName {
    const wire = parseName(text);
    // Lengths are below 64: folding leaves them as they are.
    for (let i = 0; i < wire.length; i++) wire[i] = FOLD[wire[i]];
    return new DomainName(wire);
  }

  /** Of a message; null when there is no sound name at `at`. */
  static read(bytes: Uint8Array, at: number, start: number, end: number): DomainName | null {
    if (skipName(bytes, at, start, end) < 0) return null;
    const wire = new Uint8Array(256);
    return new DomainName(wire.slice(0, copyName(bytes, at, start, wire, 0, true)));
  }

  /** `www.example`, the root is `.`. */
  get text(): string {
    return nameText(this.wire, 0, 0);
  }

  /** Its last `labels` labels. */
  last(labels: number): DomainName {
    if (labels >= this.labels) return this;
    return labels <= 0 ? ROOT : new DomainName(this.wire.subarray(this.#starts[this.labels - labels]));
  }

  get parent(): DomainName {
    return this.last(this.labels - 1);
  }

  /** The octets of label `i`, 0 is the leftmost. */
  label(i: number): Uint8Array {
    const at = this.#starts[i];
    return this.wire.subarray(at + 1, at + 1 + this.wire[at]);
  }

  /** `*.` before it; null when that is too long for a name. */
  get wildcard(): DomainName | null {
    if (this.wire.length + 2 > 255) return null;
    return new DomainName(Uint8Array.of(1, 0x2a, ...this.wire));
  }

  is(other: DomainName): boolean {
    return this.key === other.key;
  }

  /** At `zone`, or below it. */
  isWithin(zone: DomainName): boolean {
    return this.labels >= zone.labels && this.last(zone.labels).key === zone.key;
  }

  /** How many labels from the right are the same. */
  common(other: DomainName): number {
    let n = 0;
    const most = Math.min(this.labels, other.labels);
    while (n < most && this.last(n + 1).key === other.last(n + 1).key) n++;
    return n;
  }

  /** Canonical order (RFC 4034 §6.1): label by label from the right, as octets. */
  compare(other: DomainName): number {
    for (let i = 1; i <= Math.min(this.labels, other.labels); i++) {
      const order = Buffer.compare(this.label(this.labels - i), other.label(other.labels - i));
      if (order !== 0) return order;
    }
    return this.labels - other.labels;
  }
}

export const ROOT: DomainName = new DomainName(new Uint8Array(1));
