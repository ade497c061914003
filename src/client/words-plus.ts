import { UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { OPCODES, OPTIONS } from '../wire/iana.ts';
import type { EdnsRequest } from './question.ts';
import type { TransportName } from './server.ts';
import type { OutputName, QueryWords, ShowParts } from './words.ts';

/** A `+option`: what it says in help, whether it has a value, and what it does. `isOn` is false behind `no`. */
export interface PlusOption {
  name: string;
  /** Name of its value; `[VALUE]` may be left out; absent: a switch. */
  value?: string;
  summary: string;
  set(words: QueryWords, isOn: boolean, value: string | undefined): void;
}

const flag = (name: string, summary: string, bit: string): PlusOption => ({
  name,
  summary,
  set: ({ flags }, isOn) => void (isOn ? flags.add(bit) : flags.delete(bit)),
});

const edns = (
  name: string,
  summary: string,
  part: (isOn: boolean, value?: string) => Partial<EdnsRequest>,
  value?: string,
): PlusOption => ({
  name,
  summary,
  ...(value !== undefined && { value }),
  set: (words, isOn, given) => {
    words.edns = { ...words.edns, ...part(isOn, given) };
  },
});

const part = (name: keyof ShowParts, summary: string): PlusOption => ({
  name,
  summary,
  set: ({ show }, isOn) => {
    show[name] = isOn;
  },
});

const over = (name: string, transport: TransportName, summary: string): PlusOption => ({
  name,
  summary,
  set: (words, isOn) => {
    words.transport = isOn ? transport : 'udp';
  },
});

const output = (name: string, as: OutputName, summary: string): PlusOption => ({
  name,
  summary,
  set: (words, isOn) => {
    words.output = isOn ? as : undefined;
  },
});

const needed = (name: string, value: string | undefined): string => {
  if (value === undefined || value === '') throw new UserError(`+${name} wants a value: +${name}=….`);
  return value;
};

const number = (name: string, value: string | undefined, from: number, to: number): number => {
  const n = Number(needed(name, value));
  if (!Number.isFinite(n) || n < from || n > to || !/^[\d.]+$|^0x[0-9a-f]+$/i.test(value ?? '')) {
    throw new UserError(`+${name} wants a number from ${from} to ${to}, not '${plainText(value ?? '')}'.`);
  }
  return n;
};

/** Every `+option`, in the order of the guide. */
export const PLUS_OPTIONS: readonly PlusOption[] = [
  {
    name: 'recurse',
    summary: 'ask the server to find out (RD); on',
    set: (words, isOn) => void (words.recursionDesired = isOn),
  },
  { name: 'rdflag', summary: 'the same', set: (words, isOn) => void (words.recursionDesired = isOn) },
  over('tcp', 'tcp', 'over TCP'),
  over('vc', 'tcp', 'the same'),
  over('tls', 'tls', 'over TLS (DoT), its certificate checked'),
  {
    name: 'https',
    value: '[PATH]',
    summary: 'over HTTPS (DoH)',
    set: (words, isOn, value) => {
      words.transport = isOn ? 'https' : 'udp';
      words.path = value ?? words.path;
    },
  },
  {
    name: 'https-get',
    value: '[PATH]',
    summary: 'the same with GET, which caches may keep',
    set: (words, isOn, value) => {
      words.transport = isOn ? 'https' : 'udp';
      words.httpGet = isOn;
      words.path = value ?? words.path;
    },
  },
  { name: 'tls-verify', summary: 'check certificates; on', set: ({ tls }, isOn) => void (tls.verify = isOn) },
  {
    name: 'tls-ca',
    value: 'FILE',
    summary: 'authorities to trust, PEM',
    set: ({ tls }, _, value) => void (tls.ca = needed('tls-ca', value)),
  },
  {
    name: 'tls-hostname',
    value: 'NAME',
    summary: 'name the certificate has to hold',
    set: ({ tls }, _, value) => void (tls.name = needed('tls-hostname', value)),
  },
  {
    name: 'tls-pin',
    value: 'BASE64',
    summary: 'the only key to trust (SHA-256 of its SPKI)',
    set: ({ tls }, _, value) => void (tls.pin = needed('tls-pin', value)),
  },
  edns('dnssec', 'ask for signatures (DO)', (isOn) => ({ do: isOn })),
  edns('do', 'the same', (isOn) => ({ do: isOn })),
  {
    name: 'subnet',
    value: 'NETWORK',
    summary: 'client subnet, such as 192.0.2.0/24; 0 for none',
    set: (words, isOn, value) => {
      const { subnet: _, ...rest } = words.edns ?? {};
      words.edns = isOn ? { ...rest, subnet: needed('subnet', value) } : rest;
    },
  },
  edns('nsid', 'which of its servers answered', (isOn) => ({ nsid: isOn })),
  edns(
    'cookie',
    'a cookie of our own, or these octets; on',
    (isOn, value) => ({ cookie: isOn && value !== undefined ? value : isOn }),
    '[HEX]',
  ),
  edns(
    'bufsize',
    'bytes a UDP answer may have; 1232',
    (_, value) => ({ size: number('bufsize', value, 0, 65_535) }),
    'BYTES',
  ),
  edns(
    'padding',
    'pad to a multiple of so many bytes; 128 over TLS and HTTPS',
    (isOn, value) => ({ padding: isOn ? number('padding', value ?? '128', 0, 512) : 0 }),
    '[BYTES]',
  ),
  edns('expire', 'when a secondary would give the zone up', (isOn) => ({ expire: isOn })),
  edns('keepalive', 'how long the server keeps a TCP connection', (isOn) => ({ keepalive: isOn })),
  edns(
    'ednsflags',
    'other bits of EDNS flags',
    (_, value) => ({ flags: number('ednsflags', value, 0, 65_535) }),
    'BITS',
  ),
  {
    name: 'ednsopt',
    value: 'CODE[:HEX]',
    summary: 'another option of EDNS',
    set: (words, isOn, value) => {
      const options = isOn ? [...(words.edns?.options ?? []), ednsOption(needed('ednsopt', value))] : [];
      words.edns = { ...words.edns, options };
    },
  },
  {
    name: 'edns',
    value: '[VERSION]',
    summary: 'EDNS; on',
    set: (words, isOn, value) => {
      words.edns = isOn ? { ...words.edns, version: number('edns', value ?? '0', 0, 255) } : null;
    },
  },
  {
    name: 'ednsnegotiation',
    summary: 'ask again as the server understands; on',
    set: (words, isOn) => void (words.ednsFallback = isOn),
  },
  flag('adflag', 'ask whether the answer was validated (AD); on', 'ad'),
  flag('cdflag', 'take what does not validate, too (CD)', 'cd'),
  flag('aaflag', 'set AA', 'aa'),
  flag('aaonly', 'the same', 'aa'),
  flag('zflag', 'set the bit that must be zero', 'z'),
  {
    name: 'timeout',
    value: 'SECONDS',
    summary: 'for each try; 5',
    set: (words, _, value) => void (words.timeoutMs = number('timeout', value, 0.001, 3600) * 1000),
  },
  {
    name: 'time',
    value: 'SECONDS',
    summary: 'the same',
    set: (words, _, value) => void (words.timeoutMs = number('time', value, 0.001, 3600) * 1000),
  },
  {
    name: 'tries',
    value: 'N',
    summary: 'how often to ask; 3',
    set: (words, _, value) => void (words.tries = Math.max(1, Math.floor(number('tries', value, 0, 100)))),
  },
  {
    name: 'retry',
    value: 'N',
    summary: 'how often to ask again; 2',
    set: (words, _, value) => void (words.tries = Math.floor(number('retry', value, 0, 100)) + 1),
  },
  {
    name: 'ignore',
    summary: 'take a cut answer, do not ask over TCP',
    set: (words, isOn) => void (words.fallbackToTcp = !isOn),
  },
  {
    name: '0x20',
    summary: 'letters in random cases, which the answer has to repeat',
    set: (words, isOn) => void (words.caseRandom = isOn),
  },
  {
    name: 'rewriting',
    summary: 'ask for names nobody has, too: does the server make answers up?',
    set: (words, isOn) => void (words.checkRewriting = isOn),
  },
  {
    name: 'search',
    summary: "try the domains of this machine's resolv.conf",
    set: (words, isOn) => void (words.useSearch = isOn),
  },
  {
    name: 'opcode',
    value: 'CODE',
    summary: 'another operation, such as NOTIFY',
    set: (words, isOn, value) => {
      const code = isOn ? OPCODES.number(needed('opcode', value)) : 0;
      if (code < 0) throw new UserError(`'${plainText(value ?? '')}' is not an operation of DNS.`);
      words.opcode = OPCODES.name(code);
    },
  },
  {
    name: 'trace',
    summary: 'follow the delegations from the root: nametap trace',
    set: (words, isOn) => void (words.trace = isOn),
  },
  {
    name: 'nssearch',
    summary: 'ask all name servers of the zone: nametap trace --all',
    set: (words, isOn) => void (words.trace = words.allServers = isOn),
  },
  output('short', 'short', 'only the data'),
  output('dig', 'dig', "dig's text"),
  output('json', 'json', 'JSON (RFC 8427)'),
  output('yaml', 'yaml', 'YAML, as dig writes it'),
  {
    name: 'all',
    summary: "all parts of dig's text, or with +noall none",
    set: ({ show }, isOn) => {
      for (const name of Object.keys(show) as (keyof ShowParts)[]) show[name] = isOn;
    },
  },
  part('cmd', 'what was asked'),
  part('comments', 'header, EDNS and titles'),
  part('question', 'the question section'),
  part('answer', 'the answer section'),
  part('authority', 'the authority section'),
  part('additional', 'the additional section'),
  part('stats', 'time, server and size'),
];

const byName = new Map(PLUS_OPTIONS.map((option) => [option.name, option]));

/** Sets one `+option` (`norecurse`, `time=2`, `rec`): unambiguous beginnings do, as in dig. Throws `UserError`. */
export function plusOption(text: string, words: QueryWords): void {
  const equals = text.indexOf('=');
  const name = (equals < 0 ? text : text.slice(0, equals)).toLowerCase();
  const value = equals < 0 ? undefined : text.slice(equals + 1);
  const isNegated = !byName.has(name) && name.startsWith('no') && findOption(name.slice(2)).length > 0;
  const found = findOption(isNegated ? name.slice(2) : name);
  const [option] = found;
  if (option === undefined) {
    throw new UserError(`There is no option +${plainText(text)}. nametap query +help lists them.`);
  }
  if (found.length > 1) {
    const names = found.map((one) => `+${one.name}`).join(', ');
    throw new UserError(`+${plainText(text)} could be ${names}. Write a letter more.`);
  }
  if (value !== undefined && option.value === undefined) throw new UserError(`+${option.name} takes no value.`);
  option.set(words, !isNegated, value);
  // dig's switches of sections mean its text.
  if (option.name in words.show || option.name === 'all') words.output ??= 'dig';
}

function findOption(name: string): PlusOption[] {
  const exact = byName.get(name);
  if (exact !== undefined) return [exact];
  return name.length < 2 ? [] : PLUS_OPTIONS.filter((option) => option.name.startsWith(name));
}

/** An option of `+ednsopt`: `CODE[:HEX]`, the code as number or name. */
function ednsOption(text: string): { code: number; data: string } {
  const [name, hex = ''] = text.split(':');
  const code = OPTIONS.number(name);
  if (code < 0 || !/^(?:[0-9a-f]{2})*$/i.test(hex)) {
    throw new UserError(
      `+ednsopt wants a code and octets, such as +ednsopt=10:0123456789abcdef; not '${plainText(text)}'.`,
    );
  }
  return { code, data: `\\# ${hex.length / 2}${hex === '' ? '' : ` ${hex}`}` };
}
