import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { FIELDS } from '../../src/filter/fields/registry.ts';
import { outputField } from '../../src/filter/output.ts';
import { ek } from '../../src/sinks/ek.ts';
import { fields, PLAIN_FIELDS } from '../../src/sinks/fields.ts';
import { ndjson } from '../../src/sinks/ndjson.ts';
import type { FieldsFormat } from '../../src/sinks/output.ts';
import { corpus, hasCorpus } from '../sources/corpus.ts';
import { capture, show } from '../sinks/show.ts';

const CAPTURES = [
  'udp.pcap',
  'tcp-pipelined.pcap',
  'truncated-then-tcp.pcap',
  'fragments-ipv4.pcap',
  'fragments-ipv6.pcap',
  'edns-options.pcap',
  'dnssec.pcap',
  'lookups.pcapng',
];

function tshark(path: string, ...args: string[]): string {
  return execFileSync('tshark', ['-n', '-r', path, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

type Layers = Record<string, Record<string, unknown> | Record<string, unknown>[] | undefined>;

/** The documents of bulk lines; each index line goes with one. */
function documents(text: string): { timestamp: string; layers: Layers }[] {
  const lines = text.split('\n').slice(0, -1);
  const list = lines.map((line) => JSON.parse(line));
  list.forEach((value, i) => assert.equal(i % 2 === 0, 'index' in value));
  return list.filter((_, i) => i % 2 === 1);
}

/** Keys that tshark 4.0 has not: later versions do, or nobody else. */
const OURS_ONLY = new Set([
  'frame_frame_interface_id',
  'dns_dns_time_last',
  'dns_dns_resp_z_co',
  'dns_dns_resp_z_de',
  'dns_dns_flags_ad',
  'dns_dns_fault',
  'dns_dns_opt_key_tag_key_tags',
  'dns_dns_opt_expire_expire',
  // tshark leaves IPv6's fragment header out of ek.
  'ipv6_ipv6_fraghdr_nxt',
  'ipv6_ipv6_fraghdr_offset',
  'ipv6_ipv6_fraghdr_more',
  'ipv6_ipv6_fraghdr_ident',
]);
/** Keys whose values differ, with the reason. */
const DIFFERENT = new Map([
  ...['eth_eth_addr', 'eth_eth_lg', 'eth_eth_ig'].map(
    (key) => [key, 'tshark writes the key twice: JSON readers take one'] as const,
  ),
  ['dns_dns_opt_chain_fqdn', 'tshark 4.0 shows the octets of the name'],
  ['ip_ip_frag_offset', 'tshark writes units of eight octets here, octets elsewhere'],
  ['dns_dns_flags_authenticated', 'in queries the bit is dns.flags.ad, as since Wireshark 4.4'],
]);
/** Of a datagram put together from fragments, the header in the first one is not at hand. */
const IN_FIRST_FRAGMENT = new Set(['udp_udp_length', 'udp_udp_checksum', 'udp_udp_checksum_status', 'udp_udp_payload']);
const known = new Set(
  FIELDS.map(({ name }) => `${name.slice(0, Math.max(0, name.indexOf('.')))}_${name.replaceAll('.', '_')}`),
);

test('-T ek has the keys and values of tshark -T ek', async () => {
  let compared = 0;
  for (const name of CAPTURES) {
    const ours = documents(await show(capture(name), ek));
    // tshark writes one document per frame, with a list of the messages that end in it.
    const theirs = documents(tshark(capture(name), '-T', 'ek')).flatMap(({ timestamp, layers }) => {
      const { dns, ...rest } = layers;
      const messages = dns === undefined ? [] : Array.isArray(dns) ? dns : [dns];
      return messages.map((message) => ({ timestamp, layers: { ...rest, dns: message } as Layers }));
    });
    assert.equal(ours.length, theirs.length, name);
    ours.forEach(({ timestamp, layers }, i) => {
      assert.equal(timestamp, theirs[i].timestamp);
      for (const layer of ['frame', 'eth', 'ip', 'ipv6', 'udp', 'tcp', 'dns']) {
        const mine = (layers[layer] ?? {}) as Record<string, unknown>;
        const other = (theirs[i].layers[layer] ?? {}) as Record<string, unknown>;
        for (const key of new Set([...Object.keys(mine), ...Object.keys(other)])) {
          const where = `${name}, message ${i + 1}, ${key}`;
          if (DIFFERENT.has(key)) continue;
          if (!(key in other)) assert.ok(OURS_ONLY.has(key), `${where}: tshark does not have it`);
          else if (!(key in mine)) assert.ok(!known.has(key) || IN_FIRST_FRAGMENT.has(key), `${where} is missing`);
          else {
            assert.deepEqual(mine[key], other[key], where);
            compared++;
          }
        }
      }
    });
  }
  assert.ok(compared > 5000, `${compared} values compared`);
});

test('-T fields takes -E as tshark does, byte for byte', async () => {
  const names = ['frame.number', 'dns.id', 'dns.qry.name', 'dns.resp.name', 'dns.a', 'dns.resp.ttl', 'dns.time'];
  const wanted = names.flatMap((name) => ['-e', name]);
  for (const [options, format] of [
    [[], {}],
    [['header=y'], { header: true }],
    [['separator=/s', 'quote=d', 'header=y'], { separator: ' ', quote: 'd', header: true }],
    [['separator=;', 'aggregator=|', 'quote=s'], { separator: ';', aggregator: '|', quote: 's' }],
    [['occurrence=f'], { occurrence: 'f' }],
    [['occurrence=l', 'bom=y'], { occurrence: 'l', bom: true }],
  ] satisfies [string[], Partial<FieldsFormat>][]) {
    for (const name of ['dnssec.pcap', 'lookups.pcapng', 'udp.pcap']) {
      const set = { fields: names.map((one) => outputField(one)), fieldsFormat: { ...PLAIN_FIELDS, ...format } };
      const theirs = tshark(capture(name), '-T', 'fields', ...wanted, ...options.flatMap((one) => ['-E', one]));
      // tshark has a line per frame: these captures hold one message in each.
      assert.equal(await show(capture(name), fields, 'message', set), theirs, `${name} ${options.join(' ')}`);
    }
  }
});

test('--unit packet shows every IP packet that tshark sees, DNS or not', async (t) => {
  if (!hasCorpus()) return t.skip('the shared captures are not beside this checkout');
  let packets = 0;
  for (const folder of ['basic', 'tcp', 'fragments']) {
    const at = fileURLToPath(new URL(`${folder}/`, corpus));
    for (const file of readdirSync(at).slice(0, 12)) {
      const theirs = tshark(at + file, '-Y', 'ip or ipv6', '-T', 'fields', '-e', 'frame.number').split('\n');
      const ours = (await show(at + file, ndjson, 'packet')).split('\n').slice(0, -1);
      const numbers = ours.map((line) => String(JSON.parse(line).frame));
      assert.deepEqual(numbers, theirs.slice(0, -1), `${folder}/${file}`);
      packets += numbers.length;
    }
  }
  assert.ok(packets > 1000, `${packets} packets compared`);
});
