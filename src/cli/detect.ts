import { isatty } from 'node:tty';
import type { DetectPlan, DetectResult } from '../app/detect-files.ts';
import { SEVERITIES, type Severity } from '../core/alert.ts';
import { momentText } from '../core/clock.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { numberText, plainText, spanText } from '../core/figures.ts';
import { VANTAGES, type Vantage } from '../core/transactions.ts';
import { print } from './history.ts';
import { DECODE_AS, decodeAs, listOption, textOption, usefulCores } from './options.ts';
import { Progress } from './progress.ts';
import { remark, remarkDamage, remarkLogs } from './remarks.ts';
import { Session } from './session.ts';
import { nearest } from './suggest.ts';

/** `nametap detect`: what is wrong in captures and logs. */
export const detect: CommandDefinition = {
  name: 'detect',
  summary: 'find tunnels, floods, forged answers and faults in captures and logs; one alert per line as JSON',
  arguments: {
    name: 'FILE',
    summary: "captures or dnstap, Zeek's dns.log, Suricata's EVE or CSV, plain or compressed; - for stdin",
    many: true,
  },
  options: [
    {
      name: 'format',
      value: 'FORMAT',
      summary: 'what the files are (default: told by their beginning; stdin is a capture)',
      choices: ['capture', 'zeek', 'eve', 'zeek-json', 'csv'],
    },
    { name: 'detector', value: 'ID', summary: 'only this detector, such as TUN-BYTES', many: true },
    { name: 'rules', value: 'FILE', summary: 'rules of your own, besides those of the configuration', many: true },
    { name: 'config', value: 'FILE', summary: 'configuration (default: NAMETAP_CONFIG, else nametap.yaml here)' },
    DECODE_AS,
    { name: 'vantage', value: 'PLACE', summary: 'where the capture was made', choices: VANTAGES },
    {
      name: 'fail-on',
      value: 'SEVERITY',
      summary: 'exit 1 for an alert of this severity or worse',
      choices: SEVERITIES,
    },
    { name: 'annotate', summary: 'write the input back, with the columns is_suspicious and reason (-T csv)' },
    {
      name: 'output-format',
      letter: 'T',
      value: 'FORMAT',
      summary: 'of the output: alerts as ndjson, or with --annotate csv',
      choices: ['ndjson', 'csv'],
    },
    { name: 'quiet', letter: 'q', summary: 'no summary on standard error' },
  ],
  examples: [
    'nametap detect monday.pcapng  # one alert per line; a summary on standard error',
    'nametap detect dns.log.gz | jq -r .subject  # a log of Zeek',
    'nametap detect --detector TUN-BYTES --fail-on medium eve.json  # exit 1 when there is a tunnel',
    'nametap detect --annotate -T csv queries.csv > marked.csv  # the same rows, with is_suspicious and reason',
  ],
  run: runCommand,
};

async function runCommand(paths: string[], options: OptionValues): Promise<number> {
  if (paths.length === 0) throw new UserError('Which capture or log? Give one or more files, or - for standard input.');
  const isAnnotating = options.annotate === true;
  if (!isAnnotating && options['output-format'] === 'csv') {
    throw new UserError('-T csv is for the input written back: add --annotate.');
  }
  if (isAnnotating && options['output-format'] === 'ndjson') throw new UserError('--annotate writes CSV: use -T csv.');
  if (isAnnotating && paths.includes('-')) {
    throw new UserError('--annotate reads its input twice. Give a file instead of standard input.');
  }
  const plan = await planOf(paths, options);
  const { detectFiles } = await import('../app/detect-files.ts');
  const isQuiet = options.quiet === true;
  const session = new Session();
  const progress = new Progress(!isQuiet && isatty(2));
  const { signal, counting } = session;
  const hooks = {
    signal,
    counting,
    progress: (done: number, of: number, frames: number) => progress.show(done, of, frames),
  };
  let result: DetectResult;
  try {
    result = await detectFiles(plan, hooks);
    progress.clear();
    if (isAnnotating) {
      const { annotate } = await import('../app/annotate.ts');
      await annotate(plan, { signal }, result.marks, print);
    } else
      for (const incident of result.incidents) print(`${JSON.stringify(alertOf(incident, result.logs.length > 0))}\n`);
  } finally {
    progress.clear();
    session.close();
  }
  if (!isQuiet) summarize(result, plan);
  remarkDamage({ ...result, interfaces: [] }, 'what came before was looked at');
  const least = textOption(options, 'fail-on');
  const isFailed = result.incidents.some(({ severity }) => least !== undefined && rank(severity) >= rank(least));
  if (isFailed) return EXIT.usage;
  return result.damage.length > 0 ? EXIT.cut : EXIT.ok;
}

function rank(severity: string): number {
  return SEVERITIES.indexOf(severity as Severity);
}

async function planOf(paths: string[], options: OptionValues): Promise<DetectPlan> {
  const [{ loadConfig }, { detectorIds }] = await Promise.all([
    import('../app/config.ts'),
    import('../app/detect-files.ts'),
  ]);
  const ids = detectorIds();
  const wanted = listOption(options, 'detector').map((id) => id.toUpperCase());
  for (const id of wanted) {
    if (ids.includes(id)) continue;
    const meant = nearest(id, ids);
    throw new UserError(
      `There is no detector ${plainText(id)}.${meant === undefined ? '' : ` Did you mean ${meant}?`} There are ${ids.join(', ')}.`,
    );
  }
  const { config } = loadConfig({ file: textOption(options, 'config') });
  return {
    paths,
    format: textOption(options, 'format'),
    config,
    vantage: textOption(options, 'vantage') as Vantage | undefined,
    only: wanted.length === 0 ? undefined : wanted,
    rules: listOption(options, 'rules'),
    cores: usefulCores(),
    ports: decodeAs(options),
  };
}

/** An alert as a line: always all keys, null where there is nothing to say. Logs have no frames. */
function alertOf(incident: DetectResult['incidents'][number], isLog: boolean): object {
  const { detector, severity, score, subject, client, server, domain, count, attack, evidence } = incident;
  return {
    time: momentText(incident.raised),
    detector,
    severity,
    score: Number(score.toFixed(3)),
    subject,
    client: hostOf(client),
    server: hostOf(server),
    domain: domain ?? null,
    count,
    first_seen: momentText(incident.firstSeen),
    last_seen: momentText(incident.lastSeen),
    attack,
    evidence: evidence.map(({ frames, ...one }) => ({
      ...one,
      time: momentText(one.time),
      ...(frames !== undefined && !isLog && { frames }),
    })),
  };
}

/** Logs need not say who asked whom. */
function hostOf(address: string | undefined): string | null {
  return address === undefined || address === '0.0.0.0' || address === '::' ? null : address;
}

function summarize(result: DetectResult, { only }: DetectPlan): void {
  const { incidents, transactions, clients, from, to, logs, detectors, suppressed, marks } = result;
  const time = transactions === 0 ? '' : ` of ${numberText(clients)} clients in ${spanText(Math.max(0, to - from))}`;
  const counts = SEVERITIES.toReversed()
    .map((severity) => [severity, incidents.filter((one) => one.severity === severity).length] as const)
    .filter(([, n]) => n > 0);
  const parts = counts.map(([severity, n]) => `${numberText(n)} ${severity}`).join(', ');
  remark(
    `${numberText(transactions)} transactions${time}; ${numberText(incidents.length)} alerts${parts === '' ? '' : `: ${parts}`}`,
  );
  for (const { severity, detector, title } of incidents
    .toSorted((a, b) => rank(b.severity) - rank(a.severity))
    .slice(0, 10)) {
    remark(`  ${severity.padEnd(8)} ${detector.padEnd(12)} ${plainText(title)}`);
  }
  if (incidents.length > 10) remark(`  and ${numberText(incidents.length - 10)} more`);
  remarkLogs(logs);
  for (const { id, isOn, reason } of detectors) {
    if (!isOn && reason !== undefined && (only === undefined || only.includes(id))) remark(`${id} is off: ${reason}`);
  }
  if (suppressed > 0) remark(`${numberText(suppressed)} findings were too many to tell one by one`);
  if (marks.lost > 0) remark(`${numberText(marks.lost)} marks of rules found no room`);
}
