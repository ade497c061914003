/** Bytes in order: a file, a pipe, or what a decompressor makes of another input. */
export interface ByteInput {
  /** Fills `into` from its start, with as much as there is without waiting for more; 0 = the end, −1 = idle. */
  read(into: Uint8Array): number | Promise<number>;
  /** Ends a pending read too. May be called again. */
  close(): void;
  /** Bytes read of the file as it is stored, and its size where it is known (else 0). */
  readonly readBytes: number;
  readonly totalBytes: number;
}

/** Thrown by a `read` when the bytes beneath make no sense or cannot be had: what came before stays valid. */
export class BrokenInput extends Error {}

/** An input whose first bytes were looked at: gives them once more, then the rest. */
export class Peeked implements ByteInput {
  readonly #inner: ByteInput;
  #head: Uint8Array;

  constructor(inner: ByteInput, head: Uint8Array) {
    this.#inner = inner;
    this.#head = head;
  }

  get readBytes(): number {
    return this.#inner.readBytes;
  }

  get totalBytes(): number {
    return this.#inner.totalBytes;
  }

  read(into: Uint8Array): number | Promise<number> {
    if (this.#head.length === 0) return this.#inner.read(into);
    const count = Math.min(into.length, this.#head.length);
    into.set(this.#head.subarray(0, count));
    this.#head = this.#head.subarray(count);
    return count;
  }

  close(): void {
    this.#inner.close();
  }
}
