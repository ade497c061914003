import type { FrameInput, Input } from '../app/input.ts';
import type { ShowPlan } from '../app/show.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { concludeLines, linesPlan } from './lines.ts';
import {
  CAPTURE,
  COLOR,
  captureOptions,
  DECODE_AS,
  DNSTAP,
  DNSTAP_TLS,
  decodeAs,
  FILTER,
  FILTER_COMPAT,
  MATCHING,
  LINES,
  listOption,
  SENSOR,
  sizeOption,
  SAMPLE,
  sampleOption,
  THREADS,
  textOption,
  tlsOption,
  wholeNumber,
} from './options.ts';
import { countsText, remark } from './remarks.ts';
import { Session } from './session.ts';
import { writeStdout } from './stdout.ts';

/** `nametap watch`: live lines. */
export const watch: CommandDefinition = {
  name: 'watch',
  summary: 'show live traffic, one line per transaction, message or packet',
  arguments: { name: 'EXPRESSION', summary: 'capture filter, as with tcpdump', many: true, optional: true },
  options: [
    ...CAPTURE,
    FILTER,
    ...LINES,
    {
      name: 'autostop',
      letter: 'a',
      value: 'WHEN',
      summary: 'end after duration:SECONDS, packets:N or filesize:KB',
      many: true,
    },
    { name: 'write', letter: 'w', value: 'FILE', summary: 'write the frames (with -Y: of what passes) to FILE' },
    { name: 'file-format', letter: 'F', value: 'FORMAT', summary: 'format of -w', choices: ['pcapng', 'pcap'] },
    {
      name: 'rotate',
      letter: 'b',
      value: 'WHEN',
      summary: 'a new file after duration:SECONDS, filesize:KB or packets:N; files:N keeps the last N',
      many: true,
    },
    { name: 'rotate-size', value: 'KB', summary: 'a new file after so many kilobytes' },
    { name: 'rotate-seconds', value: 'N', summary: 'a new file after so many seconds' },
    { name: 'rotate-packets', value: 'N', summary: 'a new file after so many packets' },
    { name: 'rotate-files', value: 'N', summary: 'keep the last N files' },
    { name: 'snaplen', letter: 's', value: 'BYTES', summary: 'most bytes kept of a frame', default: '262144' },
    {
      name: 'buffer',
      letter: 'B',
      value: 'SIZE',
      summary: 'kernel memory for the capture; a bare number is MiB',
      default: '64MiB',
    },
    { name: 'ipv4', letter: '4', summary: 'only IPv4' },
    { name: 'ipv6', letter: '6', summary: 'only IPv6' },
    { name: 'read-timeout', value: 'MS', summary: 'longest wait for a part-filled block of packets', default: '20' },
    { name: 'dump-bpf', summary: 'print the program that the capture filter becomes, and end' },
    SAMPLE,
    DECODE_AS,
    FILTER_COMPAT,
    ...MATCHING,
    DNSTAP,
    ...DNSTAP_TLS,
    { name: 'no-names', letter: 'n', summary: 'accepted: addresses are never resolved' },
    THREADS,
    SENSOR,
    COLOR,
  ],
  examples: [
    'nametap watch  # every transaction on every interface',
    "nametap watch -i eth0 -Y 'dns.flags.rcode != 0'  # only what failed",
    "nametap watch -i eth0 -f 'udp port 53' --unit message -Y 'dns.flags.response == 0' -c 10  # ten queries",
    'nametap watch -i eth0 --unit packet  # every IP packet, and why it was no message',
    'nametap watch -i eth0 -w dns.pcapng -b filesize:100000 -b files:10  # the last gigabyte',
    'nametap watch -q -a duration:60  # listen for a minute, then print the report',
    'nametap watch --dnstap tcp:6000 -T ndjson  # what resolvers send',
  ],
  run: runCommand,
};

async function runCommand(args: string[], options: OptionValues): Promise<number> {
  const input = await inputOf(args, options);
  if (options['dump-bpf'] === true && input.kind === 'live') {
    const { captureProgramText } = await import('../app/capture.ts');
    writeStdout(Buffer.from(await captureProgramText(input)));
    return EXIT.ok;
  }
  const lines = linesPlan(input, options);
  const given = textOption(options, 'unit') ?? textOption(options, 'format') ?? listOption(options, 'field')[0];
  const plan: ShowPlan = {
    ...lines,
    // One line per transaction, unless a format with lines of its own was asked for.
    unit: lines.unit ?? (given === undefined && lines.format === 'text' ? 'transaction' : undefined),
    threads: wholeNumber(options, THREADS.name, 0),
    ...sampleOption(options),
  };
  const session = new Session();
  try {
    const stop = autostop(listOption(options, 'autostop'));
    Object.assign(plan, stop.limits);
    const { counting, writing } = session;
    const { dropRights } = await import('../app/input.ts');
    const opened = () => {
      const user = input.kind === 'live' ? dropRights(textOption(options, 'user')) : undefined;
      remark(whatIsWatched(input) + (user === undefined ? '' : `, as user ${user}`));
      if (stop.seconds !== undefined) setTimeout(() => session.stop(), stop.seconds * 1000).unref();
    };
    const hooks = { signal: session.signal, counting, writing, opened };
    if (options.quiet === true && plan.write === undefined) return await watchQuietly(plan, hooks);
    const { runShow } = await import('../app/show.ts');
    const result = await runShow(plan, hooks, writeStdout);
    process.stderr.write(`${countsText(result.ledger)}\n`);
    return concludeLines(result);
  } finally {
    session.close();
  }
}

function whatIsWatched(input: Input): string {
  if (input.kind !== 'live') return 'Listening for dnstap';
  return `Capturing on ${input.interfaces.map((name) => `'${plainText(name)}'`).join(', ')}`;
}

/** Without lines all that is left is the report at the end. */
async function watchQuietly(
  plan: ShowPlan,
  hooks: Parameters<typeof import('../app/run.ts').runReport>[2],
): Promise<number> {
  const { runReport } = await import('../app/run.ts');
  // Loaded before rights are given up: the user we become may not read our files.
  const { reportText } = await import('../report/text.ts');
  const { sampledRate, scaledReport } = await import('../report/sampled.ts');
  const { report, ledger } = await runReport(plan, {}, hooks);
  const source = { files: [], ...(plan.filter === undefined ? {} : { filter: plan.filter }) };
  const seen = report.value(source, 20);
  const value = scaledReport(seen, sampledRate(ledger));
  writeStdout(Buffer.from(reportText(value, process.stdout.columns || 100)));
  process.stderr.write(`${countsText(ledger)}\n`);
  return EXIT.ok;
}

async function inputOf(args: string[], options: OptionValues): Promise<Input> {
  const tap = listOption(options, DNSTAP.name);
  if (tap.length > 0) {
    if (args.length > 0 || listOption(options, 'interface').length > 0) {
      throw new UserError('--dnstap takes the place of interfaces and capture filters. Leave one of them out.');
    }
    const { parseDnstap } = await import('../app/input.ts');
    const tls = tlsOption(options);
    return { kind: 'dnstap', from: tap.map((one) => parseDnstap(one, tls)) };
  }
  if (options.ipv4 === true && options.ipv6 === true)
    throw new UserError('-4 and -6 exclude each other. Leave both out.');
  const capture = captureOptions(options);
  if (args.length > 0 && capture.captureFilter !== undefined) {
    throw new UserError('The capture filter is given twice: with -f, and as words at the end.');
  }
  return {
    ...capture,
    ...decodeAs(options),
    captureFilter: args.length > 0 ? args.join(' ') : capture.captureFilter,
    snaplen: wholeNumber(options, 'snaplen', 262_144) || 262_144,
    ringBytes: sizeOption(options, 'buffer'),
    blockTimeoutMs: wholeNumber(options, 'read-timeout', 20),
    family: options.ipv4 === true ? 4 : options.ipv6 === true ? 6 : undefined,
    everything: options.unit === 'packet',
  } satisfies FrameInput;
}

/** What `-a` says: `duration:SECONDS` by the clock, `packets:N`, `filesize:KB`. Throws UserError. */
function autostop(words: readonly string[]): { seconds?: number; limits: Partial<ShowPlan> } {
  let seconds: number | undefined;
  const limits: Partial<ShowPlan> = {};
  for (const word of words) {
    const [, key, value] = /^(duration|packets|filesize):(\d{1,9}(?:\.\d{1,6})?)$/.exec(word) ?? [];
    const number = Number(value);
    if (key === 'duration' && number > 0) seconds = number;
    else if (key === 'packets' && Number.isInteger(number)) limits.frameLimit = number;
    else if (key === 'filesize' && Number.isInteger(number)) limits.writeLimitBytes = number * 1000;
    else {
      throw new UserError(
        `-a ${plainText(word)} is not understood. It takes duration:SECONDS, packets:N or filesize:KB.`,
      );
    }
  }
  return { seconds, limits };
}
