import { isatty } from 'node:tty';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { concludeLines, linesPlan } from './lines.ts';
import {
  COLOR,
  DECODE_AS,
  DNSTAP,
  DNSTAP_TLS,
  FILTER,
  FILTER_COMPAT,
  MATCHING,
  LINES,
  listOption,
  SENSOR,
  THREADS,
  tlsOption,
  usefulCores,
  wholeNumber,
} from './options.ts';
import { Progress } from './progress.ts';
import { countsText, remark } from './remarks.ts';
import { Session } from './session.ts';
import { writeStdout } from './stdout.ts';

/** `nametap read`: lines of capture files, or of dnstap. */
export const read: CommandDefinition = {
  name: 'read',
  summary: 'show what is in capture files: messages, transactions or packets, in many formats',
  arguments: {
    name: 'FILE',
    summary:
      'capture or dnstap files, plain or compressed, in the order of their packets; a folder to watch; - for stdin',
    many: true,
    optional: true,
  },
  options: [
    { name: 'read', letter: 'r', value: 'FILE', summary: 'a file to read, as with tshark', many: true },
    FILTER,
    ...LINES,
    { name: 'write', letter: 'w', value: 'FILE', summary: 'write the frames of what passes to FILE (- for stdout)' },
    { name: 'file-format', letter: 'F', value: 'FORMAT', summary: 'format of -w', choices: ['pcapng', 'pcap'] },
    DECODE_AS,
    FILTER_COMPAT,
    ...MATCHING,
    DNSTAP,
    ...DNSTAP_TLS,
    { name: 'two-pass', letter: '2', summary: 'accepted: fields of both passes are always known' },
    { name: 'no-names', letter: 'n', summary: 'accepted: addresses are never resolved' },
    THREADS,
    SENSOR,
    COLOR,
  ],
  examples: [
    'nametap read capture.pcapng  # one line per message',
    "nametap read -Y 'dns.flags.rcode == 3' capture.pcap.gz  # only what did not exist",
    'nametap read -T ndjson capture.pcap | jq .latency_ms  # one JSON object per transaction',
    'nametap read -e dns.qry.name -e dns.a capture.pcap  # two fields, as tshark prints them',
    'nametap read -T tree --offsets -c 1 capture.pcap  # every field of the first message, and where it is',
    'nametap read -Y \'dns.qry.name contains "ads"\' -w ads.pcapng capture.pcap  # the frames of some messages',
    'ssh gateway tcpdump -w - port 53 | nametap read -  # a capture from elsewhere, as it comes',
    'nametap read --dnstap unix:/run/dnstap.sock  # listen to a resolver',
  ],
  run: runCommand,
};

async function runCommand(args: string[], options: OptionValues): Promise<number> {
  const paths = [...listOption(options, 'read'), ...args];
  const tap = listOption(options, DNSTAP.name);
  if (paths.length === 0 && tap.length === 0) {
    throw new UserError('Which capture? Give one or more files, a folder to watch, or - for standard input.');
  }
  if (paths.length > 0 && tap.length > 0) throw new UserError('Give either capture files or --dnstap, not both.');
  const { inputOf, parseDnstap, usefulThreads } = await import('../app/input.ts');
  const { runShow } = await import('../app/show.ts');
  const tls = tlsOption(options);
  const input =
    tap.length > 0 ? { kind: 'dnstap' as const, from: tap.map((one) => parseDnstap(one, tls)) } : inputOf(paths);
  const plan = linesPlan(input, options);
  plan.threads = wholeNumber(options, THREADS.name, usefulThreads(input, usefulCores()));
  if (input.kind === 'folder' && options.quiet !== true) {
    remark(`watching ${plainText(input.path)} for capture files; Ctrl-C ends it`);
  }
  // Lines on the same terminal would run through the bar.
  const progress = new Progress(isatty(2) && (plan.format === undefined || !isatty(1)));
  const session = new Session();
  try {
    const { signal, counting, writing } = session;
    const hooks = {
      signal,
      counting,
      writing,
      progress: (done: number, of: number, frames: number) => progress.show(done, of, frames),
    };
    const result = await runShow(plan, hooks, writeStdout);
    progress.clear();
    if (options.quiet === true) process.stderr.write(`${countsText(result.ledger)}\n`);
    return concludeLines(result);
  } finally {
    progress.clear();
    session.close();
  }
}
