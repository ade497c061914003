import { writeFileSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { VANTAGES, type Vantage } from '../core/transactions.ts';
import { print } from './history.ts';
import { textOption, usefulCores } from './options.ts';
import { Progress } from './progress.ts';
import { remarkDamage } from './remarks.ts';
import { Session } from './session.ts';

/** `nametap analyze`: the analyst's report. */
export const analyze: CommandDefinition = {
  name: 'analyze',
  summary: 'describe captures and logs: statistics, what is usual in them, and what deviates',
  arguments: {
    name: 'FILE',
    summary: "captures or dnstap, Zeek's dns.log, Suricata's EVE or CSV, plain or compressed; - for stdin",
    many: true,
  },
  options: [
    {
      name: 'format',
      letter: 'T',
      value: 'FORMAT',
      summary: 'of the report',
      choices: ['text', 'html', 'json'],
      default: 'text',
    },
    { name: 'output', letter: 'o', value: 'FILE', summary: 'write to FILE instead of standard output' },
    { name: 'config', value: 'FILE', summary: 'configuration (default: NAMETAP_CONFIG, else nametap.yaml here)' },
    { name: 'vantage', value: 'PLACE', summary: 'where the capture was made', choices: VANTAGES },
    { name: 'quiet', letter: 'q', summary: 'no progress on standard error' },
  ],
  examples: [
    'nametap analyze monday.pcapng  # in the terminal',
    'nametap analyze -T html -o monday.html monday.pcapng  # one page with plots',
    'nametap analyze dns.log.gz  # a log of Zeek',
  ],
  run: runCommand,
};

async function runCommand(paths: string[], options: OptionValues): Promise<number> {
  if (paths.length === 0) throw new UserError('Which capture or log? Give one or more files, or - for standard input.');
  const [{ loadConfig }, { analyzeFiles }, { analysisHtml, analysisText }] = await Promise.all([
    import('../app/config.ts'),
    import('../app/analyze.ts'),
    import('../report/analysis.ts'),
  ]);
  const { config } = loadConfig({ file: textOption(options, 'config') });
  const vantage = textOption(options, 'vantage') as Vantage | undefined;
  const session = new Session();
  const progress = new Progress(options.quiet !== true && isatty(2));
  const { signal, counting } = session;
  const hooks = {
    signal,
    counting,
    progress: (done: number, of: number, frames: number) => progress.show(done, of, frames),
  };
  try {
    const { analysis, result } = await analyzeFiles({ paths, config, vantage, rules: [], cores: usefulCores() }, hooks);
    progress.clear();
    const format = textOption(options, 'format');
    if (format === 'html') write(analysisHtml(analysis), options);
    else if (format === 'json') write(`${JSON.stringify(analysis, undefined, 2)}\n`, options);
    else write(analysisText(analysis, process.stdout.columns || 100), options);
    remarkDamage({ ...result, interfaces: [] }, 'what came before is in the report');
    return result.damage.length > 0 ? EXIT.cut : EXIT.ok;
  } finally {
    progress.clear();
    session.close();
  }
}

function write(text: string, options: OptionValues): void {
  const path = textOption(options, 'output');
  if (path === undefined || path === '-') {
    print(text);
    return;
  }
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UserError(`Cannot write ${plainText(path)}: ${reasonOf(error)}.`, EXIT.file, { cause: error });
  }
}
