import type { ProbeMetric, ProbeResult } from '../core/probe.ts';
import { choice, group, type ValueOf, whole } from '../core/settings.ts';
import { closeQuietly, openTcp } from './connect.ts';
import { numberOf } from './metrics.ts';
import { type Failure, probe, type ProbeContext, Trial } from './probe.ts';
import { FAMILIES } from './resolve.ts';
import { readName } from './target-name.ts';

/** Targets of one name that are looked at. */
const MOST_TARGETS = 64;

const settings = group('The targets of an SRV name (RFC 2782): those that can be reached by TCP.', {
  family: choice('Addresses to use.', FAMILIES, { default: 'any' }),
  reach: choice(
    'Which of them have to be reached: one of the best priority, one of any, or all.',
    ['best', 'any', 'all'],
    {
      default: 'best',
    },
  ),
  targets_least: whole('Targets there have to be.', { default: 1, least: 1, most: MOST_TARGETS }),
});
type Settings = ValueOf<typeof settings>;

/** A service by its SRV name. */
export const srv = probe({
  type: 'srv',
  summary: 'the targets of an SRV name, and whether they can be reached',
  target: 'NAME',
  settings,
  read: readName,
  run: checkSrv,
  metrics({ facts }): ProbeMetric[] {
    return [
      { name: 'probe_srv_targets', help: 'Targets of the name', value: numberOf(facts.targets) },
      { name: 'probe_srv_reached', help: 'Those that could be reached', value: numberOf(facts.reached) },
    ];
  },
  passive: (target) => ({ kind: 'name', value: target }),
});

interface Target {
  priority: number;
  weight: number;
  port: number;
  host: string;
}

/** `priority weight port host` of rdata as text; undefined for anything else. */
function targetOf(data: string): Target | undefined {
  const parts = /^(\d{1,5}) (\d{1,5}) (\d{1,5}) (\S+)$/.exec(data);
  if (parts === null) return undefined;
  const [priority, weight, port] = parts.slice(1, 4).map(Number);
  return { priority, weight, port, host: parts[4] };
}

async function checkSrv(name: string, options: Settings, context: ProbeContext): Promise<ProbeResult> {
  const trial = new Trial();
  const { resolver, timeoutMs, signal } = context;
  const began = performance.now();
  const records = await resolver.records(name, 'SRV', timeoutMs, signal);
  if ('outcome' in records) return trial.failed(records.outcome, records.text);
  trial.spent('resolve', performance.now() - began);
  const targets = records.flatMap((data) => targetOf(data) ?? []).slice(0, MOST_TARGETS);
  const { facts } = trial;
  facts.targets = targets.length;
  // RFC 2782: a target of the root says that there is no such service.
  if (targets.length === 1 && (targets[0].host === '.' || targets[0].host === '')) {
    return trial.failed('unexpected', 'the name says that there is no such service');
  }
  if (targets.length < options.targets_least) {
    return trial.failed('unexpected', `${targets.length} targets, fewer than ${options.targets_least}`);
  }
  const results = await Promise.all(targets.map((target) => reach(target, options, trial, context)));
  const reached = results.filter((result) => result === null).length;
  facts.reached = reached;
  const ms = trial.elapsed;
  const best = Math.min(...targets.map(({ priority }) => priority));
  const isReached = (wanted: (target: Target) => boolean) =>
    targets.some((target, i) => wanted(target) && results[i] === null);
  const isEnough =
    options.reach === 'all'
      ? reached === targets.length
      : isReached((target) => options.reach === 'any' || target.priority === best);
  const words = `${reached} of ${targets.length} targets reached`;
  if (isEnough) return trial.ok(ms, words);
  const at = results.findIndex((result) => result !== null);
  const why = results[at];
  return trial.failed(why?.outcome ?? 'unexpected', `${words}; ${targets[at].host}: ${why?.text ?? ''}`);
}

/** Null when it is there. Parts of one target are not parts of the whole: they go on at the same time. */
async function reach(
  { host, port }: Target,
  { family }: Settings,
  trial: Trial,
  context: ProbeContext,
): Promise<Failure | null> {
  const { resolver, timeoutMs, signal, allows } = context;
  const left = Math.max(1, timeoutMs - trial.elapsed);
  const found = await resolver.resolve(host, family, left, signal);
  if ('outcome' in found) return found;
  if (!allows(found.address)) {
    return { outcome: 'not_allowed', text: `${found.address} is in none of the networks that may be asked` };
  }
  const own = new Trial();
  const bounds = { timeoutMs: Math.max(1, timeoutMs - trial.elapsed), signal };
  const connected = await openTcp({ ...found, port }, { trial: own, context: bounds });
  if ('outcome' in connected) return connected;
  closeQuietly(connected.socket);
  connected.closed();
  return null;
}
