import type { Finding } from '../core/alert.ts';
import { momentText } from '../core/clock.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { numberText, plainText } from '../core/figures.ts';
import { print } from './history.ts';
import { DECODE_AS, decodeAs, textOption, wholeNumber } from './options.ts';
import { remark, remarkDamage, remarkLogs } from './remarks.ts';
import { Session } from './session.ts';

/** `nametap rules`: the operator's own rules, checked and tried on captures. */
export const rules: CommandDefinition = {
  name: 'rules',
  summary: 'rules of your own: check them, or try them on captures and logs',
  arguments: {
    name: 'check|test',
    summary: "check RULES… reads them; test RULES FILE… runs them over captures, Zeek's dns.log, EVE or CSV",
    many: true,
  },
  options: [
    {
      name: 'format',
      letter: 'T',
      value: 'FORMAT',
      summary: 'of test: lines for people, or one alert per line as JSON',
      default: 'text',
      choices: ['text', 'ndjson'],
    },
    DECODE_AS,
    { name: 'config', value: 'FILE', summary: 'configuration (default: NAMETAP_CONFIG, else nametap.yaml here)' },
    { name: 'expect', value: 'N', summary: 'of test: fail (exit 1) unless there are exactly N alerts' },
  ],
  examples: [
    'nametap rules check rules.yaml  # file, line and column of what is wrong',
    'nametap rules test rules.yaml monday.pcap  # what they would have said',
    'nametap rules test rules.yaml monday.pcap --expect 1 -T ndjson',
    'nametap rules test rules.yaml -d udp.port==5300,dns lab.pcap  # a port that is not DNS’s own',
    'nametap rules test rules.yaml dns.log.gz  # a log of Zeek',
  ],
  run: runCommand,
};

async function runCommand([what, ...files]: string[], options: OptionValues): Promise<number> {
  const { readRules } = await import('../app/rules.ts');
  if (what === 'check') {
    if (files.length === 0) throw new UserError('Which rules? nametap rules check rules.yaml');
    for (const path of files) {
      const read = readRules(path);
      const marks = read.filter(({ when }) => when === undefined).length;
      print(`${plainText(path)}: ${numberText(read.length)} rules, ${numberText(marks)} of them marks\n`);
    }
    return EXIT.ok;
  }
  if (what !== 'test') throw new UserError('What about the rules? Use check RULES… or test RULES FILE….');
  const [path, ...captures] = files;
  if (path === undefined || captures.length === 0) {
    throw new UserError('Which rules on which captures? nametap rules test rules.yaml capture.pcap');
  }
  return tryRules(path, captures, options);
}

async function tryRules(path: string, captures: string[], options: OptionValues): Promise<number> {
  const [{ detectorsOf }, { judgeOf }, { loadConfig }, { readRows }] = await Promise.all([
    import('../app/rules.ts'),
    import('../app/judging.ts'),
    import('../app/config.ts'),
    import('../app/detect-files.ts'),
  ]);
  const isText = options.format !== 'ndjson';
  const expected = wholeNumber(options, 'expect', undefined);
  const alerts = new Map<string, number>();
  const marks = new Map<string, number>();
  const raise = (finding: Finding) => {
    alerts.set(finding.detector, (alerts.get(finding.detector) ?? 0) + 1);
    print(isText ? lineOf(finding) : `${JSON.stringify(finding)}\n`);
  };
  const more = detectorsOf([path], (_, names) => {
    for (const name of names) marks.set(name, (marks.get(name) ?? 0) + 1);
  });
  const { config } = loadConfig({ file: textOption(options, 'config') });
  const judge = judgeOf(config.detect, { ...config, raise, more, only: more.map(({ id }) => id) });
  const session = new Session();
  const plan = { paths: captures, config, rules: [], cores: 1, ports: decodeAs(options) };
  const result = await readRows(plan, { signal: session.signal }, (batch, from, to) =>
    judge.rows(batch, from, to),
  ).finally(() => session.close());
  const total = [...alerts.values()].reduce((sum, n) => sum + n, 0);
  remark(`${numberText(judge.judged)} transactions, ${numberText(total)} alerts`);
  for (const [name, n] of marks) remark(`'${plainText(name)}' marked ${numberText(n)} transactions`);
  remarkLogs(result.logs);
  remarkDamage({ ...result, interfaces: [] }, 'what came before was looked at');
  if (expected !== undefined && expected !== total) {
    remark(`${numberText(expected)} alerts were expected`);
    return EXIT.usage;
  }
  return result.damage.length > 0 ? EXIT.cut : EXIT.ok;
}

function lineOf({ time, severity, title, text }: Finding): string {
  return `${momentText(time)}  ${severity.padEnd(8)}  ${plainText(title)}\n    ${plainText(text)}\n`;
}
