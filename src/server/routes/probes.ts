import type { ProbeBeat, ProbeFacts, ProbeResult, ProbeState } from '../../core/probe.ts';
import { UserError } from '../../core/errors.ts';
import { endpoint, type Endpoint } from '../endpoint.ts';
import { FILTER } from '../filters.ts';
import { ProblemError } from '../problem.ts';
import { probeExposition } from '../probe-exposition.ts';
import {
  type Beat,
  historyQuery,
  probeHistory,
  type ProbeLast,
  probeList,
  probeQuery,
  type ProbeTarget,
} from '../schema/probes.ts';
import { readRange, timeOf, timeOrNull } from '../times.ts';

/** Targets that one answer lists. */
const MOST_LISTED = 500;
/** Checks on demand that run at a time. */
const MOST_RUNNING = 64;
/** As blackbox_exporter: an answer has to be there before the scraper gives up. */
const OFFSET_S = 0.5;
const DEFAULT_TIMEOUT_S = 10;

const list = endpoint({
  method: 'get',
  path: '/probes',
  tag: 'probes',
  summary: 'Checks of names, services and hosts: last results, and how the checks are doing',
  answer: probeList,
  run({ api: { services } }) {
    const states = services.probes?.states() ?? [];
    const load = services.probes?.load();
    const listed =
      states.length <= MOST_LISTED ? states : [...states].sort((a, b) => b.failing - a.failing).slice(0, MOST_LISTED);
    return {
      targets: listed.map(targetValue),
      total: states.length,
      running: load?.running ?? 0,
      waiting: load?.waiting ?? 0,
      skipped: load?.skipped ?? 0,
      dropped: load?.dropped ?? 0,
      own: load?.own ?? 0,
      loop_delay_ms: load?.loopDelay ?? { p50: 0, p99: 0, max: 0 },
      icmp: load?.icmp ?? null,
    };
  },
});

const history = endpoint({
  method: 'get',
  path: '/probes/history',
  tag: 'probes',
  summary: 'Results of one target over time, a beat a minute',
  query: historyQuery,
  answer: probeHistory,
  async run({ query, api, now }) {
    const range = readRange(query, now);
    const { probes } = api.services;
    const beats =
      probes === null ? [] : await api.ask(() => probes.history(query.check, query.target, range.from, range.to));
    return { from: timeOf(range.from), to: timeOf(range.to), beats: beats.map(beatValue) };
  },
});

let running = 0;

/** A check on demand, for Prometheus: only of targets of the configuration, or in networks that it allows. */
const onDemand = endpoint({
  method: 'get',
  path: '/probe',
  root: true,
  tag: 'probes',
  summary: 'Checks a target at once and answers with metrics, as blackbox_exporter does',
  access: 'anyone',
  query: probeQuery,
  media: ['text/plain'],
  async run({ query, api, guards, request, remote }) {
    const identity = await guards.identify(request, remote);
    if (!guards.mayReadMetrics(identity, remote)) {
      throw new ProblemError(401, "Checks are asked for with a token here: see 'metrics' of layer 'server'.");
    }
    const { probes } = api.services;
    if (probes === null) throw new ProblemError(404, 'Nothing is checked here.');
    if (running >= MOST_RUNNING) throw new ProblemError(503, 'Too many checks are under way: try again in a moment.');
    running++;
    try {
      const answer = await probes.probe(query.module, query.target, timeoutOf(request) * 1000);
      if (answer === null)
        throw new ProblemError(400, `There is no module '${query.module}'.`, { parameter: 'module' });
      if (answer.result.outcome === 'not_allowed') {
        throw new ProblemError(403, `${query.target} may not be checked: ${answer.result.text} (probes.allow).`, {
          parameter: 'target',
        });
      }
      return new Response(probeExposition(answer, query.debug === 'true'), {
        headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control': 'no-store' },
      });
    } catch (error) {
      if (error instanceof UserError) throw new ProblemError(400, error.message, { parameter: 'target' });
      throw error;
    } finally {
      running--;
    }
  },
});

export const PROBE_ENDPOINTS: readonly Endpoint[] = [list, history, onDemand];

function timeoutOf(request: Request): number {
  const asked = Number(request.headers.get('x-prometheus-scrape-timeout-seconds') ?? Number.NaN);
  const seconds = asked > 0 ? asked : DEFAULT_TIMEOUT_S;
  return Math.min(120, Math.max(0.05, seconds > 2 * OFFSET_S ? seconds - OFFSET_S : seconds / 2));
}

function targetValue({ check, type, target, everyMs, last, beats, failing, since, passive }: ProbeState): ProbeTarget {
  const filterOf = passive === null ? null : passive.kind === 'server' ? FILTER.server : FILTER.exactName;
  return {
    check,
    type,
    target,
    every_s: everyMs / 1000,
    last: last === null ? null : lastValue(last),
    beats: beats.map(beatValue),
    failing,
    since: timeOrNull(since),
    passive: passive === null || filterOf === null ? null : { ...passive, f: filterOf(passive.value) },
  };
}

function lastValue({ time, outcome, ms, text, address, phases, trips, facts }: ProbeResult): ProbeLast {
  return {
    time: timeOf(time),
    outcome,
    ms,
    text,
    address: address ?? null,
    phases: { ...phases },
    trips: trips ?? null,
    facts: factsOf(facts),
  };
}

function factsOf(facts: ProbeFacts): ProbeLast['facts'] {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

function beatValue({ time, outcome, text, phases, ...rest }: ProbeBeat): Beat {
  return { ...rest, time: timeOf(time), phases: { ...phases }, outcome: outcome ?? null, text: text ?? null };
}
