/**
 * Settings as data: what a key of the configuration means, takes and defaults to. A component declares its own next to
 * its code; file, environment, flags, JSON Schema, example and reference page derive from the declarations (`app/config`).
 */
export interface Setting<T = unknown> {
  /** A sentence for people: what it does, and what its values mean. */
  readonly summary: string;
  readonly shape: Shape;
  /** As the user would write it. */
  readonly default?: Written;
  /** Must be given wherever its group is. */
  readonly required?: true;
  /** Shown where there is no default, as the user would write it. */
  readonly example?: Written;
  /** Takes effect while nametap runs (SIGHUP); else with the next start. */
  readonly reloads?: true;
  /** One letter for the command line: `i`. */
  readonly letter?: string;
  /** A group of very many keys: one option and one variable take all of it, as YAML. */
  readonly isTogether?: true;
  /** What a program gets, for its type only: never there. */
  readonly value?: T;
}

/** A value as YAML has it. */
export type Written = string | number | boolean | null | readonly Written[] | { readonly [key: string]: Written };

export type Shape =
  | { kind: 'text'; secret?: true; choices?: readonly string[]; wants?: string; read?(text: string): unknown }
  | { kind: 'flag' }
  | { kind: 'number'; least: number; most: number; isWhole: boolean }
  /** Bytes. */
  | { kind: 'size'; least: number; most: number }
  /** Milliseconds; `words` are accepted instead of a span. */
  | { kind: 'span'; least: number; most: number; words: Readonly<Record<string, number>> }
  | { kind: 'list'; of: Setting }
  /** Entries under names that the user gives. */
  | { kind: 'map'; of: Setting; key: string; keyPattern: RegExp }
  | { kind: 'group'; keys: Readonly<Record<string, Setting>> }
  /** A group whose `type` says which. */
  | { kind: 'variant'; of: Readonly<Record<string, Setting>> };

/** What a program gets for a setting. */
export type ValueOf<S> = S extends Setting<infer T> ? T : never;

interface Rest {
  default?: Written;
  required?: true;
  example?: Written;
  reloads?: true;
  letter?: string;
  isTogether?: true;
}
/** Nothing besides the summary. */
interface Bare {
  default?: never;
}
/** Without a default, and unless it is required, a value may be absent. */
type Given<R, T> = R extends { default: unknown } | { required: true } ? T : T | undefined;

/** Any text. `wants` says in an error what it should have been; `choices` closes the list of values. */
export function text<const R extends Rest = Bare>(summary: string, rest?: R): Setting<Given<R, string>> {
  return { summary, shape: { kind: 'text' }, ...rest };
}

/** One of a few words. */
export function choice<const C extends readonly string[], const R extends Rest = Bare>(
  summary: string,
  choices: C,
  rest?: R,
): Setting<Given<R, C[number]>> {
  return { summary, shape: { kind: 'text', choices }, ...rest };
}

/** A text of a form of its own; `read` gives its value, or throws UserError. `wants` completes "it takes …". */
export function form<T, const R extends Rest = Bare>(
  summary: string,
  wants: string,
  read: (text: string) => T,
  rest?: R,
): Setting<Given<R, T>> {
  return { summary, shape: { kind: 'text', wants, read }, ...rest };
}

/** A text that is never shown; may also be given as `{file: PATH}`, or in the environment as `…_FILE`. */
export function secret<const R extends Rest = Bare>(summary: string, rest?: R): Setting<Given<R, string>> {
  return { summary, shape: { kind: 'text', secret: true }, ...rest };
}

/** Yes or no. */
export function flag<const R extends Rest = Bare>(summary: string, rest?: R): Setting<Given<R, boolean>> {
  return { summary, shape: { kind: 'flag' }, ...rest };
}

interface Bounds {
  least?: number;
  most?: number;
}

/** A whole number, 0 or more unless told. */
export function whole<const R extends Rest & Bounds = Bare>(summary: string, rest?: R): Setting<Given<R, number>> {
  const { least = 0, most = Number.MAX_SAFE_INTEGER, ...others } = rest ?? {};
  return { summary, shape: { kind: 'number', least, most, isWhole: true }, ...others };
}

/** Bytes, written with their unit: `64MiB`, `10GB`. */
export function size<const R extends Rest & Bounds = Bare>(summary: string, rest?: R): Setting<Given<R, number>> {
  const { least = 0, most = Number.MAX_SAFE_INTEGER, ...others } = rest ?? {};
  return { summary, shape: { kind: 'size', least, most }, ...others };
}

/** Milliseconds, written with their unit: `500ms`, `30s`, `7d`. `words` stand for values, such as `forever`. */
export function span<const R extends Rest & Bounds & { words?: Record<string, number> } = Bare>(
  summary: string,
  rest?: R,
): Setting<Given<R, number>> {
  const { least = 0, most = Number.MAX_SAFE_INTEGER, words = {}, ...others } = rest ?? {};
  return { summary, shape: { kind: 'span', least, most, words }, ...others };
}

/** Any number of values; none unless told. */
export function list<T>(summary: string, of: Setting<T>, rest: Rest = {}): Setting<NonNullable<T>[]> {
  return { summary, shape: { kind: 'list', of }, default: [], ...rest };
}

/** Entries by name; none unless told. `key` says what the names are. */
export function map<T>(
  summary: string,
  of: Setting<T>,
  {
    key = 'NAME',
    keyPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    ...rest
  }: Rest & { key?: string; keyPattern?: RegExp } = {},
): Setting<Record<string, NonNullable<T>>> {
  return { summary, shape: { kind: 'map', of, key, keyPattern }, default: {}, ...rest };
}

type Keys = Readonly<Record<string, Setting>>;
type ValuesOf<K extends Keys> = { [P in keyof K]: ValueOf<K[P]> };

/** Keys that belong together. `reloads` holds for all of them. */
export function group<const K extends Keys>(summary: string, keys: K, rest: Rest = {}): Setting<ValuesOf<K>> {
  return { summary, shape: { kind: 'group', keys }, default: {}, ...rest };
}

/** A group that may be left out as a whole. */
export function optionalGroup<const K extends Keys>(
  summary: string,
  keys: K,
  rest: Rest = {},
): Setting<ValuesOf<K> | undefined> {
  return { summary, shape: { kind: 'group', keys }, ...rest };
}

/** Groups of several kinds of component; the key `type` says which. */
export function variant<const D extends Readonly<Record<string, { settings: Setting }>>>(
  summary: string,
  definitions: D,
): Setting<{ [P in keyof D & string]: { type: P } & ValueOf<D[P]['settings']> }[keyof D & string]> {
  const of = Object.fromEntries(Object.entries(definitions).map(([type, { settings }]) => [type, settings]));
  return { summary, shape: { kind: 'variant', of } };
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Bytes of a text such as `64MiB` or `1.5 GB`; undefined for anything else. */
export function sizeOf(written: string): number | undefined {
  const [, digits, unit] = /^(\d{1,12}(?:\.\d{1,6})?)\s*([kmgt]?i?b)$/i.exec(written.trim()) ?? [];
  return digits === undefined ? undefined : Math.round(Number(digits) * SIZE_UNITS[unit.toLowerCase()]);
}

const SPAN_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** Milliseconds of a text such as `500ms`, `1.5s` or `7d`; undefined for anything else. */
export function spanOf(written: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,6})?)\s*(ms|[smhdwy])$/.exec(written.trim()) ?? [];
  return digits === undefined ? undefined : Number(digits) * SPAN_UNITS[unit];
}
