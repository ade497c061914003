import { MOST_APART } from './layout.ts';

/** Columns that an id is made of, besides times. */
export type IdColumns = Readonly<
  Record<
    | 'client0'
    | 'client1'
    | 'client2'
    | 'client3'
    | 'server0'
    | 'server1'
    | 'server2'
    | 'server3'
    | 'clientPort'
    | 'serverPort'
    | 'id'
    | 'type'
    | 'class'
    | 'transport'
    | 'protocol'
    | 'family'
    | 'nameHash',
    ArrayLike<number>
  >
>;

/** What `transactionId` makes the id of row `i` of. */
export function idWords(out: Uint32Array, c: IdColumns, i: number): void {
  out[0] = c.client0[i];
  out[1] = c.client1[i];
  out[2] = c.client2[i];
  out[3] = c.client3[i];
  out[4] = c.server0[i];
  out[5] = c.server1[i];
  out[6] = c.server2[i];
  out[7] = c.server3[i];
  out[8] = (c.clientPort[i] << 16) | c.serverPort[i];
  out[9] = (c.id[i] << 16) | c.type[i];
  out[10] = (c.class[i] << 16) | (c.transport[i] << 8) | (c.protocol[i] << 4) | c.family[i];
  out[11] = c.nameHash[i];
}

/** Copies `from[rows[begin, end)]` to `to`, from `at` on. */
export function gather(
  from: Uint8Array | Uint16Array | Uint32Array,
  rows: Uint32Array,
  begin: number,
  end: number,
  to: Uint32Array,
  at: number,
): void {
  if (from instanceof Uint8Array) gather8(from, rows, begin, end, to, at);
  else if (from instanceof Uint16Array) gather16(from, rows, begin, end, to, at);
  else gather32(from, rows, begin, end, to, at);
}

// One function for each kind of array: the loops stay monomorphic.
function gather8(from: Uint8Array, rows: Uint32Array, begin: number, end: number, to: Uint32Array, at: number): void {
  for (let i = begin; i < end; i++) to[at++] = from[rows[i]];
}

function gather16(from: Uint16Array, rows: Uint32Array, begin: number, end: number, to: Uint32Array, at: number): void {
  for (let i = begin; i < end; i++) to[at++] = from[rows[i]];
}

export function gather32(
  from: Uint32Array,
  rows: Uint32Array,
  begin: number,
  end: number,
  to: Uint32Array,
  at: number,
): void {
  for (let i = begin; i < end; i++) to[at++] = from[rows[i]];
}

/** Whether all are whole microseconds. */
export function isMicros(columns: readonly Uint32Array[], n: number): boolean {
  for (const nanos of columns) for (let i = 0; i < n; i++) if (nanos[i] % 1000 !== 0) return false;
  return true;
}

/** Whether all are whole seconds and parts of one. */
export function areTimes(seconds: Float64Array, nanos: Uint32Array, n: number): boolean {
  for (let i = 0; i < n; i++) {
    if (!Number.isInteger(seconds[i]) || Math.abs(seconds[i]) > 2 ** 50 || nanos[i] >= 1e9) return false;
  }
  return true;
}

/** Whether times are near enough to those of `base` (of the row before, where it is null); (0, 0) is no time. */
export function areNear(seconds: Float64Array, nanos: Uint32Array, n: number, base: Float64Array | null): boolean {
  for (let i = 0; i < n; i++) {
    const from = base === null ? seconds[Math.max(0, i - 1)] : base[i];
    if (base !== null && seconds[i] === 0 && nanos[i] === 0) continue;
    if (Math.abs(seconds[i] - from) > MOST_APART) return false;
  }
  return true;
}

/** Whether all are whole numbers from 0 to `most`. */
export function areNumbers(column: Float64Array, n: number, most: number): boolean {
  for (let i = 0; i < n; i++) if (!(column[i] >= 0 && column[i] <= most) || !Number.isInteger(column[i])) return false;
  return true;
}
