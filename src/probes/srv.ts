import { isIP } from 'node:net';
import { findService, type ServiceServer, serviceTypeOf } from '../client/discover/service.ts';
import type { ProbeMetric, ProbeResult } from '../core/probe.ts';
import { choice, group, type ValueOf, whole } from '../core/settings.ts';
import { closeQuietly, openTcp } from './connect.ts';
import { numberOf } from './metrics.ts';
import { type Failure, probe, type ProbeContext, Trial } from './probe.ts';
import { FAMILIES } from './resolve.ts';
import { readName } from './target-name.ts';

const settings = group('The servers that an SRV, SVCB or HTTPS name leads to: those that can be reached by TCP.', {
  family: choice('Addresses to use.', FAMILIES, { default: 'any' }),
  reach: choice(
    'Which of them have to be reached: one of the best priority, one of any, or all.',
    ['best', 'any', 'all'],
    {
      default: 'best',
    },
  ),
  targets_least: whole('Targets there have to be.', { default: 1, least: 1, most: 64 }),
});
type Settings = ValueOf<typeof settings>;

/** A service by its name. */
export const srv = probe({
  type: 'srv',
  summary: 'the targets of an SRV or SVCB name, and whether they can be reached',
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

async function checkSrv(name: string, options: Settings, context: ProbeContext): Promise<ProbeResult> {
  const trial = new Trial();
  const { resolver, timeoutMs, signal } = context;
  const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const service = await findService(name, serviceTypeOf(name), resolver.client, over);
  trial.spent('resolve', trial.elapsed);
  const { servers, sentence, isAnswered } = service;
  const { facts } = trial;
  facts.targets = servers.length;
  facts.type = service.type;
  if (!isAnswered) return trial.failed('unresolved', sentence ?? 'no name server answers');
  if (servers.length < options.targets_least) {
    const text = `${servers.length} targets, fewer than ${options.targets_least}`;
    return trial.failed(servers.length === 0 ? 'unresolved' : 'unexpected', sentence ?? text);
  }
  const results = await Promise.all(servers.map((server) => reach(server, options, trial, context)));
  const reached = results.filter((result) => result === null).length;
  facts.reached = reached;
  const ms = trial.elapsed;
  const best = Math.min(...servers.map(({ priority }) => priority));
  const isReached = (wanted: (server: ServiceServer) => boolean) =>
    servers.some((server, i) => wanted(server) && results[i] === null);
  const isEnough =
    options.reach === 'all'
      ? reached === servers.length
      : isReached((server) => options.reach === 'any' || server.priority === best);
  const words = `${reached} of ${servers.length} targets reached`;
  if (isEnough) return trial.ok(ms, words);
  const at = results.findIndex((result) => result !== null);
  const why = results[at];
  return trial.failed(why?.outcome ?? 'unexpected', `${words}; ${servers[at].target}: ${why?.text ?? ''}`);
}

/** Null when it is there. Parts of one target are not parts of the whole: they go on at the same time. */
async function reach(
  { addresses, port, problem }: ServiceServer,
  { family }: Settings,
  trial: Trial,
  { timeoutMs, signal, allows }: ProbeContext,
): Promise<Failure | null> {
  const address = addresses.find((one) => family === 'any' || family === `ipv${isIP(one)}`);
  if (address === undefined) return { outcome: 'unresolved', text: problem ?? 'it has no address' };
  if (!allows(address)) {
    return { outcome: 'not_allowed', text: `${address} is in none of the networks that may be asked` };
  }
  const context = { timeoutMs: Math.max(1, timeoutMs - trial.elapsed), signal };
  const to = { address, family: isIP(address) as 4 | 6, port };
  const connected = await openTcp(to, { trial: new Trial(), context });
  if ('outcome' in connected) return connected;
  closeQuietly(connected.socket);
  connected.closed();
  return null;
}
