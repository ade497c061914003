import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { numberText } from '../core/figures.ts';
import { textOption, wholeNumber } from './options.ts';
import { remark } from './remarks.ts';
import { writeStdout } from './stdout.ts';

/** Beyond, the file would be larger than any disk. */
const MOST_CLIENTS = 60_000;
const MOST_DAYS = 366;

/** `nametap generate`: ordinary traffic with attacks and faults in it. */
export const generate: CommandDefinition = {
  name: 'generate',
  summary: 'make a capture of ordinary traffic with attacks and faults in it, and say where they are',
  options: [
    { name: 'scenario', value: 'NAMES', summary: 'what happens, joined by commas; help lists them (default: nothing)' },
    { name: 'seed', value: 'N', summary: 'the same seed gives the same capture', default: '1' },
    { name: 'clients', value: 'N', summary: 'machines that ask', default: '50' },
    { name: 'days', value: 'N', summary: 'days of traffic; what happens begins in the middle', default: '1' },
    { name: 'upstream', summary: 'write what the resolver asks, too' },
    { name: 'write', letter: 'w', value: 'FILE', summary: 'the capture (- for stdout)' },
    { name: 'file-format', letter: 'F', value: 'FORMAT', summary: 'format of -w', choices: ['pcapng', 'pcap'] },
    { name: 'labels', value: 'FILE', summary: 'write what should be noticed: tab-separated, one line each' },
  ],
  examples: [
    'nametap generate --scenario help  # what there is',
    'nametap generate --scenario tunnel,dga -w day.pcap --labels day.tsv  # a day of 50 clients, two of them bad',
    'nametap generate --scenario servfail --seed 7 -w - | nametap report -  # into another command',
  ],
  run,
};

async function run(_args: string[], options: OptionValues): Promise<number> {
  const scenarios = (textOption(options, 'scenario') ?? '').split(',').filter((name) => name !== '');
  const { scenarioLines, scenariosOf, writeGenerated } = await import('../app/generate.ts');
  if (scenarios.includes('help')) {
    writeStdout(new TextEncoder().encode(scenarioLines()));
    return EXIT.ok;
  }
  scenariosOf(scenarios);
  const write = textOption(options, 'write');
  if (write === undefined) throw new UserError('Where to? Give a file with -w, or - for standard output.');
  const { packets, transactions, labels } = writeGenerated({
    scenarios,
    seed: wholeNumber(options, 'seed', 1),
    clients: within(options, 'clients', 50, MOST_CLIENTS),
    days: within(options, 'days', 1, MOST_DAYS),
    hasUpstream: options.upstream === true,
    write,
    format: options['file-format'] === 'pcap' || write.endsWith('.pcap') ? 'pcap' : 'pcapng',
    labels: textOption(options, 'labels'),
  });
  const attacks = labels.filter(({ detectors }) => detectors.length > 0).length;
  remark(
    `${numberText(packets)} packets of ${numberText(transactions)} transactions; ${numberText(attacks)} things to notice, ${numberText(labels.length - attacks)} not to`,
  );
  return EXIT.ok;
}

function within(options: OptionValues, name: string, otherwise: number, most: number): number {
  const value = wholeNumber(options, name, otherwise);
  if (value >= 1 && value <= most) return value;
  throw new UserError(`--${name} wants 1 to ${numberText(most)}, not ${value}.`);
}
