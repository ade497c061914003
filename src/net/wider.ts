type Numbers = Float64Array | Int32Array | Uint32Array | Uint16Array | Int8Array | Uint8Array;

/** A column with more room: `to`, which begins with what `old` holds. */
export function wider<T extends Numbers>(old: T, to: T): T {
  to.set(old);
  return to;
}
