import { probeOf, probeSettings } from '../app/probe-settings.ts';
import { linesOf } from '../client/lines.ts';
import { tellServing } from '../client/own-register.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { spanOf } from '../core/settings.ts';
import { numberText, plainText } from '../core/figures.ts';
import { PROBES } from '../probes/index.ts';
import { readBounds } from '../probes/fail-on.ts';
import { COLOR, listOption, textOption, useColor, wholeNumber } from './options.ts';
import { type ProbePlan, ProbeRun } from './probe-run.ts';
import { version } from './version.ts';

/** Targets of one run: each takes a few hundred bytes. */
const MOST_TARGETS = 1_000_000;

const TYPES = Object.entries(PROBES).map(([type, { target, summary }]) => `${type} ${target}: ${summary}`);

/** `nametap probe`: checks names, services and hosts. */
export const probe: CommandDefinition = {
  name: 'probe',
  summary: 'check names, services and hosts, many at a time; as a build step, too',
  arguments: {
    name: 'TYPE TARGET…',
    summary: TYPES.join('; '),
    many: true,
  },
  options: [
    { name: 'count', letter: 'c', value: 'N', summary: 'checks of each target; 0 = until stopped', default: '1' },
    { name: 'interval', letter: 'i', value: 'SPAN', summary: 'time between two checks of a target', default: '1s' },
    { name: 'timeout', letter: 't', value: 'SPAN', summary: 'a check fails after so long', default: '5s' },
    { name: 'concurrency', value: 'N', summary: 'checks at a time, of all targets', default: '256' },
    { name: 'per-target', value: 'N', summary: 'checks at a time, of one target', default: '1' },
    {
      name: 'spread',
      value: 'SPAN',
      summary: 'targets begin within this time of each other (default: the interval, at most 1s)',
    },
    {
      name: 'file',
      letter: 'f',
      value: 'FILE',
      summary: 'targets of a file, one a line; - = standard input',
      many: true,
    },
    {
      name: 'set',
      letter: 'o',
      value: 'KEY=VALUE',
      summary: 'a setting of the probe, as in the configuration',
      many: true,
    },
    {
      name: 'fail-on',
      value: 'BOUNDS',
      summary: 'what fails the run, instead of any failed check: p95>200ms,loss>1%',
    },
    {
      name: 'format',
      letter: 'T',
      value: 'FORMAT',
      summary: 'output format',
      choices: ['text', 'json', 'junit'],
      default: 'text',
    },
    { name: 'quiet', letter: 'q', summary: 'no line for each check, only the summary' },
    COLOR,
  ],
  examples: [
    'nametap probe http https://example.com/health  # one check: exit code 0 when it passes, 1 when not, 2 when it could not run',
    'nametap probe http -c 100 -i 100ms --fail-on "p95>200ms,loss>1%" https://example.com/',
    'nametap probe icmp -o packets=20 192.0.2.1 2001:db8::1  # loss, jitter, spread',
    'nametap probe dns -o query_name=example.com -o query_type=A -o authenticated=true tls://192.0.2.53',
    'nametap probe tcp -f hosts.txt --concurrency 1000 -T junit > report.xml',
  ],
  async run([type, ...targets], options) {
    let plan: ProbePlan;
    try {
      plan = await planOf(type, targets, options);
    } catch (error) {
      // As a build step, what could not run is no failed check.
      if (error instanceof UserError) throw new UserError(error.message, EXIT.interface);
      throw error;
    }
    tellServing();
    return new ProbeRun(plan).run();
  },
};

async function planOf(type: string | undefined, targets: readonly string[], options: OptionValues): Promise<ProbePlan> {
  if (type === undefined) {
    throw new UserError(`Say what to check: nametap probe ${Object.keys(PROBES).join('|')} TARGET…`);
  }
  const definition = probeOf(type);
  const names = new Set(targets.map((target) => definition.read(target)));
  for (const file of listOption(options, 'file'))
    for await (const target of targetsOf(file)) {
      names.add(definition.read(target));
      if (names.size > MOST_TARGETS)
        throw new UserError(
          `${plainText(file)} leads to more than ${numberText(MOST_TARGETS)} targets: give them in parts.`,
        );
    }
  const read = [...names];
  if (read.length === 0) throw new UserError(`Say what to check: nametap probe ${type} ${definition.target}…`);
  const everyMs = spanOption(options, 'interval', 1000);
  return {
    definition,
    targets: read,
    settings: await probeSettings(definition, listOption(options, 'set')),
    count: wholeNumber(options, 'count', 1),
    everyMs,
    spreadMs: spanOption(options, 'spread', read.length === 1 ? 0 : Math.min(everyMs, 1000)),
    timeoutMs: Math.max(1, spanOption(options, 'timeout', 5000)),
    concurrency: Math.max(1, wholeNumber(options, 'concurrency', 256)),
    perTarget: Math.max(1, wholeNumber(options, 'per-target', 1)),
    bounds: readBounds(textOption(options, 'fail-on') ?? ''),
    format: (textOption(options, 'format') ?? 'text') as ProbePlan['format'],
    quiet: options.quiet === true,
    color: useColor(options),
    version: version(),
  };
}

/** Lines of a file; empty ones, and what is behind `#` at their beginning or a blank, is left out. */
async function* targetsOf(path: string): AsyncGenerator<string, void> {
  for await (const { line } of linesOf(path)) {
    const target = line.replace(/(^|\s)#.*/, '').trim();
    if (target !== '') yield target;
  }
}

/** Milliseconds of an option. Throws `UserError`. */
function spanOption(options: OptionValues, name: string, otherwise: number): number {
  const text = textOption(options, name);
  if (text === undefined) return otherwise;
  const ms = spanOf(text);
  if (ms !== undefined) return ms;
  throw new UserError(`--${name} wants a time such as 500ms, 30s or 5m, not "${plainText(text)}".`);
}
