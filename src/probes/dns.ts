import { isIP } from 'node:net';
import { addressText } from '../core/address.ts';
import { UserError } from '../core/errors.ts';
import { addressWords } from '../core/network.ts';
import type { ProbeMetric, ProbeResult } from '../core/probe.ts';
import { choice, flag, group, list, span, text, type ValueOf, whole } from '../core/settings.ts';
import { exchange, type Exchange } from '../client/exchange.ts';
import { parseServer, PORTS, type TransportName } from '../client/server.ts';
import type { Message } from '../rr/value.ts';
import { failureOf } from './failure.ts';
import { numberOf } from './metrics.ts';
import { patternSetting } from './pattern.ts';
import { probe, type ProbeContext, Trial } from './probe.ts';
import { FAMILIES } from './resolve.ts';

const TRANSPORTS = ['udp', 'tcp', 'tls', 'https'] as const;

const settings = group('DNS over any transport: what a server answers, and how fast.', {
  query_name: text('Name to ask for.', { default: '.' }),
  query_type: text('Type to ask for.', { default: 'NS' }),
  transport: choice('Transport, unless the target says one (tls://…).', TRANSPORTS, { default: 'udp' }),
  family: choice('Addresses of the server to use, where it is given by name.', FAMILIES, { default: 'any' }),
  recursion: flag('Whether recursion is asked for.', { default: true }),
  dnssec: flag('Whether DNSSEC records are asked for.', { default: false }),
  tries: whole('Tries over UDP.', { default: 1, least: 1, most: 10 }),
  verify: flag('Whether the certificate has to be one to trust (tls, https).', { default: true }),
  rcode: list('Response codes that are right.', text('A mnemonic: NOERROR.'), { default: ['NOERROR'] }),
  flags: list('Flags that have to be set: aa, ra, ad …', text('A flag.')),
  lacks_flags: list('Flags that must not be set.', text('A flag.')),
  authenticated: flag('Whether the answer has to be validated (AD).', { default: false }),
  answers_least: whole('Records there have to be in the answer section.', { default: 0, most: 10_000 }),
  answers_match: list(
    'What a record of the answer section has to match each, as dig prints it.',
    patternSetting('A regular expression.'),
  ),
  answers_lack: list('What no record of the answer section may match.', patternSetting('A regular expression.')),
  ttl_least: span('A TTL in the answer section is at least this long.', { default: '0s' }),
  ttl_most: span('A TTL in the answer section is at most this long.', {
    default: 'any',
    words: { any: Number.POSITIVE_INFINITY },
  }),
  size_most: whole('Bytes of the response at most.', { default: 65_535, least: 12, most: 65_535 }),
  serial_least: whole('Serial of the SOA record that there has to be at least; 0 = any.', {
    default: 0,
    most: 0xffffffff,
  }),
  within: span('An answer has to come within this time; absent: within the time-out.', { example: '200ms' }),
});
type Settings = ValueOf<typeof settings>;

/** A DNS server. */
export const dns = probe({
  type: 'dns',
  summary: 'what a server answers over any transport, and how fast',
  target: 'SERVER',
  settings,
  read(written) {
    const text = written.replace(/^@/, '');
    parseServer(text);
    return text;
  },
  run: checkDns,
  metrics,
  passive(target, { transport }, result) {
    const { host, transport: given } = parseServer(target);
    const over: TransportName = given ?? transport;
    const address = result?.address ?? host;
    // Of encrypted questions nothing is seen on the wire.
    const family = isIP(address);
    if (family === 0 || over === 'tls' || over === 'https') return null;
    const words = addressWords(family as 4 | 6, address);
    return { kind: 'server', value: addressText(family, words[0], words[1], words[2], words[3]) };
  },
});

async function checkDns(target: string, options: Settings, context: ProbeContext): Promise<ProbeResult> {
  const trial = new Trial();
  const { host, port, path, transport: given } = parseServer(target);
  const transport = given ?? options.transport;
  const { resolver, timeoutMs, signal } = context;
  const found = await resolver.resolve(host, options.family, timeoutMs, signal);
  if ('outcome' in found) return trial.failed(found.outcome, found.text);
  trial.spent('resolve', found.ms);
  const { address } = found;
  trial.address = address;
  if (!context.allows(address)) {
    return trial.failed('not_allowed', `${address} is in none of the networks that may be asked`);
  }
  const left = Math.max(1, timeoutMs - trial.elapsed);
  let answer: Exchange;
  try {
    answer = await exchange(
      { name: options.query_name, type: options.query_type },
      {
        server: {
          address,
          port: port ?? PORTS[transport],
          ...(isIP(host) === 0 && { name: host }),
          ...(path !== undefined && { path }),
        },
        transport,
        timeoutMs: left / options.tries,
        tries: options.tries,
        recursionDesired: options.recursion,
        edns: { do: options.dnssec },
        tls: { verify: options.verify },
        signal,
      },
    );
  } catch (error) {
    if (error instanceof UserError) return trial.failed('not_sent', error.message);
    throw error;
  }
  return judged(trial, answer, options);
}

function judged(trial: Trial, answer: Exchange, options: Settings): ProbeResult {
  const { facts } = trial;
  const { response, attempts, ms } = answer;
  const last = attempts[attempts.length - 1];
  const { connectMs, tlsMs } = last;
  if (connectMs !== undefined) trial.spent('connect', connectMs);
  if (tlsMs !== undefined) trial.spent('tls', tlsMs);
  facts.transport = last.transport;
  if (response === null || answer.outcome !== 'answered') {
    const { outcome } = failureOf(answer.outcome, last.reason);
    return trial.failed(outcome, answer.sentence);
  }
  trial.spent('first_byte', ms - (connectMs ?? 0) - (tlsMs ?? 0));
  facts.rcode = response.rcode;
  facts.answers = response.answers.length;
  facts.authority = response.authority.length;
  facts.additional = response.additional.length + (response.edns === undefined ? 0 : 1);
  facts.bytes = last.bytesIn;
  facts.flags = response.flags.join(' ');
  const serial = serialOf(response);
  if (serial !== undefined) facts.serial = serial;
  const problem = problemOf(response, last.bytesIn, options, serial);
  const words = `${response.rcode} ${response.answers.length} answer${response.answers.length === 1 ? '' : 's'}`;
  if (problem !== null) return trial.failed('unexpected', problem, ms);
  if (options.within !== undefined && ms > options.within) {
    return trial.failed('slow', `${words}, but it took longer than ${options.within} ms`, ms);
  }
  return trial.ok(ms, words);
}

function serialOf(response: Message): number | undefined {
  const soa = [...response.answers, ...response.authority].find(({ type }) => type === 'SOA');
  const serial = Number(soa?.data.split(/\s+/)[2]);
  return Number.isInteger(serial) ? serial : undefined;
}

function problemOf(response: Message, bytes: number, options: Settings, serial: number | undefined): string | null {
  const { rcode, flags, answers } = response;
  if (!options.rcode.some((right) => right.toUpperCase() === rcode))
    return `${rcode}, not ${options.rcode.join(' or ')}`;
  const missing = options.flags.find((one) => !flags.includes(one.toLowerCase()));
  if (missing !== undefined) return `the flag ${missing} is not set`;
  const present = options.lacks_flags.find((one) => flags.includes(one.toLowerCase()));
  if (present !== undefined) return `the flag ${present} is set`;
  if (options.authenticated && !flags.includes('ad')) return 'the answer is not validated (no AD)';
  if (bytes > options.size_most) return `${bytes} bytes, more than ${options.size_most}`;
  if (answers.length < options.answers_least) return `${answers.length} records, fewer than ${options.answers_least}`;
  const lines = answers.map(({ name, ttl, class: of, type, data }) => `${name}. ${ttl} ${of} ${type} ${data}`);
  const unmatched = options.answers_match.find((pattern) => !lines.some((line) => pattern.matches(line)));
  if (unmatched !== undefined) return `no record matches ${unmatched.text}`;
  const unwanted = options.answers_lack.find((pattern) => lines.some((line) => pattern.matches(line)));
  if (unwanted !== undefined) return `a record matches ${unwanted.text}`;
  for (const { ttl } of answers) {
    if (ttl * 1000 < options.ttl_least) return `a TTL of ${ttl} s, shorter than ${options.ttl_least / 1000} s`;
    if (ttl * 1000 > options.ttl_most) return `a TTL of ${ttl} s, longer than ${options.ttl_most / 1000} s`;
  }
  if (options.serial_least === 0) return null;
  if (serial === undefined) return 'there is no SOA record';
  // RFC 1982: serials are a circle.
  const isOlder = ((serial - options.serial_least) | 0) < 0;
  return isOlder ? `serial ${serial}, older than ${options.serial_least}` : null;
}

function metrics({ facts, phases, outcome }: ProbeResult): ProbeMetric[] {
  const parts = [
    ['connect', (phases.connect ?? 0) + (phases.tls ?? 0)],
    ['request', phases.first_byte ?? 0],
    ['resolve', phases.resolve ?? 0],
  ] as const;
  const list: ProbeMetric[] = parts.map(([phase, ms]) => ({
    name: 'probe_dns_duration_seconds',
    help: 'Duration of DNS request by phase',
    labels: { phase },
    value: ms / 1000,
  }));
  const add = (name: string, help: string, value: number) => list.push({ name, help, value });
  add(
    'probe_dns_additional_rrs',
    'Returns number of entries in the additional resource record list',
    numberOf(facts.additional),
  );
  add('probe_dns_answer_rrs', 'Returns number of entries in the answer resource record list', numberOf(facts.answers));
  add(
    'probe_dns_authority_rrs',
    'Returns number of entries in the authority resource record list',
    numberOf(facts.authority),
  );
  const isAnswered = facts.rcode !== undefined;
  add(
    'probe_dns_query_succeeded',
    'Displays whether or not the query was executed successfully',
    isAnswered || outcome === 'ok' ? 1 : 0,
  );
  if (facts.serial !== undefined)
    add('probe_dns_serial', 'Returns the serial number of the zone', numberOf(facts.serial));
  return list;
}
