import { isIP } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '../core/errors.ts';
import type { ProbeMetric, ProbeResult } from '../core/probe.ts';
import { choice, form, group, span, type ValueOf, whole } from '../core/settings.ts';
import { summarize } from '../sketch/summary.ts';
import type { IcmpWay } from './icmp-way.ts';
import { numberOf } from './metrics.ts';
import { type Failure, probe, type ProbeContext, timeoutText, Trial } from './probe.ts';
import { FAMILIES } from './resolve.ts';

const settings = group('ICMP echo (ping), IPv4 and IPv6: loss, jitter, spread.', {
  family: choice('Addresses to use.', FAMILIES, { default: 'any' }),
  packets: whole('Packets of a check.', { default: 5, least: 1, most: 100 }),
  pause: span('Time between two packets.', { default: '100ms', least: 1, most: 60_000 }),
  size: whole('Octets behind the ICMP header.', { default: 56, least: 8, most: 1400 }),
  loss: form('Share of packets that may go missing, such as 20%.', 'a share such as 20%', readShare, {
    default: '50%',
  }),
});
type Settings = ValueOf<typeof settings>;

/** ICMP echo. */
export const icmp = probe({
  type: 'icmp',
  summary: 'round trip, loss, jitter and spread of a host',
  target: 'HOST',
  settings,
  read(written) {
    const host = /^\[(.*)\]$/.exec(written)?.[1] ?? written;
    const isName = /^(?=.{1,253}$)[\w-]+(?:\.[\w-]+)*\.?$/.test(host);
    if (isIP(host) === 0 && !isName) {
      throw new UserError(`'${written}' is no host to ping. Write an address or a name.`);
    }
    return host;
  },
  run: ping,
  metrics({ facts, phases, ms, trips = [] }): ProbeMetric[] {
    const replies = trips.filter((trip) => trip !== null);
    const parts = [
      ['resolve', (phases.resolve ?? 0) / 1000],
      ['rtt', (ms ?? 0) / 1000],
      ['setup', 0],
    ] as const;
    const list: ProbeMetric[] = parts.map(([phase, value]) => ({
      name: 'probe_icmp_duration_seconds',
      help: 'Duration of icmp request by phase',
      labels: { phase },
      value,
    }));
    if (facts.hop_limit !== undefined) {
      list.push({
        name: 'probe_icmp_reply_hop_limit',
        help: 'Replied packet hop limit (TTL for ipv4)',
        value: numberOf(facts.hop_limit),
      });
    }
    list.push(
      { name: 'probe_icmp_packets_sent', help: 'Echo requests of the probe', value: trips.length },
      { name: 'probe_icmp_packets_lost', help: 'Those without a reply', value: trips.length - replies.length },
    );
    return list;
  },
  passive: (target) => (isIP(target) === 0 ? null : { kind: 'server', value: target }),
});

/** A share, 0 … 1. Throws `UserError`. */
function readShare(text: string): number {
  const percent = /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(text)?.[1];
  if (percent === undefined || Number(percent) > 100) throw new UserError(`'${text}' is no share such as 20%.`);
  return Number(percent) / 100;
}

async function ping(target: string, options: Settings, context: ProbeContext): Promise<ProbeResult> {
  const trial = new Trial();
  let way: IcmpWay;
  try {
    way = await context.icmp.way();
  } catch (error) {
    return trial.failed('not_sent', error instanceof Error ? error.message : String(error));
  }
  const { resolver, timeoutMs, signal } = context;
  const found = await resolver.resolve(target, options.family, timeoutMs, signal);
  if ('outcome' in found) return trial.failed(found.outcome, found.text);
  trial.spent('resolve', found.ms);
  const { address, family } = found;
  trial.address = address;
  if (!context.allows(address)) {
    return trial.failed('not_allowed', `${address} is in none of the networks that may be asked`);
  }
  trial.facts.way = way.text;
  const { trips, failure, hopLimit } = await sendAll(way, trial, options, { ...context, address, family });
  if (hopLimit !== undefined) trial.facts.hop_limit = hopLimit;
  return { ...judged(trial, trips, failure, options, context), trips };
}

interface Sent {
  trips: (number | null)[];
  failure: Failure | undefined;
  hopLimit: number | undefined;
}

/** Packets at a fixed rate, each waited for apart: a lost one does not delay the next. */
async function sendAll(
  way: IcmpWay,
  trial: Trial,
  { packets, pause: gap, size }: Settings,
  { address, family, timeoutMs, signal }: ProbeContext & { address: string; family: 4 | 6 },
): Promise<Sent> {
  const trips: (number | null)[] = [];
  let failure: Failure | undefined;
  let hopLimit: number | undefined;
  const began = performance.now();
  const under: Promise<void>[] = [];
  const one = async (i: number, left: number): Promise<void> => {
    const echo = await way.echo({ address, family, size, timeoutMs: left, signal });
    if (echo === null) return;
    if ('outcome' in echo) failure = echo;
    else {
      trips[i] = echo.ms;
      hopLimit = echo.hopLimit ?? hopLimit;
    }
  };
  for (let i = 0; i < packets; i++) {
    const wait = began + i * gap - performance.now();
    if (wait > 0) await pause(wait);
    const left = timeoutMs - trial.elapsed;
    if (i > 0 && (left <= 1 || signal.aborted)) break;
    trips.push(null);
    under.push(one(i, Math.max(1, left)));
  }
  await Promise.all(under);
  return { trips, failure, hopLimit };
}

function judged(
  trial: Trial,
  trips: readonly (number | null)[],
  failure: Failure | undefined,
  options: Settings,
  { timeoutMs }: ProbeContext,
): ProbeResult {
  const replies = trips.filter((trip) => trip !== null);
  const { p50, min, max } = summarize(replies, 'ms');
  const lost = trips.length - replies.length;
  const { facts } = trial;
  facts.sent = trips.length;
  facts.lost = lost;
  if (min !== null && max !== null) facts.spread = max - min;
  // RFC 3550 §6.4.1 without its smoothing: how much one trip differs from the one before.
  const steps = replies.slice(1).map((trip, i) => Math.abs(trip - replies[i]));
  if (steps.length > 0) facts.jitter = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  if (p50 === null) {
    const { outcome, text } = failure ?? { outcome: 'timeout' as const, text: timeoutText(timeoutMs) };
    return trial.failed(outcome, text);
  }
  const words = lost === 0 ? `${trips.length} of ${trips.length} came back` : `${lost} of ${trips.length} lost`;
  const jitter = typeof facts.jitter === 'number' ? `, jitter ${Number(facts.jitter.toFixed(2))} ms` : '';
  if (lost / trips.length > options.loss) return trial.failed('lost', words, p50);
  return trial.ok(p50, `${words}${jitter}`);
}
