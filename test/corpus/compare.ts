import { fileURLToPath } from 'node:url';
import { FRAME_FATES, type Ledger } from '../../src/core/ledger.ts';
import type { MatchOptions } from '../../src/correlate/matcher.ts';
import type { DissectOptions } from '../../src/net/dissect.ts';
import { Engine } from '../../src/pipeline/engine.ts';
import { openFiles } from '../../src/sources/files.ts';
import { corpus, truth } from '../sources/corpus.ts';
import { type Row, rowOf } from './row.ts';

export interface Decoded {
  rows: Row[];
  /** NetBIOS messages, which the ground truth only counts. */
  nbns: Row[];
  ledger: Ledger;
  transactions: number;
  /** Messages whose UDP checksum is wrong (reassembled datagrams only). */
  badChecksums: number;
}

/** All messages of a capture, in the columns of the ground truth. */
export async function decode(path: string, dissect: DissectOptions = {}, match: MatchOptions = {}): Promise<Decoded> {
  const source = await openFiles([path]);
  const rows: Row[] = [];
  const nbns: Row[] = [];
  let transactions = 0;
  let badChecksums = 0;
  const engine = new Engine(
    { dissect, match },
    {
      message: (carrier, view, join) => {
        const row = rowOf(carrier, view, join);
        if (carrier.badChecksum) badChecksums++;
        (row.proto === 'nbns' ? nbns : rows).push(row);
      },
      rows: (batch) => {
        transactions += batch.count;
      },
    },
  );
  for await (const batch of source.batches(new AbortController().signal)) engine.frames(batch);
  engine.finish();
  return { rows, nbns, ledger: engine.ledger, transactions, badChecksums };
}

/** A capture of the corpus, decoded with the ports that its ground truth was made with. */
export function decodeCapture(line: Row): Promise<Decoded> {
  const udpPorts = [...line.tshark_opts.matchAll(/-d udp\.port==(\d+),dns/g)].map((match) => Number(match[1]));
  const tcpPorts = [...line.tshark_opts.matchAll(/-d tcp\.port==(\d+),dns/g)].map((match) => Number(match[1]));
  return decode(fileURLToPath(new URL(line.file, corpus)), { udpPorts, tcpPorts });
}

/** Where a capture's messages and the ground truth differ: how often, by what, with the first few cases. */
export class Differences {
  readonly counts = new Map<string, number>();
  readonly examples = new Map<string, string[]>();
  messages = 0;
  fields = 0;

  add(what: string, example: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
    const examples = this.examples.get(what) ?? [];
    if (examples.length < 3) examples.push(example.slice(0, 300));
    this.examples.set(what, examples);
  }
}

/** Columns that are compared; `path` has no counterpart and `qname` is lossy text of `qname_hex`. */
const COLUMNS = (
  'time_epoch proto src dst transport sport dport len id flags qr opcode rcode qd an ns ar qname_hex qtype qclass ' +
  'a aaaa cname ttl rrs edns edns_opts malformed'
).split(' ');

/** Columns that say how messages belong together: one difference for all of them. */
const RELATIONS = ['dns_time', 'response_to', 'retransmission', 'unsolicited'];

/** Compares a capture's rows with its ground truth; `kind` names the truth file. */
export function compare(file: string, rows: Row[], kind: string): Differences {
  const differences = new Differences();
  const expected = new Map<string, Row>();
  for (const row of truth(file, kind) ?? []) {
    // A copy quoted in an ICMP error is no message of its own.
    if (/\bicmp(v6)?:/.test(row.path)) differences.add('quoted', row.frame);
    else if (row.transport === 'tcp/http2') differences.add('http2', row.frame);
    else expected.set(`${row.frame}/${row.msg}`, row);
  }
  const seen = new Map<string, number>();
  const byFrame = Map.groupBy(rows, (row) => row.frame);
  for (const row of rows) {
    const count = (seen.get(row.frame) ?? 0) + 1;
    seen.set(row.frame, count);
    const key = `${row.frame}/${count}`;
    const other = expected.get(key);
    if (other === undefined) {
      differences.add('extra message', `${key} ${row.id} ${row.qname_hex}`);
      continue;
    }
    expected.delete(key);
    differences.messages++;
    compareRow(row, other, differences);
    compareRelations(row, other, byFrame, differences);
  }
  for (const [key, row] of expected) differences.add('missing message', `${key} ${row.id} ${row.qname}`);
  return differences;
}

function compareRow(row: Row, expected: Row, differences: Differences): void {
  for (const column of COLUMNS) {
    differences.fields++;
    const ours = row[column] ?? '';
    const theirs = normal(column, expected[column]);
    if (column === 'rrs' && theirs.includes(';;33;') && sameWithoutServiceOwners(ours, theirs)) continue;
    if (column === 'edns_opts' ? sameOptions(ours, theirs) : ours === theirs) continue;
    differences.add(column, `${row.frame}/${row.msg}: ${ours.slice(0, 140)} <> ${theirs.slice(0, 140)}`);
  }
}

function compareRelations(row: Row, expected: Row, byFrame: Map<string, Row[]>, differences: Differences): void {
  differences.fields += RELATIONS.length;
  const wrong = RELATIONS.filter((column) => (row[column] ?? '') !== expected[column]);
  if (wrong.length === 0) return;
  const cells = (cell: Row) => RELATIONS.map((column) => cell[column] || '-').join(' ');
  differences.add(
    `relation: ${whyRelation(row, expected, byFrame)}`,
    `${row.frame}/${row.msg} ${row.qr === '1' ? 'R' : 'Q'} ${row.id}: ${cells(row)} <> ${cells(expected)}`,
  );
}

/** Which of the known ways of pairing otherwise it is. */
function whyRelation(row: Row, expected: Row, byFrame: Map<string, Row[]>): string {
  if (row.proto !== 'dns') return row.proto;
  if (expected.malformed !== '') return 'malformed';
  const frame = expected.response_to || expected.retransmission.split('>')[1];
  const partners = byFrame.get(frame) ?? [];
  const question = (other: Row) => `${other.qname_hex.toLowerCase()} ${other.qtype} ${other.qclass}`;
  if (frame && partners.every((other) => question(other) !== question(row))) return 'other question';
  return 'other';
}

/** tshark prints the UDP size in hexadecimal where it has a name for it, and a zero time without decimals. */
function normal(column: string, text: string): string {
  if (column !== 'edns' && column !== 'rrs') return text;
  return text.replace(column === 'edns' ? /^0x([0-9a-f]+)(?=:)/ : /(?<=;41;)0x([0-9a-f]+)(?=;)/g, (_, hex) =>
    String(Number.parseInt(hex, 16)),
  );
}

/** tshark shows the owner of an SRV record under another field, which the ground truth does not hold. */
function sameWithoutServiceOwners(ours: string, theirs: string): boolean {
  const a = ours.split('|');
  const b = theirs.split('|');
  return (
    a.length === b.length &&
    b.every((record, i) => a[i] === record || a[i].replace(/^([a-z]+;)[^;]*(?=;33;)/, '$1') === record)
  );
}

/** Data is only in the ground truth where tshark has no deeper decode. */
function sameOptions(ours: string, theirs: string): boolean {
  const a = ours === '' ? [] : ours.split('|');
  const b = theirs === '' ? [] : theirs.split('|');
  return (
    a.length === b.length && b.every((option, i) => (option.endsWith(':') ? a[i].startsWith(option) : a[i] === option))
  );
}

/** What the ledger has to fulfil after every capture. */
export function ledgerFaults(ledger: Ledger): string[] {
  const held = ledger.frames[FRAME_FATES.indexOf('held')];
  const negative = FRAME_FATES.filter((_, i) => ledger.frames[i] < 0);
  return [...ledger.imbalance(), ...(held === 0 ? [] : [`${held} frames held`]), ...negative];
}
