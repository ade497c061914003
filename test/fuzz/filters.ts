import { Carrier } from '../../src/core/carrier.ts';
import { UserError } from '../../src/core/errors.ts';
import { MessageJoin } from '../../src/core/join.ts';
import { compileFilter } from '../../src/filter/compile.ts';
import { FIELDS } from '../../src/filter/fields/registry.ts';
import { MessageView } from '../../src/wire/message.ts';
import { mutateMessage } from './messages.ts';
import { Random } from './random.ts';

const RELATIONS = [
  '==',
  '!=',
  '===',
  '!==',
  '>',
  '<',
  '>=',
  '<=',
  'eq',
  'ne',
  'contains',
  'matches',
  '~',
  'in',
  'not in',
  '&',
];
const LITERALS = [
  '0',
  '1',
  '28',
  '0x1f',
  '-1',
  '4294967296',
  '1.5',
  "'a'",
  '"a"',
  '"www.example.com"',
  'r"\\."',
  '"(a+)+$"',
  '"[a-z"',
  '"\\xff\\u00e9"',
  '10.0.0.1',
  '10.0.0.0/8',
  '::1',
  '2001:db8::/32',
  '00:11:22:33:44:55',
  'ab:cd',
  'AAAA',
  'NXDOMAIN',
  'True',
  '"2023-11-14 22:13:30 UTC"',
  '<Root>',
  '.',
  '""',
  '{1, 2 .. 5}',
  '{"a", "b" .. "c"}',
  '{10.0.0.0/8, ::1}',
  '99999999999999999999',
  '012',
  '0b101',
]; // prettier-ignore
const FUNCTIONS = [
  'upper',
  'lower',
  'len',
  'count',
  'string',
  'max',
  'min',
  'abs',
  'vals',
  'dec',
  'hex',
  'float',
  'ip_rfc1918',
];
const SLICES = ['[0]', '[0:2]', '[-3:]', '[1-2]', '[:1,0]', '[65535:9]', '#1', '#[1-2]', '[:]', '[9-1]'];
const SCRAPS = '()[]{}"\'\\<>=!&|~^.,:;#@$%*/+-_ \t\n\0é😀aZ09'.split('');

/** Filters compiled, and of those how many were accepted. */
export interface FilterFuzzResult {
  filters: number;
  accepted: number;
}

/**
 * Compiles `count` random filter texts from `seed` and runs those accepted over mutated messages. A text that is refused
 * is refused with a `UserError`; nothing else may throw. The same seed gives the same texts.
 */
export function fuzzFilters(seeds: readonly Uint8Array[], count: number, seed: number): FilterFuzzResult {
  const random = new Random(seed);
  const carrier = new Carrier();
  const view = new MessageView();
  const join = new MessageJoin();
  const frame = new Uint8Array(4200);
  carrier.frame = frame;
  carrier.bytes = frame;
  const result = { filters: 0, accepted: 0 };
  for (; result.filters < count; result.filters++) {
    const text = random.below(4) === 0 ? scrambled(expression(random, 3), random) : expression(random, 3);
    const filter = tryFilter(text, random.below(8) === 0 ? 'wireshark' : 'nametap');
    if (filter === undefined) continue;
    result.accepted++;
    for (let i = 0; i < 4; i++) {
      const length = mutateMessage(frame.subarray(42), random.pick(seeds), random.pick(seeds), random);
      fillCarrier(carrier, length, random);
      view.read(frame, 42, length);
      try {
        filter.matches(carrier, view, join);
      } catch (error) {
        throw new Error(`the filter ${JSON.stringify(text)} threw`, { cause: error });
      }
    }
  }
  return result;
}

/** The compiled filter, undefined when the text is refused as it should be. Throws what a defect throws. */
export function tryFilter(
  text: string,
  compat: 'nametap' | 'wireshark' = 'nametap',
): ReturnType<typeof compileFilter> | undefined {
  try {
    return compileFilter(text, { compat });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw new Error(`the filter ${JSON.stringify(text)} threw`, { cause: error });
  }
}

function fillCarrier(carrier: Carrier, length: number, random: Random): void {
  carrier.capturedLength = carrier.wireLength = 42 + length;
  carrier.at = 42;
  carrier.length = carrier.claimedLength = length;
  const whole = random.below(4) > 0;
  carrier.ethernetAt = whole ? 0 : -1;
  carrier.ipAt = whole ? 14 : -1;
  carrier.transportAt = whole ? 34 : -1;
  carrier.family = random.below(2) === 0 ? 4 : 6;
  carrier.protocol = random.below(4);
  carrier.transport = random.below(2) === 0 ? 17 : 6;
  carrier.source3 = random.below(0xffffffff);
  carrier.vlan = random.below(3) - 1;
}

function expression(random: Random, depth: number): string {
  switch (random.below(depth > 0 ? 12 : 6)) {
    case 0:
      return operand(random, 1);
    case 1:
    case 2:
      return `${operand(random, 1)} ${random.pick(RELATIONS)} ${operand(random, 2)}`;
    case 3:
    case 4:
    case 5:
      return fitting(random);
    case 6:
      return `not ${expression(random, depth - 1)}`;
    case 7:
      return `(${expression(random, depth - 1)})`;
    case 8:
      return `${random.pick(['any', 'all'])} ${operand(random, 0)} ${random.pick(RELATIONS)} ${random.pick(LITERALS)}`;
    default:
      return `${expression(random, depth - 1)} ${random.pick(['and', 'or', '&&', '||', 'xor', '^^'])} ${expression(random, depth - 1)}`;
  }
}

const TEXTS = ['"a"', '"www.example.com"', '"EXAMPLE"', '""', 'r"\\.com"', '"(a+)+$"', '"\\xff"', '"<Root>"'];
const NUMBERS = ['0', '1', '28', '0x1f', '012', '65535', '{1, 28, 64 .. 65}', '{0 .. 255}'];
/** What fits a type of field. */
const FITTING: Readonly<Record<string, readonly string[]>> = {
  FT_STRING: TEXTS,
  FT_BOOLEAN: ['1', '0', 'True', 'false'],
  FT_IPv4: ['10.0.0.1', '10.0.0.0/8', '{10.0.0.0/8, 192.0.2.1 .. 192.0.2.9}'],
  FT_IPv6: ['::1', '2001:db8::/32', '{::1, 2001:db8::/32}'],
  FT_ETHER: ['00:11:22:33:44:55'],
  FT_BYTES: ['ab:cd', '"a"', '00'],
  FT_PROTOCOL: ['00:35', '"a"'],
  FT_RELATIVE_TIME: ['0.1', '5', '-1'],
  FT_ABSOLUTE_TIME: ['"2023-11-14 22:13:30 UTC"', '"2023-11-14T22:13:30Z"'],
};

/** A comparison whose sides fit each other. */
function fitting(random: Random): string {
  const { name, type } = random.pick(FIELDS);
  const literals = FITTING[type] ?? NUMBERS;
  const textual = type === 'FT_STRING' || type === 'FT_BYTES' || type === 'FT_PROTOCOL';
  const relations = textual
    ? ['==', '!=', 'contains', 'matches', '>', '<=']
    : ['==', '!=', '===', '!==', '>', '<=', 'in'];
  return `${name} ${random.pick(relations)} ${random.pick(literals)}`;
}

/** `level` 0: a field; 1: mostly one; 2: mostly a literal. */
function operand(random: Random, level: number): string {
  const field = () => random.pick(FIELDS).name;
  if (level === 2 && random.below(5) > 0) return random.pick(LITERALS);
  switch (level === 0 ? 9 : random.below(10)) {
    case 0:
      return `${random.pick(FUNCTIONS)}(${operand(random, 1)})`;
    case 1:
      return `${field()}${random.pick(SLICES)}`;
    case 2:
      return `{${field()} ${random.pick(['+', '-', '*', '/', '%', '&'])} ${random.pick(LITERALS)}}`;
    case 3:
      return `@${field()}`;
    case 4:
      return random.pick(LITERALS);
    default:
      return field();
  }
}

function scrambled(text: string, random: Random): string {
  const points = Array.from(text);
  for (let n = 1 + random.below(4); n > 0; n--) {
    const at = random.below(points.length + 1);
    const kind = random.below(3);
    points.splice(at, kind === 0 ? 1 + random.below(3) : 0, ...(kind === 1 ? [] : [random.pick(SCRAPS)]));
    if (kind === 1) points.splice(at, 0, ...points.slice(at, at + random.below(20)));
  }
  return points.join('');
}
