import { showValue } from './fields/field.ts';
import type { Source } from './source.ts';
import { compareValues, octetsOf, type Kind, type Subject, type Value, Values } from './value.ts';

/** A function of the filter language. */
interface FilterFunction {
  readonly most: number;
  /** What it takes, in words. */
  readonly wanted: string;
  takes(source: Source): boolean;
  make(args: readonly Source[]): Omit<Source, 'what'>;
}

/** A function that turns each value of its argument into one, or into none. */
function each(
  wanted: string,
  takes: (source: Source) => boolean,
  kind: Kind,
  apply: (value: Value, source: Source) => Value | undefined,
): FilterFunction {
  return {
    most: 1,
    wanted,
    takes,
    make([source]) {
      const values = new Values();
      return {
        kind,
        read(subject, out) {
          values.clear();
          source.read(subject, values);
          for (let i = 0; i < values.count; i++) {
            const made = apply(values.list[i], source);
            if (made !== undefined) out.add(made);
          }
        },
      };
    },
  };
}

const isText = (source: Source): boolean => source.kind === 'text' || source.kind === 'name';
const isNumber = (source: Source): boolean =>
  source.kind === 'uint' || source.kind === 'double' || source.kind === 'span' || source.kind === 'bool';
const isAddress = (source: Source): boolean => source.kind === 'ipv4' || source.kind === 'ipv6';
const isField = (source: Source): boolean => source.field !== undefined;

/** Octets of a value: of text in UTF-8, of a number its width. */
function lengthOf(value: Value, source: Source): number {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return source.kind === 'bool' ? 1 : source.kind === 'uint' ? (source.octets ?? 4) : 8;
  }
  return octetsOf(value).length;
}

/** One value from all values of all arguments, or none from none. */
function gathered(
  wanted: string,
  takes: (source: Source) => boolean,
  pick: (a: Value, b: Value) => Value,
): FilterFunction {
  return {
    most: 16,
    wanted,
    takes,
    make(args) {
      const values = new Values();
      return {
        kind: args.some(({ kind }) => kind === 'double') ? 'double' : args[0].kind,
        read(subject, out) {
          values.clear();
          for (const arg of args) arg.read(subject, values);
          if (values.count === 0) return;
          let best = values.list[0];
          for (let i = 1; i < values.count; i++) best = pick(best, values.list[i]);
          out.add(best);
        },
      };
    },
  };
}
const isOrdered = (source: Source): boolean => isNumber(source) || source.kind === 'time';

/** How often a field is there: always one value, 0 too. */
const count: FilterFunction = {
  most: 1,
  wanted: 'a field',
  takes: isField,
  make([source]) {
    const values = new Values();
    return {
      kind: 'uint',
      read(subject: Subject, out: Values) {
        values.clear();
        source.read(subject, values);
        out.add(values.count);
      },
    };
  },
};

/** Networks with a meaning of their own (RFC 6890 and its registries), the narrowest first. */
const SPECIAL: readonly (readonly [network: string, bits: number, name: string])[] = [
  ['0.0.0.0', 8, '"This network"'],
  ['10.0.0.0', 8, 'Private-Use'],
  ['100.64.0.0', 10, 'Shared Address Space'],
  ['127.0.0.0', 8, 'Loopback'],
  ['169.254.0.0', 16, 'Link Local'],
  ['172.16.0.0', 12, 'Private-Use'],
  ['192.0.0.0', 24, 'IETF Protocol Assignments'],
  ['192.0.2.0', 24, 'Documentation (TEST-NET-1)'],
  ['192.88.99.0', 24, '6to4 Relay Anycast'],
  ['192.168.0.0', 16, 'Private-Use'],
  ['198.18.0.0', 15, 'Benchmarking'],
  ['198.51.100.0', 24, 'Documentation (TEST-NET-2)'],
  ['203.0.113.0', 24, 'Documentation (TEST-NET-3)'],
  ['255.255.255.255', 32, 'Limited Broadcast'],
  ['240.0.0.0', 4, 'Reserved'],
  ['0:0:0:0:0:0:0:1', 128, 'Loopback Address'],
  ['0:0:0:0:0:0:0:0', 128, 'Unspecified Address'],
  ['0:0:0:0:0:ffff:0:0', 96, 'IPv4-mapped Address'],
  ['64:ff9b:0:0:0:0:0:0', 96, 'IPv4-IPv6 Translation'],
  ['64:ff9b:1:0:0:0:0:0', 48, 'IPv4-IPv6 Translation'],
  ['100:0:0:0:0:0:0:0', 64, 'Discard-Only Address Block'],
  ['2001:0:0:0:0:0:0:0', 32, 'TEREDO'],
  ['2001:db8:0:0:0:0:0:0', 32, 'Documentation'],
  ['2001:0:0:0:0:0:0:0', 23, 'IETF Protocol Assignments'],
  ['2002:0:0:0:0:0:0:0', 16, '6to4'],
  ['fc00:0:0:0:0:0:0:0', 7, 'Unique-Local'],
  ['fe80:0:0:0:0:0:0:0', 10, 'Link-Local Unicast'],
];
const specialNetworks = SPECIAL.map(([network, bits, name]) => ({
  octets: network.includes(':')
    ? Uint8Array.from(
        network.split(':').flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
      )
    : Uint8Array.from(network.split('.').map(Number)),
  bits,
  name,
}));

/** True when the first `bits` bits are the same. */
export function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  if (a.length !== b.length) return false;
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (a[i] !== b[i]) return false;
  const rest = bits & 7;
  return rest === 0 || (a[whole] ^ b[whole]) >> (8 - rest) === 0;
}

function specialOf(value: Value): (typeof specialNetworks)[number] | undefined {
  return specialNetworks.find(({ octets, bits }) => samePrefix(value as Uint8Array, octets, bits));
}

function addressTest(test: (octets: Uint8Array) => boolean): FilterFunction {
  return each('an address', isAddress, 'bool', (value) => (test(value as Uint8Array) ? 1 : 0));
}

/** Text of a value: numbers in decimal, everything else as it is printed. */
function textOf(value: Value, { field, kind }: Source): string | undefined {
  if (field === undefined) return undefined;
  return kind === 'uint' ? String(value) : showValue(field, value);
}

/** Every function, by name. */
export const FUNCTIONS: ReadonlyMap<string, FilterFunction> = new Map([
  ['lower', each('text', isText, 'text', (value) => String(value).toLowerCase())],
  ['upper', each('text', isText, 'text', (value) => String(value).toUpperCase())],
  ['len', each('a field', () => true, 'uint', lengthOf)],
  ['count', count],
  ['string', each('a field that is no text', (source) => isField(source) && !isText(source), 'text', textOf)],
  [
    'vals',
    each(
      'a field whose values have names',
      (source) => source.names !== undefined && isField(source),
      'text',
      (value, source) => source.names?.text(Number(value)),
    ),
  ],
  ['dec', each('a whole number', (source) => source.kind === 'uint', 'text', String)],
  [
    'hex',
    each(
      'a whole number',
      (source) => source.kind === 'uint',
      'text',
      (value, source) =>
        `0x${Number(value)
          .toString(16)
          .padStart(2 * (source.octets ?? 1), '0')}`,
    ),
  ],
  ['float', each('a number', isNumber, 'double', toDouble)],
  ['double', each('a number', isNumber, 'double', toDouble)],
  ['max', gathered('numbers', isOrdered, (a, b) => (compareValues(a, b) < 0 ? b : a))],
  ['min', gathered('numbers', isOrdered, (a, b) => (compareValues(a, b) > 0 ? b : a))],
  ['abs', { ...absolute('uint'), make: ([source]) => absolute(source.kind).make([source]) }],
  ['ip_special_name', each('an address', isAddress, 'text', (value) => specialOf(value)?.name)],
  ['ip_special_mask', each('an address', isAddress, 'uint', (value) => specialOf(value)?.bits)],
  [
    'ip_linklocal',
    addressTest((o) => (o.length === 4 ? o[0] === 169 && o[1] === 254 : o[0] === 0xfe && (o[1] & 0xc0) === 0x80)),
  ],
  ['ip_multicast', addressTest((o) => (o.length === 4 ? o[0] >> 4 === 14 : o[0] === 0xff))],
  [
    'ip_rfc1918',
    addressTest(
      (o) => o.length === 4 && (o[0] === 10 || (o[0] === 172 && o[1] >> 4 === 1) || (o[0] === 192 && o[1] === 168)),
    ),
  ],
  ['ip_ula', addressTest((o) => o.length === 16 && (o[0] & 0xfe) === 0xfc)],
]);

function absolute(kind: Kind): FilterFunction {
  return each('a number', isNumber, kind, (value) => Math.abs(Number(value)));
}

function toDouble(value: Value, source: Source): number {
  return source.kind === 'span' ? Number(value) / 1e9 : Number(value);
}
