import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fields as command, listFields } from '../../src/cli/fields.ts';
import type { FilterField } from '../../src/filter/fields/field.ts';
import { FIELDS, findField, nearestField } from '../../src/filter/fields/registry.ts';
import { UNOFFERED, whyUnoffered } from '../../src/filter/fields/unoffered.ts';
import { EXAMPLE_MESSAGES } from './examples.ts';
import { passes, printed, query, sample, type Sample } from './messages.ts';

/** `field-values.txt`: name of a field, title of an example, what is printed of it. */
const GOLDEN = readFileSync(new URL('field-values.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => line.split('\t'));

function exampleOf(title: string): Sample {
  const found = EXAMPLE_MESSAGES.find((example) => example.title === title);
  assert.ok(found !== undefined, `there is an example '${title}'`);
  return found.sample;
}

function fieldOf(name: string): FilterField {
  const field = findField(name);
  assert.ok(field !== undefined, name);
  return field;
}

describe('every field has a value in an example', () => {
  test('the list is complete', () => {
    assert.deepEqual(GOLDEN.map(([name]) => name).sort(), FIELDS.map(({ name }) => name).sort());
    assert.equal(new Set(FIELDS.map(({ name }) => name)).size, FIELDS.length);
  });

  for (const [name, title, ...values] of GOLDEN) {
    test(name, () => {
      const message = exampleOf(title);
      assert.equal(printed(name, message).join(' | ').replaceAll('\t', '␉'), values.join('\t').replaceAll('\t', '␉'));
      // What is printed can be asked for.
      const filter = filterFor(fieldOf(name), printed(name, message));
      assert.ok(passes(filter, message), filter);
      assert.ok(passes(name, message), `${name} is there`);
    });
  }
});

/** A filter that a message with these values passes. */
function filterFor({ name, kind }: FilterField, values: readonly string[]): string {
  const [value] = values;
  if (kind === 'protocol') return name;
  if (kind === 'bytes' && value === '<MISSING>') return `len(${name}) == 0`;
  if (kind === 'text' || kind === 'name' || kind === 'time')
    return `${name} == "${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  if (kind === 'bytes') return `${name}[0] == ${value.slice(0, 2)} and len(${name}) == ${value.length / 2}`;
  if (kind === 'uint' && Number(value) > Number.MAX_SAFE_INTEGER) return `${name} > 9007199254740991`;
  return `${name} == ${value}`;
}

test('fields of other layers and protocols are absent, not zero', () => {
  const plain = sample(query());
  const absent = FIELDS.filter(({ name }) => /^(?:nbns|tcp|ipv6|sll)(?:\.|$)/.test(name));
  assert.ok(absent.length > 50);
  for (const { name } of absent) assert.deepEqual(printed(name, plain), [], name);
  const netbios = sample(query(), { protocol: 'nbns' });
  for (const { name } of FIELDS.filter(({ name }) => name.startsWith('dns.') && name !== 'dns.fault'))
    assert.deepEqual(printed(name, netbios), [], name);
});

test('domain names fold case, nothing else does', () => {
  const folding = FIELDS.filter(({ folds }) => folds).map(({ name }) => name);
  for (const name of ['dns.qry.name', 'dns.resp.name', 'dns.cname', 'dns.ns', 'dns.mx.mail_exchange', 'dns.srv.target'])
    assert.ok(folding.includes(name), name);
  for (const name of ['dns.txt', 'dns.caa.value', 'frame.interface_name']) assert.ok(!folding.includes(name), name);
});

test('the nearest field of a mistyped one', () => {
  assert.equal(nearestField('dns.qry.nmae'), 'dns.qry.name');
  assert.equal(nearestField('DNS.QRY.NAME'), 'dns.qry.name');
  assert.equal(nearestField('dns.flags.rcod'), 'dns.flags.rcode');
  assert.equal(nearestField('quite.something.else.entirely'), undefined);
});

describe('nametap fields', () => {
  const two = FIELDS.filter(({ name }) => name === 'dns.qry.name' || name === 'frame.len');

  test('as text, TSV, JSON and as tshark lists them', () => {
    assert.match(
      listFields(two, 'text'),
      /^frame\n {2}frame\.len {5}FT_UINT32 {2}--- {2}Frame length on the wire\n\nquestion\n {2}dns\.qry\.name/,
    );
    assert.equal(
      listFields(two, 'tsv'),
      'name\ttype\tgroup\tfolds_case\tin_store\ttitle\n' +
        'frame.len\tFT_UINT32\tframe\t0\tnone\tFrame length on the wire\n' +
        'dns.qry.name\tFT_STRING\tquestion\t1\tcolumn\tName\n',
    );
    assert.deepEqual(JSON.parse(listFields(two, 'json'))[1], {
      name: 'dns.qry.name',
      type: 'FT_STRING',
      title: 'Name',
      group: 'question',
      folds_case: true,
      in_store: 'column',
    });
    assert.equal(listFields(two.slice(1), 'wireshark'), 'F\tName\tdns.qry.name\tFT_STRING\tdns\t\t0x0\t\n');
    assert.match(listFields([fieldOf('dns.flags.rcode')], 'text', true), /\n {6}3 No such name\n/);
  });

  test('Wireshark fields that are not offered say why', async () => {
    for (const name of ['tcp.completeness', 'tcp.analysis.lost_segment', 'ip.geoip.country_iso']) {
      assert.equal(findField(name), undefined);
      assert.throws(() => printed(name, sample(query())), /is a Wireshark field that nametap does not compute: /);
    }
    await assert.rejects(async () => command.run(['ip.geoip.asnum'], {}), /that nametap does not compute: /);
    for (const [name] of UNOFFERED) assert.ok(!FIELDS.some((field) => field.name === name), name);
  });

  test('words that no field has are an error with a suggestion', async () => {
    await assert.rejects(async () => command.run(['dns.qry.nmae'], {}), /Did you mean dns\.qry\.name\?/);
  });
});

test('what people know from Wireshark around DNS is a field, or says why not', () => {
  const known = `
    frame.number frame.len frame.cap_len frame.time frame.time_epoch frame.time_relative frame.time_delta
    frame.time_delta_displayed frame.protocols frame.interface_id frame.interface_name frame.comment
    frame.section_number eth.addr eth.src eth.dst eth.type eth.addr_resolved vlan.id vlan.priority vlan.dei vlan.etype
    sll.pkttype sll.src.eth sll.ltype ip.addr ip.src ip.dst ip.host ip.src_host ip.dst_host ip.proto ip.ttl ip.len
    ip.id ip.version ip.flags.df ip.flags.mf ip.frag_offset ip.fragment ip.fragments ip.fragment.count
    ip.reassembled_in ip.reassembled.length ip.reassembled.data ip.dsfield.dscp ip.stream ip.geoip.country_iso
    ipv6.addr ipv6.src ipv6.dst ipv6.nxt ipv6.hlim ipv6.plen ipv6.flow ipv6.tclass ipv6.fraghdr.nxt ipv6.fragment
    ipv6.fragments ipv6.fragment.count ipv6.reassembled.length ipv6.reassembled.data udp.port udp.srcport udp.dstport
    udp.length udp.payload udp.checksum udp.checksum.status udp.stream udp.time_relative udp.time_delta tcp.port
    tcp.srcport tcp.dstport tcp.len tcp.seq tcp.seq_raw tcp.nxtseq tcp.ack tcp.ack_raw tcp.stream tcp.flags
    tcp.flags.syn tcp.flags.ack tcp.flags.fin tcp.flags.reset tcp.flags.push tcp.window_size tcp.window_size_value
    tcp.payload tcp.time_relative tcp.time_delta tcp.segment tcp.segments tcp.segment.count tcp.reassembled.length
    tcp.reassembled.data tcp.analysis.retransmission tcp.analysis.initial_rtt _ws.col.protocol _ws.malformed
    _ws.expert.severity icmp icmpv6 data http2 quic`.match(/\S+/g);
  assert.ok(known !== null && known.length > 90);
  for (const name of known) assert.ok(findField(name) !== undefined || whyUnoffered(name) !== undefined, name);
});

test('fields of a tunnelled frame have a value of every header, the outermost first', () => {
  const plain = sample(query());
  const { carrier } = plain;
  const outer = [0x45, 0, 0, 99, 0, 1, 0, 0, 63, 17, 0, 0, 203, 0, 113, 1, 203, 0, 113, 2, 0xc3, 0x50, 0x12, 0xb5];
  const header = [...outer, 0, 79, 0, 0, 8, 0, 0, 0, 0, 0, 9, 0];
  const frame = Uint8Array.from([...carrier.frame.subarray(0, 14), ...header, ...carrier.frame]);
  frame[12] = 8;
  frame[13] = 0;
  const moved = header.length + 14;
  Object.assign(carrier, { frame, bytes: frame, capturedLength: frame.length, wireLength: frame.length });
  Object.assign(carrier, { ethernetAt: moved, vlanAt: moved + 14, ipAt: carrier.ipAt + moved });
  Object.assign(carrier, { transportAt: carrier.transportAt + moved, at: carrier.at + moved });
  const { ipAt, transportAt } = carrier;
  const walked = [5, 0, -1, 12, 14, -1, 0, 34, 7, 17, 42, -1, 5, moved, -1, 6, moved + 14, -1, 12, ipAt, -1];
  carrier.trail.set([...walked, 0, transportAt, 8]);
  carrier.trailLength = 8;
  carrier.stream = 8;
  plain.view.read(frame, carrier.at, carrier.length, carrier.claimedLength);
  const values: Record<string, string> = {
    'ip.src': '203.0.113.1 10.0.0.1',
    'ip.addr': '203.0.113.1 203.0.113.2 10.0.0.1 192.0.2.53',
    'ip.host': '203.0.113.1 203.0.113.2 10.0.0.1 192.0.2.53',
    'ip.ttl': '63 64',
    'ip.version': '4 4',
    'udp.dstport': '4789 53',
    'udp.stream': '7 8',
    'vlan.id': '7',
    'eth.type': '0x0800 0x8100',
    'frame.protocols': 'eth:ethertype:ip:udp:vxlan:eth:ethertype:vlan:ethertype:ip:udp:dns',
    'dns.qry.name': 'www.example.com',
  };
  for (const [name, text] of Object.entries(values)) assert.equal(printed(name, plain).join(' '), text, name);
  for (const filter of ['ip.src == 203.0.113.1', 'ip.src == 10.0.0.1', 'any ip.ttl < 64', 'udp.port in {4789}']) {
    assert.ok(passes(filter, plain), filter);
  }
  assert.ok(!passes('all ip.ttl < 64', plain));
  assert.ok(!passes('ip.src != 203.0.113.1', plain));
});
