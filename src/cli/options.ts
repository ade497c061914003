import { availableParallelism } from 'node:os';
import { isIP } from 'node:net';
import { isatty } from 'node:tty';
import type { OptionDefinition, OptionValues } from '../core/definition.ts';
import { UserError } from '../core/errors.ts';
import { addressWords, type Network } from '../core/network.ts';
import { spanOf } from '../core/settings.ts';
import type { RunPlan } from '../app/plan.ts';
import { VANTAGES, type Vantage } from '../core/transactions.ts';
import { plainText } from '../core/figures.ts';

/** Options that several commands have; each means the same everywhere. */
export const FILTER = {
  name: 'filter',
  letter: 'Y',
  value: 'FILTER',
  summary: "display filter, in Wireshark's language: only what passes",
} as const satisfies OptionDefinition;
export const FILTER_COMPAT = {
  name: 'filter-compat',
  value: 'MODE',
  summary: 'how filters compare names: folding case, or exactly as Wireshark',
  choices: ['nametap', 'wireshark'],
} as const satisfies OptionDefinition;
export const DECODE_AS = {
  name: 'decode-as',
  letter: 'd',
  value: 'RULE',
  summary: 'take a further port for DNS: udp.port==N,dns or tcp.port==N,dns',
  many: true,
} as const satisfies OptionDefinition;
export const THREADS = {
  name: 'threads',
  value: 'N',
  summary: 'worker threads; 0 = none (default: what pays for the input)',
} as const satisfies OptionDefinition;
export const SAMPLE = {
  name: 'sample',
  value: '1/N|off',
  summary: 'only one in N clients, counts scaled; live, a full ring does so too unless it is off',
} as const satisfies OptionDefinition;
export const COLOR = {
  name: 'color',
  value: 'WHEN',
  summary: 'colours',
  choices: ['auto', 'always', 'never'],
  default: 'auto',
} as const satisfies OptionDefinition;
export const SENSOR = {
  name: 'sensor',
  value: 'NAME',
  summary: 'name of this sensor, told in every transaction',
} as const satisfies OptionDefinition;
export const DNSTAP = {
  name: 'dnstap',
  value: 'FROM',
  summary:
    'messages of senders or files: dnstap as unix:/PATH, tcp:[HOST:]PORT, FILE or -, PowerDNS as powerdns:[HOST:]PORT',
  many: true,
} as const satisfies OptionDefinition;
export const DNSTAP_TLS = [
  { name: 'tls-cert', value: 'FILE', summary: 'certificate (PEM): dnstap senders on TCP must use TLS' },
  { name: 'tls-key', value: 'FILE', summary: 'key (PEM) of the certificate' },
  { name: 'tls-ca', value: 'FILE', summary: 'authority (PEM) whose certificate a sender must show' },
] as const satisfies OptionDefinition[];
/** Where live frames come from. */
export const CAPTURE = [
  {
    name: 'interface',
    letter: 'i',
    value: 'NAME',
    summary: 'interface to listen on; any = all of them (the default)',
    many: true,
  },
  { name: 'capture-filter', letter: 'f', value: 'FILTER', summary: "capture filter, in tcpdump's language" },
  { name: 'no-promiscuous', letter: 'p', summary: 'do not put the interface into promiscuous mode' },
  { name: 'user', value: 'NAME', summary: 'user to become once capture has begun (default: SUDO_USER, else nobody)' },
] as const satisfies OptionDefinition[];

/** Formats of `-T`, in the order of the manual (those of `app/catalog.ts`: a test holds the two together). */
export const FORMATS = [
  'text',
  'fields',
  'ek',
  'json',
  'ndjson',
  'csv',
  'tree',
  'zeek',
  'eve',
  'ecs',
  'cof',
  'flat',
] as const;
export const RESOLVER = {
  name: 'resolver',
  value: 'ADDR[/N]',
  summary: 'own resolver, or a network of them, for --paths and --vantage; others are learned from the traffic',
  many: true,
} as const satisfies OptionDefinition;
/** How queries and responses are joined. */
export const MATCHING = [
  { name: 'timeout', value: 'SPAN', summary: 'a query is unanswered so long after its last copy', default: '5s' },
  { name: 'late', value: 'SPAN', summary: 'so long a response is late, and no orphan', default: '30s' },
  { name: 'skew', value: 'SPAN', summary: 'a response may be stamped so much before its query', default: '1ms' },
  {
    name: 'vantage',
    value: 'PLACE',
    summary: 'where the capture was made, which tells the leg of a transaction',
    choices: VANTAGES,
  },
] as const satisfies OptionDefinition[];
/** How lines look, for commands that print them. */
export const LINES = [
  {
    name: 'format',
    letter: 'T',
    value: 'FORMAT',
    summary: 'output format (default: text; fields with -e)',
    choices: FORMATS,
  },
  {
    name: 'unit',
    value: 'UNIT',
    summary: "what a line is (default: the format's usual one)",
    choices: ['packet', 'message', 'transaction', 'rrset'],
  },
  {
    name: 'field',
    letter: 'e',
    value: 'FIELD',
    summary: 'field to print, with -T fields; see nametap fields',
    many: true,
  },
  {
    name: 'fields-option',
    letter: 'E',
    value: 'KEY=VALUE',
    summary: 'header=y, separator=/t, aggregator=, occurrence=f|l|a, quote=d|s|n, escape=y, bom=y',
    many: true,
  },
  { name: 'paths', summary: "a client's query with the queries it made its resolver send (in JSON: leg, parent)" },
  RESOLVER,
  { name: 'offsets', summary: 'with -T tree: offset, length and meaning of every field' },
  { name: 'count', letter: 'c', value: 'N', summary: 'end after N lines' },
  { name: 'quiet', letter: 'q', summary: 'print no lines' },
] as const satisfies OptionDefinition[];

/** The text of an option; undefined when it is not given, or empty. */
export function textOption(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** All values of an option that may be repeated. */
export function listOption(options: OptionValues, name: string): string[] {
  const value = options[name];
  return Array.isArray(value) ? value : typeof value === 'string' ? [value] : [];
}

/** Whether the legs of a resolver are to be linked: `--resolver` alone asks for it, with `--vantage` it tells legs. */
export function linksPaths(options: OptionValues): boolean {
  return options.paths === true || (listOption(options, RESOLVER.name).length > 0 && options.vantage === undefined);
}

/** What MATCHING and `--resolver` say. Throws UserError. */
export function matchOption(options: OptionValues): RunPlan['match'] {
  const nanos = (name: string) => {
    const written = textOption(options, name);
    if (written === undefined) return undefined;
    const milliseconds = spanOf(written);
    if (milliseconds === undefined || milliseconds > 3_600_000) {
      throw new UserError(
        `--${name} wants a span of at most an hour, such as 500ms or 5s, not "${plainText(written)}".`,
      );
    }
    return milliseconds * 1e6;
  };
  const timeoutNanos = nanos('timeout');
  if (timeoutNanos === 0) throw new UserError('--timeout must be longer than nothing, such as 5s.');
  return {
    timeoutNanos,
    lateNanos: nanos('late'),
    skewNanos: nanos('skew'),
    vantage: textOption(options, 'vantage') as Vantage | undefined,
    resolvers: resolversOption(options),
  };
}

/** Addresses and networks of `--resolver`. Throws UserError. */
export function resolversOption(options: OptionValues): Network[] {
  return listOption(options, 'resolver').map((text) => {
    const [address, bits] = text.split('/');
    const family = isIP(address) as 0 | 4 | 6;
    const most = family === 4 ? 32 : 128;
    if (family === 0 || (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= most))) {
      throw new UserError(`--resolver wants an address or a network such as 192.0.2.0/24, not "${plainText(text)}".`);
    }
    return { family, words: addressWords(family, address), bits: bits === undefined ? most : Number(bits) };
  });
}

/** A whole number of at most nine digits. Throws UserError. */
export function wholeNumber<T extends number | undefined>(
  options: OptionValues,
  name: string,
  otherwise: T,
): number | T {
  const value = options[name];
  if (value === undefined) return otherwise;
  if (!/^[0-9]{1,9}$/.test(String(value))) {
    throw new UserError(`--${name} wants a whole number, not "${plainText(String(value))}".`);
  }
  return Number(value);
}

const SUFFIXES: Record<string, number> = { '': 1 << 20, k: 1 << 10, m: 1 << 20, g: 1 << 30 };

/** A size such as `64`, `64MiB`, `512k` or `1G`; a bare number means MiB, as in dumpcap's -B. Throws UserError. */
export function sizeOption(options: OptionValues, name: string): number | undefined {
  const value = textOption(options, name);
  if (value === undefined) return undefined;
  const parts = /^(\d{1,7}(?:\.\d{1,3})?)\s*(?:([kmg]?)(?:i?b)?)$/i.exec(value);
  const bytes = parts === null ? Number.NaN : Math.round(Number(parts[1]) * SUFFIXES[parts[2].toLowerCase()]);
  if (bytes > 0) return bytes;
  throw new UserError(`--${name} wants a size such as 64 (MiB), 512KiB or 1GiB, not "${plainText(value)}".`);
}

/** What the options of `CAPTURE` say. */
export function captureOptions(options: OptionValues): {
  kind: 'live';
  interfaces: string[];
  captureFilter?: string;
  promiscuous: boolean;
} {
  const interfaces = listOption(options, 'interface');
  return {
    kind: 'live',
    interfaces: interfaces.length > 0 ? interfaces : ['any'],
    captureFilter: textOption(options, 'capture-filter'),
    promiscuous: options['no-promiscuous'] !== true,
  };
}

/** Ports of `-d`. Throws UserError. */
export function decodeAs(options: OptionValues): { udpPorts: number[]; tcpPorts: number[] } {
  const ports = { udpPorts: [] as number[], tcpPorts: [] as number[] };
  for (const rule of listOption(options, DECODE_AS.name)) {
    const parts = /^\s*(udp|tcp)\.port\s*==\s*(\d{1,5})\s*,\s*dns\s*$/.exec(rule);
    const port = Number(parts?.[2]);
    if (parts === null || port === 0 || port > 65535) {
      throw new UserError(
        `-d "${plainText(rule)}" is not understood. Write -d udp.port==5300,dns or tcp.port==5300,dns.`,
      );
    }
    ports[parts[1] === 'udp' ? 'udpPorts' : 'tcpPorts'].push(port);
  }
  return ports;
}

/** Files for TLS of a dnstap listener; undefined without. Throws UserError when one of two is missing. */
export function tlsOption(
  options: OptionValues,
): { certificate: string; key: string; clientAuthority?: string } | undefined {
  const certificate = textOption(options, 'tls-cert');
  const key = textOption(options, 'tls-key');
  const clientAuthority = textOption(options, 'tls-ca');
  if (certificate !== undefined && key !== undefined) return { certificate, key, clientAuthority };
  if (certificate === undefined && key === undefined && clientAuthority === undefined) return undefined;
  throw new UserError('TLS wants both --tls-cert and --tls-key.');
}

/** Whether a terminal's lines are coloured: `--color`, then NO_COLOR and its like, then what fd 1 is. */
export function useColor(options: OptionValues): boolean {
  const when = textOption(options, COLOR.name) ?? 'auto';
  if (when !== 'auto') return when === 'always';
  const { NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if ((CLICOLOR_FORCE && CLICOLOR_FORCE !== '0') || (FORCE_COLOR && FORCE_COLOR !== '0')) return true;
  return TERM !== 'dumb' && isatty(1);
}

/** Columns of the terminal on standard output; undefined without. */
export function terminalWidth(): number | undefined {
  // A serial console, or `script`, may say that it has none.
  return isatty(1) && process.stdout.columns > 0 ? process.stdout.columns : undefined;
}

/** Cores that may work for one run: more bring no more. */
export function usefulCores(): number {
  return Math.min(4, availableParallelism());
}

/** What `--sample` says of a plan. Throws UserError. */
export function sampleOption(options: OptionValues): Pick<RunPlan, 'sample' | 'sampleWhenFull'> {
  const value = textOption(options, SAMPLE.name);
  if (value === undefined) return {};
  if (value === 'off') return { sampleWhenFull: false };
  const parts = /^1\/([1-9]\d{0,5})$/.exec(value);
  if (parts === null) throw new UserError(`--sample wants a fraction such as 1/10, or off, not "${plainText(value)}".`);
  return { sample: Number(parts[1]) };
}
