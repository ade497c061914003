import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../core/errors.ts';
import { say } from '../server/said.ts';
import type { Config } from './config.ts';
import { type Input, inputOf, parseDnstap, usefulThreads } from './input.ts';
import type { RunPlan } from './plan.ts';

const ASSETS = fileURLToPath(new URL('../../assets/', import.meta.url));
/** A bundled capture that is short is played once in so many seconds. */
const DEMO_ROUND_SECONDS = 10;
/** Written in place of an interface by who captures nothing. */
const NO_INTERFACE = 'none';
/** A demo begins as if it had run for so long: charts are not empty. */
const DEMO_BACK_SECONDS = 600;

/** What runs under a configuration. Throws UserError when more than one input is configured. */
export function servePlan(config: Config, isDemo: boolean): RunPlan {
  const input: Input = isDemo
    ? { kind: 'replay', paths: demoCaptures(), backSeconds: DEMO_BACK_SECONDS, roundSeconds: DEMO_ROUND_SECONDS }
    : inputOfConfig(config);
  const { capture, pipeline, resolvers } = config;
  return {
    input,
    filter: pipeline.filter,
    dissect: {
      heuristic: input.kind !== 'live',
      udpPorts: capture.udp_ports,
      tcpPorts: capture.tcp_ports,
    },
    match: {
      timeoutNanos: pipeline.timeout * 1e6,
      lateNanos: pipeline.late * 1e6,
      skewNanos: pipeline.skew * 1e6,
      // A demo was captured elsewhere.
      ...(!isDemo && { vantage: config.vantage, resolvers }),
    },
    threads: pipeline.threads ?? defaultThreads(input),
    paths: pipeline.paths,
    resolvers,
    sample: input.kind === 'live' && capture.sample > 1 ? capture.sample : undefined,
    sampleWhenFull: capture.sample_when_full,
    encrypted: config.detect.enabled,
  };
}

/** The bundled captures: ten seconds at a root name server, and pieces of small networks. */
function demoCaptures(): string[] {
  const pieces = readdirSync(join(ASSETS, 'demo')).sort();
  return [join(ASSETS, 'demo.pcap.gz'), ...pieces.map((name) => join(ASSETS, 'demo', name))];
}

function inputOfConfig({ capture }: Config): Input {
  const given = [
    capture.files.length > 0 && 'capture.files',
    capture.folder !== undefined && 'capture.folder',
    capture.dnstap.length > 0 && 'capture.dnstap',
  ].filter((one) => one !== false);
  if (given.length > 1) throw new UserError(`${given.join(' and ')} exclude each other: leave one of them.`);
  if (capture.files.length > 0) return inputOf(capture.files);
  if (capture.folder !== undefined) return { kind: 'folder', path: capture.folder };
  if (capture.dnstap.length > 0) {
    const tls = capture.dnstap_tls && {
      certificate: capture.dnstap_tls.certificate,
      key: capture.dnstap_tls.key,
      clientAuthority: capture.dnstap_tls.client_authority,
    };
    return { kind: 'dnstap', from: capture.dnstap.map((from) => parseDnstap(from, tls)) };
  }
  if (capture.interfaces.includes(NO_INTERFACE)) return { kind: 'none' };
  return {
    kind: 'live',
    interfaces: capture.interfaces.length > 0 ? capture.interfaces : ['any'],
    snaplen: capture.snaplen,
    promiscuous: capture.promiscuous,
    ringBytes: capture.ring,
    blockTimeoutMs: capture.block_timeout,
    captureFilter: capture.filter,
    family: capture.family === 'both' ? undefined : capture.family === 'ipv4' ? 4 : 6,
    udpPorts: capture.udp_ports,
    tcpPorts: capture.tcp_ports,
    encrypted: capture.encrypted,
  };
}

/**
 * A live capture gets a thread of its own: whatever the page asks for, its ring is emptied. The store needs a core too.
 */
function defaultThreads(input: Input): number {
  if (input.kind === 'live') return 1;
  return Math.min(usefulThreads(input, availableParallelism()), Math.max(1, availableParallelism() - 1));
}

/** What is read, for people: `live on eth0`, `replay of demo.pcap.gz`. */
export function sourceText(input: Input): { source: ReturnType<typeof say>; interface: string | null } {
  switch (input.kind) {
    case 'live':
      return { source: say('source.live'), interface: input.interfaces.join(', ') };
    case 'none':
      return { source: say('source.none'), interface: null };
    case 'replay':
      return { source: say('source.replay'), interface: null };
    case 'files':
      return { source: say('source.files', { paths: input.paths.join(', ') }), interface: null };
    case 'folder':
      return { source: say('source.folder', { path: input.path }), interface: null };
    case 'dnstap':
    default:
      return { source: say('source.dnstap'), interface: null };
  }
}
