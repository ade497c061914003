/** A second opinion: another decoder reads what ours reads, and what ours writes. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as dnsPacket from 'dns-packet';
import { readFrames } from '../../src/library/pcap.ts';
import { decodeMessage, encodeMessage, type Message, type RecordData } from '../../src/library/wire.ts';

const captures = fileURLToPath(new URL('../captures/', import.meta.url));

/** What the other decoder makes of rdata, as presentation text; undefined for types it has no text of. */
const TEXT: Record<string, (data: never) => string> = {
  A: (data: string) => data,
  AAAA: (data: string) => data,
  CNAME: (data: string) => data,
  NS: (data: string) => data,
  PTR: (data: string) => data,
  MX: ({ preference, exchange }: { preference: number; exchange: string }) => `${preference} ${exchange}`,
  SRV: (d: { priority: number; weight: number; port: number; target: string }) =>
    `${d.priority} ${d.weight} ${d.port} ${d.target}`,
  SOA: (d: Record<'mname' | 'rname' | 'serial' | 'refresh' | 'retry' | 'expire' | 'minimum', string | number>) =>
    `${d.mname} ${d.rname} ${d.serial} ${d.refresh} ${d.retry} ${d.expire} ${d.minimum}`,
};
/** Names whose labels hold dots, control characters or backslashes are written differently there. */
const isPlain = (name: string) => !name.includes('\\');

let compared = 0;

function sameRecords(ours: readonly RecordData[], theirs: readonly dnsPacket.Answer[]): void {
  const listed = theirs.filter(({ type }) => type !== 'OPT') as {
    name: string;
    type: string;
    ttl?: number;
    data: never;
  }[];
  assert.equal(ours.length, listed.length);
  for (const [i, { name, type, ttl, data }] of ours.entries()) {
    const other = listed[i];
    if (type.startsWith('TYPE') || !isPlain(name)) continue;
    assert.deepEqual([name, ttl], [other.name === '' ? '.' : other.name, other.ttl]);
    const text = TEXT[type];
    if (text === undefined || data.startsWith('\\#') || !isPlain(data)) continue;
    assert.deepEqual([type, data.replaceAll(/(^|\s)\.(?=\s|$)/g, '$1')], [other.type, text(other.data)]);
    compared++;
  }
}

function sameMessage(ours: Message, theirs: dnsPacket.DecodedPacket): void {
  const { id = 0, flags = 0 } = theirs;
  assert.equal(ours.id, id);
  assert.equal(ours.flags.includes('rd'), (flags & dnsPacket.RECURSION_DESIRED) !== 0);
  assert.equal(ours.flags.includes('tc'), theirs.flag_tc);
  assert.equal(ours.flags.includes('aa'), theirs.flag_aa);
  assert.equal(ours.questions.length, theirs.questions?.length);
  sameRecords(ours.answers, theirs.answers ?? []);
  sameRecords(ours.authority, theirs.authorities ?? []);
  sameRecords(ours.additional, theirs.additionals ?? []);
}

test('sound messages of real captures mean the same to another decoder, and so do they when written again', async () => {
  let messages = 0;
  for (const capture of globSync('*.pcap*', { cwd: captures })) {
    for await (const { layers } of readFrames(`${captures}${capture}`)) {
      for (const { bytes, message, protocol } of layers.dns) {
        if (protocol !== 'dns' || message.fault !== undefined || message.opcode !== 'QUERY') continue;
        let theirs: dnsPacket.DecodedPacket;
        try {
          theirs = dnsPacket.decode(Buffer.from(bytes));
        } catch {
          // It throws on some sound records it knows only an older form of.
          continue;
        }
        sameMessage(message, theirs);
        const written = encodeMessage(message);
        assert.deepEqual(decodeMessage(written), message, capture);
        sameMessage(message, dnsPacket.decode(Buffer.from(written)));
        messages++;
      }
    }
  }
  assert.ok(messages > 250, `${messages} messages`);
  assert.ok(compared > 400, `${compared} records`);
});

test('what the other one writes is read', () => {
  const answers: dnsPacket.Answer[] = [
    { name: 'example.com', type: 'A', ttl: 1, data: '192.0.2.1' },
    { name: 'example.com', type: 'AAAA', ttl: 2, data: '2001:db8::1' },
    { name: 'example.com', type: 'TXT', ttl: 3, data: ['a', 'b c'] },
    { name: 'example.com', type: 'CAA', ttl: 4, data: { flags: 128, tag: 'issue', value: 'ca.example' } },
    { name: 'example.com', type: 'SRV', ttl: 5, data: { priority: 1, weight: 2, port: 3, target: 'a.example' } },
    {
      name: 'example.com',
      type: 'DS',
      ttl: 6,
      data: { keyTag: 12345, algorithm: 8, digestType: 2, digest: Buffer.alloc(4, 0xab) },
    },
    { name: 'example.com', type: 'NSEC', ttl: 7, data: { nextDomain: 'b.example.com', rrtypes: ['A', 'CAA'] } },
  ];
  const message = decodeMessage(new Uint8Array(dnsPacket.encode({ type: 'response', id: 9, answers })));
  assert.deepEqual(
    message.answers.map(({ type, ttl, data }) => `${type} ${ttl} ${data}`),
    [
      'A 1 192.0.2.1',
      'AAAA 2 2001:db8::1',
      'TXT 3 "a" "b c"',
      'CAA 4 128 issue "ca.example"',
      'SRV 5 1 2 3 a.example',
      'DS 6 12345 8 2 ABABABAB',
      'NSEC 7 b.example.com A CAA',
    ],
  );
  assert.equal(message.fault, undefined);
});
