/** What came from a bus is none of its batches: damaged, hostile, or of a version that is not known. The only error of `bus/`. */
export class BusError extends Error {
  override readonly name = 'BusError';
}

/** Ends the decoding of a batch. */
export function refuse(why: string): never {
  throw new BusError(`The batch is not readable: ${why}.`);
}
