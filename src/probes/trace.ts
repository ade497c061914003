import { isIP } from 'node:net';
import { UserError } from '../core/errors.ts';
import type { ProbeMetric, ProbeResult } from '../core/probe.ts';
import { choice, flag, form, group, list, text, type ValueOf, whole } from '../core/settings.ts';
import type { Trace } from '../client/trace/types.ts';
import { numberOf } from './metrics.ts';
import { patternSetting } from './pattern.ts';
import { probe, type ProbeContext, timeoutText, Trial } from './probe.ts';
import { readName } from './target-name.ts';

const address = form('An address.', 'an address', readAddress, {});

const settings = group('The way from the root to a name, and whether its signatures hold.', {
  query_type: text('Type to ask for.', { default: 'A' }),
  root: list('Addresses of root servers; none = those of the root hints.', address, { example: ['192.0.2.1'] }),
  port: whole('Port of all servers.', { default: 53, least: 1, most: 65_535 }),
  dnssec: choice(
    'Signatures: they have to hold, must only not be wrong, or are not looked at.',
    ['secure', 'sound', 'off'],
    {
      default: 'sound',
    },
  ),
  all: flag('Whether all servers of the zone have to be there, and to say the same.', { default: false }),
  answers_match: list('What a record has to match each, as dig prints it.', patternSetting('A regular expression.')),
  queries_most: whole('Queries at most.', { default: 200, least: 1, most: 400 }),
});
type Settings = ValueOf<typeof settings>;

/** Iterative resolution, with DNSSEC. */
export const trace = probe({
  type: 'trace',
  summary: 'the way from the root to a name, and its DNSSEC chain',
  target: 'NAME',
  settings,
  read: readName,
  run: checkTrace,
  metrics({ facts }): ProbeMetric[] {
    return [
      { name: 'probe_trace_queries', help: 'Queries of the look-up from the root', value: numberOf(facts.queries) },
      { name: 'probe_trace_answers', help: 'Records at its end', value: numberOf(facts.answers) },
      { name: 'probe_trace_secure', help: 'Whether its signatures hold', value: facts.security === 'secure' ? 1 : 0 },
    ];
  },
  passive: (target) => ({ kind: 'name', value: target }),
});

function readAddress(written: string): string {
  if (isIP(written) === 0) throw new UserError(`'${written}' is no address.`);
  return written;
}

async function checkTrace(target: string, options: Settings, context: ProbeContext): Promise<ProbeResult> {
  const { trace: look } = await import('../client/trace/trace.ts');
  const trial = new Trial();
  const { timeoutMs, signal, allows } = context;
  const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const found = await look(target, options.query_type, {
    ...(options.root.length > 0 && { root: options.root }),
    port: options.port,
    dnssec: options.dnssec !== 'off',
    all: options.all,
    mostQueries: options.queries_most,
    timeoutMs: Math.min(timeoutMs, 2000),
    allows,
    signal: over,
  });
  const { facts } = trial;
  facts.end = found.end;
  facts.queries = found.queries;
  facts.answers = found.answers.length;
  if (found.security !== null) facts.security = found.security.state;
  const { ms } = found;
  if (found.end === 'aborted') return trial.failed('timeout', timeoutText(timeoutMs));
  if (found.end !== 'answer') return trial.failed('unexpected', found.sentence, ms);
  const problem = problemOf(found, options);
  if (problem !== null) return trial.failed('unexpected', problem, ms);
  return trial.ok(ms, `${found.queries} queries${found.security === null ? '' : `, ${found.security.state}`}`);
}

function problemOf({ answers, security, check }: Trace, options: Settings): string | null {
  const lines = answers.map(({ name, ttl, class: of, type, data }) => `${name}. ${ttl} ${of} ${type} ${data}`);
  const unmatched = options.answers_match.find((pattern) => !lines.some((line) => pattern.matches(line)));
  if (unmatched !== undefined) return `no record matches ${unmatched.text}`;
  if (security?.state === 'bogus') return `its signatures are wrong: ${security.reason}`;
  if (options.dnssec === 'secure' && security?.state !== 'secure') {
    return `it is not secure: ${security?.reason ?? 'nothing was validated'}`;
  }
  return options.all && check !== null && check.remarks.length > 0 ? check.remarks.join(' ') : null;
}
