/** Printed values of a capture held against tshark 4.0's, field by field. */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { FIELDS } from '../../src/filter/fields/registry.ts';
import { outputField } from '../../src/filter/output.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { openFiles } from '../../src/sources/files.ts';
import type { Sample } from '../filter/messages.ts';

const run = promisify(execFile);
export const UTC = { ...process.env, TZ: 'UTC' };
const SEPARATOR = '\u001e';
const AGGREGATOR = '\u001f';

/** Fields of the registry that this tshark knows. */
const glossary = new Set(
  execFileSync('tshark', ['-G', 'fields'], { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] })
    .toString()
    .split('\n')
    .map((line) => line.split('\t')[2]),
);
const KNOWN = FIELDS.filter(({ name, type }) => glossary.has(name) && type !== 'FT_PROTOCOL').map(({ name }) => name);

/** Where printed values differ from tshark 4.0 on purpose: the reason, and for which values it holds. */
const DEVIATIONS: Readonly<
  Record<string, readonly [reason: string, holds?: (ours: string, theirs: string) => boolean]>
> = {
  'dns.opt.chain.fqdn': ['tshark prints the octets of the name without dots'],
  'dns.openpgpkey': ['tshark prints octets as text'],
  'dns.resp.type': ['tshark repeats the types of NSEC, NSEC3 and CSYNC bit maps here; nametap has dns.nsec.types'],
  'dns.resp.name': ['tshark leaves the owner of SRV out for names of its own'],
  'dns.rr.udp_payload_size': ['tshark prints it in hexadecimal for mDNS', (_, theirs) => theirs.startsWith('0x')],
  'dns.qry.name.len': ['tshark counts a name of one letter as empty', (ours) => ours === '1'],
  'dns.count.labels': ['tshark counts a name of one letter as empty', (_, theirs) => theirs === '0'],
  'dns.response_to': ['tshark pairs by ports and id, nametap by the question too'],
  'dns.time': ['follows dns.response_to'],
  'dns.retransmission': ['follows dns.response_to'],
  'dns.retransmit_request_in': ['follows dns.response_to'],
  'dns.retransmit_request': ['follows dns.response_to'],
  'dns.retransmit_response_in': ['follows dns.response_to'],
  'dns.retransmit_response': ['follows dns.response_to'],
  'dns.unsolicited': ['follows dns.response_to; mDNS responses have no query'],
  'dns.svcb.svcparam.value': ['tshark 4.0 does not know dohpath'],
  'dns.data': ['nametap reads more types'],
  'dns.srv.service': ['nametap has the parts of names with underscores only'],
  'dns.srv.proto': ['as dns.srv.service'],
  'dns.srv.name': ['as dns.srv.service'],
  'dns.idsn.sa.length': ['tshark leaves out an empty one', (ours) => ours.endsWith('0')],
  'dns.idsn.sa.address': ['tshark leaves out an empty one', (ours) => ours.endsWith(AGGREGATOR)],
  'dns.ipseckey.public_key': ['tshark leaves out an empty one', (ours) => ours.endsWith('<MISSING>')],
  'dns.wins.local_flag': ['tshark looks at the lowest bit; the flag is 0x10000 (MS-DNSP)'],
  'nbns.name': ['tshark adds what the suffix means'],
  'frame.interface_name': ['an interface without a name is "unknown" to tshark', (_, theirs) => theirs === 'unknown'],
  'frame.interface_id': ['tshark prints it for pcapng only', (_, theirs) => theirs === ''],
  'udp.payload': ['tshark adds what lies behind the datagram', (ours, theirs) => theirs.startsWith(ours)],
  'ipv6.reassembled.data': ['as udp.payload', (ours, theirs) => theirs.startsWith(ours)],
  'ip.reassembled.data': ['as udp.payload', (ours, theirs) => theirs.startsWith(ours)],
  'ip.fragments': ['as udp.payload', (ours, theirs) => theirs.startsWith(ours)],
  'ipv6.reassembled.length': ['as udp.payload', (ours, theirs) => Number(theirs) > Number(ours)],
  'udp.checksum.status': ['the UDP header of a reassembled datagram is not kept', (ours) => ours === ''],
  'frame.protocols': [
    'tshark names what is within the message, and IPv4 where the link said so and IPv6 came',
    (ours, theirs) => theirs.startsWith(`${ours}:`) || theirs === `ip:${ours}`,
  ],
  'frame.time_relative': ['nanoseconds are exact to 104 days', (_, theirs) => Math.abs(Number(theirs)) > 9e6],
  'frame.time_delta': ['nanoseconds are exact to 104 days', (_, theirs) => Math.abs(Number(theirs)) > 9e6],
  'tcp.analysis.initial_rtt': ['tshark gives it up where a segment was lost before', (_, theirs) => theirs === ''],
  '_ws.expert': ['nametap remarks on faults only', (ours) => ours === ''],
  '_ws.expert.message': ['nametap remarks on faults only', (ours) => ours === ''],
  '_ws.expert.severity': ['nametap remarks on faults only', (ours) => ours === ''],
  '_ws.expert.group': ['nametap remarks on faults only', (ours) => ours === ''],
};

function isDeviation(name: string, ours: string, theirs: string): boolean {
  // tshark shows octets that are no text in ways of its own, and something for names that it gives up on.
  if (ours.includes('\ufffd') || theirs.includes('<Name too long>')) return true;
  const deviation = DEVIATIONS[name];
  return deviation !== undefined && (deviation[1]?.(ours, theirs) ?? true);
}

interface Printed {
  /** Values by frame, in the order of `names`. */
  readonly frames: Map<number, readonly string[]>;
  /** Frames that held more than one message, or a malformed one. */
  readonly skipped: Set<number>;
}

async function tsharkValues(file: string, names: readonly string[]): Promise<Map<number, readonly string[]>> {
  const options = ['-E', `separator=${SEPARATOR}`, '-E', `aggregator=${AGGREGATOR}`];
  const filter = '(dns || mdns || llmnr || nbns) && !icmp && !icmpv6';
  const { stdout } = await run(
    'tshark',
    ['-n', '-r', file, '-Y', filter, '-T', 'fields', ...options, ...names.flatMap((name) => ['-e', name])],
    { maxBuffer: 1 << 28, env: UTC },
  );
  const at = names.indexOf('frame.number');
  const rows = stdout.split('\n').slice(0, -1);
  // A text that holds the separator itself spoils its row.
  const whole = rows.map((row) => row.split(SEPARATOR)).filter((cells) => cells.length === names.length);
  return new Map(whole.map((cells) => [Number(cells[at]), cells]));
}

async function ownValues(file: string, names: readonly string[]): Promise<Printed> {
  const printers = names.map((name) => outputField(name, { compat: 'wireshark' }));
  const frames = new Map<number, readonly string[]>();
  const skipped = new Set<number>();
  await eachMessage(file, ({ carrier, view, join: relations }) => {
    // What tshark makes of malformed messages is another matter (test/net, test/wire).
    if (frames.has(carrier.number) || view.fault !== 0) skipped.add(carrier.number);
    frames.set(
      carrier.number,
      printers.map((printer) => printer.values(carrier, view, relations).join(AGGREGATOR)),
    );
  });
  return { frames, skipped };
}

export async function eachMessage(file: string, look: (message: Sample) => void): Promise<void> {
  const engine = new Engine(
    { dissect: { heuristic: true, streams: true } },
    { message: (carrier, view, relations) => look({ carrier, view, join: relations }) },
  );
  const source = await openFiles([file]);
  engine.interfaces = source.interfaces;
  for await (const batch of source.batches(new AbortController().signal)) engine.frames(batch);
  engine.finish();
}

/** Control characters as tshark escapes them. */
function escaped(text: string): string {
  const letters = ['\\a', '\\b', '\\t', '\\n', '\\v', '\\f', '\\r'];
  const octal = (code: number) => `\\${code.toString(8).padStart(3, '0')}`;
  return text.replace(/[\0-\x1e]/g, (c) => letters[c.charCodeAt(0) - 7] ?? octal(c.charCodeAt(0)));
}

/** Differences of printed values that no deviation explains. */
export async function differences(file: string): Promise<{ cells: number; wrong: string[] }> {
  const names = ['frame.protocols', ...KNOWN];
  const theirs = await tsharkValues(file, names);
  const { frames, skipped } = await ownValues(file, KNOWN);
  const wrong: string[] = [];
  let cells = 0;
  for (const [number, values] of frames) {
    const line = theirs.get(number);
    if (line === undefined || skipped.has(number)) continue;
    for (const [i, name] of KNOWN.entries()) {
      cells++;
      if (escaped(values[i]) === line[i + 1] || isDeviation(name, values[i], line[i + 1])) continue;
      wrong.push(`${number} ${name}: ${JSON.stringify(values[i])}, tshark ${JSON.stringify(line[i + 1])}`);
    }
  }
  return { cells, wrong };
}
