import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Carrier, DNS, MDNS, NBNS, TCP } from '../../src/core/carrier.ts';
import { FATE, FRAME_FATES } from '../../src/core/ledger.ts';
import { MessageJoin } from '../../src/core/join.ts';
import { FIELDS } from '../../src/filter/fields/registry.ts';
import { Subject, Values } from '../../src/filter/value.ts';
import { ByteWriter } from '../../src/sinks/byte-writer.ts';
import { RrsetOutput } from '../../src/sinks/cof.ts';
import { ecs } from '../../src/sinks/ecs.ts';
import { ek } from '../../src/sinks/ek.ts';
import { eve } from '../../src/sinks/eve.ts';
import { fields, PLAIN_FIELDS } from '../../src/sinks/fields.ts';
import { flat } from '../../src/sinks/flat.ts';
import { OUTPUTS } from '../../src/sinks/index.ts';
import { type FieldsFormat, unitsOf } from '../../src/sinks/output.ts';
import { FATE_WORDS, packetValue } from '../../src/sinks/packet.ts';
import { text } from '../../src/sinks/text.ts';
import { MessageView } from '../../src/wire/message.ts';
import { seedMessages } from '../fuzz/messages.ts';
import { carrierOf, join, type Sent, sent } from './rows.ts';
import { showAll } from './show.ts';

const objects = (lines: string) =>
  lines
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

test('names of formats are unique, their units have something that shows them', () => {
  assert.equal(new Set(OUTPUTS.map(({ name }) => name)).size, OUTPUTS.length);
  const units = Object.fromEntries(OUTPUTS.map((format) => [format.name, unitsOf(format)]));
  assert.deepEqual(units, {
    text: ['message', 'transaction', 'packet'],
    fields: ['message'],
    ek: ['message'],
    json: ['transaction', 'message', 'packet'],
    ndjson: ['transaction', 'message', 'packet'],
    csv: ['transaction', 'message'],
    tree: ['message'],
    zeek: ['transaction'],
    eve: ['message'],
    ecs: ['transaction'],
    cof: ['rrset'],
    flat: ['transaction'],
  });
});

describe('-T fields', () => {
  /** Two fields with values as they come, one that is absent. */
  function lines(format: Partial<FieldsFormat>, values: string[][]): string {
    const writer = new ByteWriter(64);
    const output = fields.message?.(
      {
        interfaces: [],
        fields: values.map((list, i) => ({ name: `field.${i}`, values: () => list })),
        fieldsFormat: { ...PLAIN_FIELDS, ...format },
      },
      writer,
    );
    output?.begin?.();
    output?.message(new Carrier(), new MessageView(), new MessageJoin());
    return new TextDecoder('utf8', { ignoreBOM: true }).decode(writer.take());
  }
  const values = [['a', 'b', 'c'], [], ['x"y\tz']];

  test('stands as tshark has it without -E', () => {
    assert.equal(lines({}, values), 'a,b,c\t\tx"y\\tz\n');
  });

  test('takes everything that -E sets', () => {
    assert.equal(lines({ header: true, separator: ';' }, values), 'field.0;field.1;field.2\na,b,c;;x"y\\tz\n');
    assert.equal(lines({ quote: 'd', aggregator: ' ' }, values), '"a b c"\t\t"x""y\\tz"\n');
    assert.equal(lines({ quote: 's', occurrence: 'f' }, values), "'a'\t\t'x\"y\\tz'\n");
    assert.equal(lines({ occurrence: 'l', escape: false }, values), 'c\t\tx"y\\009z\n');
    assert.equal(lines({ bom: true }, [['a']]), '\uFEFFa\n');
  });
});

describe('packets', () => {
  /** A carrier as the dissector leaves it for a frame of raw IP. */
  function carrier(bytes: number[], more: Partial<Carrier> = {}): Carrier {
    const one = new Carrier();
    const frame = Uint8Array.from([0, 0, ...bytes, 9, 9]);
    const ipAt = bytes.length === 0 ? -1 : 2;
    const lengths = { capturedLength: bytes.length, wireLength: bytes.length };
    return Object.assign(one, { frame, frameAt: 2, ipAt, transport: 0, ...lengths, ...more });
  }
  const options = { interfaces: [] };
  const v4 = (protocol: number) => [0x45, 0, 0, 20, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
  const address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const v6 = (next: number, ...rest: number[]) => {
    return [0x60, 0, 0, 0, 0, rest.length, next, 64, ...address, 1, ...address, 2, ...rest];
  };

  test('say who, to whom, what protocol, and why they are no message', () => {
    const ports = { sourcePort: 4000, destinationPort: 443, transport: 6 };
    const tcp = packetValue(carrier(v4(6), ports), FATE.not_dns, options);
    assert.deepEqual(tcp, {
      time: '1970-01-01T00:00:00.000000000Z',
      frame: 0,
      source: '192.0.2.1',
      source_port: 4000,
      destination: '192.0.2.2',
      destination_port: 443,
      protocol: 'TCP',
      bytes: 20,
      fate: 'not_dns',
      why: 'not DNS, by ports or content',
    });
    const icmp = packetValue(carrier(v4(1)), FATE.not_dns, options);
    assert.deepEqual([icmp?.protocol, icmp?.source_port], ['ICMP', undefined]);
    assert.equal(packetValue(carrier(v4(253)), FATE.not_dns, options)?.protocol, 'IP 253');
  });

  test('of IPv6 are known behind extension headers', () => {
    const hopByHop = [58, 0, 5, 2, 0, 0, 1, 0];
    const packet = packetValue(carrier(v6(0, ...hopByHop, 143, 0)), FATE.not_dns, options);
    assert.deepEqual([packet?.protocol, packet?.source, packet?.destination], ['ICMPV6', '2001:db8::1', '2001:db8::2']);
    const laterFragment = [17, 0, 0, 8, 0, 0, 0, 1];
    assert.equal(packetValue(carrier(v6(44, ...laterFragment)), FATE.held, options)?.protocol, 'UDP');
    // A chain of headers that ends nowhere is followed no further than the frame.
    const endless = Array.from({ length: 20 }, () => [60, 0, 0, 0, 0, 0, 0, 0]).flat();
    assert.equal(packetValue(carrier(v6(60, ...endless)), FATE.malformed, options)?.protocol, 'IP 60');
  });

  test('are only those of IP', () => {
    assert.equal(packetValue(carrier([]), FATE.not_ip, options), undefined);
    const writer = new ByteWriter(64);
    const output = text.packet?.(options, writer);
    output?.frame(carrier([]), FATE.not_ip);
    output?.frame(carrier(v4(17), { transport: 17, sourcePort: 9, destinationPort: 10 }), FATE.cut);
    const line = new TextDecoder().decode(writer.take());
    assert.match(line, /192\.0\.2\.1 +-> 192\.0\.2\.2 +UDP +9 -> 10 +20 {2}cut by the snapshot length/);
    assert.equal(line.split('\n').length, 2);
  });

  test('have words for every fate', () => {
    for (const fate of FRAME_FATES) assert.ok(FATE_WORDS[fate].length > 3, fate);
    assert.equal(Object.keys(FATE_WORDS).length, FRAME_FATES.length);
  });
});

/** A query for an address and its answer. */
function lookup(at: number, id: number, name: string, data: string): Sent[] {
  const questions = [{ name, type: 'A' }];
  const answers = [{ name, type: 'A', ttl: 60, data }];
  return [sent(at, { id, questions }), sent(at + 0.001, { id, flags: ['qr'], questions, answers })];
}

describe('-T cof', () => {
  function rrsets(list: readonly Sent[], limit?: number) {
    const writer = new ByteWriter(64);
    const output = new RrsetOutput({ interfaces: [] }, writer, limit);
    for (const batch of join(list)) output.batch(batch, 0, batch.count);
    output.end();
    return { lines: objects(new TextDecoder().decode(writer.take())), output };
  }

  test('counts an RRset over all its responses, whatever the case of its name', () => {
    const { lines, output } = rrsets([
      ...lookup(0, 1, 'A.test', '192.0.2.1'),
      ...lookup(50, 2, 'a.TEST', '192.0.2.1'),
      ...lookup(90, 3, 'a.test', '192.0.2.2'),
    ]);
    const [first, second] = lines;
    assert.deepEqual([first.rrname, first.rrtype, first.rdata, first.count], ['a.test.', 'A', ['192.0.2.1'], 2]);
    assert.equal(first.time_last - first.time_first, 50);
    assert.deepEqual([second.rdata, second.count], [['192.0.2.2'], 1]);
    assert.deepEqual(output.notes(), []);
  });

  test('writes the oldest early when more come than fit, and says so', () => {
    const list = Array.from({ length: 9 }, (_, i) => lookup(i, i, `n${i % 5}.test`, '192.0.2.1')).flat();
    const { lines, output } = rrsets(list, 3);
    assert.equal(output.evicted, 6);
    assert.match(output.notes()[0], /^6 RRsets were written early/);
    assert.equal(
      lines.reduce((sum: number, { count }: { count: number }) => sum + count, 0),
      9,
    );
  });

  test('takes nothing from errors', () => {
    const questions = [{ name: 'a.test', type: 'A' }];
    const answers = [{ name: 'a.test', type: 'CNAME', ttl: 60, data: 'b.test' }];
    const { lines } = rrsets([
      sent(0, { id: 1, questions }),
      sent(1, { id: 1, flags: ['qr'], rcode: 'NXDOMAIN', questions, answers }),
    ]);
    assert.deepEqual(lines, []);
  });

  test('names an unknown type by its number', () => {
    const questions = [{ name: 'a.test', type: 'TYPE65400' }];
    const answers = [{ name: 'a.test', type: 'TYPE65400', ttl: 60, data: '\\# 1 61' }];
    const { lines } = rrsets([sent(0, { id: 1, questions }), sent(1, { id: 1, flags: ['qr'], questions, answers })]);
    assert.equal(lines[0].rrtype, 65400);
  });
});

test('-T eve is version 3: requests and responses with their queries', () => {
  const [request, response] = objects(showAll(lookup(0, 258, 'a.test', '192.0.2.1'), eve));
  assert.equal(request.event_type, 'dns');
  assert.deepEqual(request.dns, {
    version: 3,
    type: 'request',
    tx_id: 0,
    id: 258,
    flags: '0',
    opcode: 0,
    rcode: 'NOERROR',
    queries: [{ rrname: 'a.test', rrtype: 'A' }],
  });
  assert.deepEqual([response.src_ip, response.dest_ip, response.dns.type], ['198.51.100.53', '192.0.2.10', 'response']);
  assert.deepEqual(response.dns.answers, [{ rrname: 'a.test', rrtype: 'A', ttl: 60, rdata: '192.0.2.1' }]);
  assert.deepEqual(response.dns.grouped, { A: ['192.0.2.1'] });
  assert.equal(response.timestamp, '2023-11-14T22:13:20.001000+0000');
});

test('-T ek is an index line and a document per message', () => {
  const lines = objects(
    showAll([...lookup(0, 258, 'a.test', '192.0.2.1'), ...lookup(1, 7, 'b.test', '192.0.2.2')].slice(0, 3), ek),
  );
  assert.equal(lines.length, 6);
  assert.deepEqual(lines[0], { index: { _index: 'packets-2023-11-14', _type: 'doc' } });
  const { timestamp, layers } = lines[3];
  assert.equal(timestamp, '1700000000001');
  const { dns } = layers;
  assert.deepEqual(
    [dns.dns_dns_id, dns.dns_dns_flags_response, dns.dns_dns_qry_name, dns.dns_dns_resp_name, dns.dns_dns_a],
    ['0x0102', true, 'a.test', 'a.test', '192.0.2.1'],
  );
  assert.equal(dns.dns_dns_time, '0.001000000');
  const [, multicast] = objects(
    showAll([{ ...sent(0, { questions: [{ name: 'a.local', type: 'A' }] }), protocol: MDNS }], ek),
  );
  assert.equal(multicast.layers.mdns.dns_dns_qry_name, 'a.local');
  const netbios = showAll([{ ...sent(0, { id: 3, questions: [{ name: 'a', type: 'A' }] }), protocol: NBNS }], ek);
  assert.equal(netbios.match(/"nbns":/g)?.length, 1);
  assert.equal(objects(netbios)[1].layers.nbns.nbns_nbns_id, '0x0003');
});

test('-T ek leaves no field out, whatever is in the message', () => {
  const values = new Values();
  const subject = new Subject();
  for (const bytes of seedMessages()) {
    for (const protocol of [DNS, MDNS]) {
      const one = { bytes, at: 0, protocol };
      const [, { layers }] = objects(showAll([one], ek));
      const keys = new Set(Object.values(layers).flatMap((layer) => Object.keys(layer as object)));
      subject.carrier = carrierOf(one, 1);
      subject.view.read(bytes, 0, bytes.length);
      for (const field of FIELDS) {
        if (!field.name.startsWith('dns.') || field.group === 'transaction') continue;
        values.clear();
        field.read(subject, values);
        const key = `dns_${field.name.replaceAll('.', '_')}`;
        assert.equal(keys.has(key), values.count > 0, `${field.name} of type ${subject.view.type[0]}`);
      }
    }
  }
});

test('-T ecs names the flow as others do', () => {
  // Community ids as the reference implementation computes them.
  const v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  for (const [more, id] of [
    [{}, '1:TJFAd24A2ZP7piZ0Fxtm3+pbVLc='],
    [{ client: [203, 0, 113, 9] }, '1:zcFGXf8qxH9NjzxUI20m6nKNYk8='],
    [{ client: v6, server: [...v6.slice(0, 15), 0x53], transport: TCP }, '1:RxMEFUu3zzDhlLaww9dWP7vmkTA='],
  ] as const) {
    const [event] = objects(
      showAll(
        lookup(0, 1, 'a.test', '192.0.2.1').map((one) => ({ ...one, ...more })),
        ecs,
      ),
    );
    assert.equal(event.network.community_id, id);
    assert.deepEqual(event.dns.resolved_ip, ['192.0.2.1']);
    assert.equal(event.event.duration, 1_000_000);
  }
});

test('-T flat calls an unanswered query TIMEOUT', () => {
  const query = sent(0, { id: 1, questions: [{ name: 'a.test', type: 'A' }] });
  const later = sent(60, { id: 2, questions: [{ name: 'b.test', type: 'A' }] });
  const [first] = objects(showAll([query, later], flat));
  assert.equal(first['dns.rcode'], 'TIMEOUT');
  assert.equal(first['dnstap.operation'], 'CLIENT_QUERY');
  const [answered] = objects(showAll(lookup(0, 1, 'a.test', '192.0.2.1'), flat));
  assert.equal(answered['dnstap.latency'], 0.001);
  assert.equal(answered['dns.resource-records.an.0.rdata'], '192.0.2.1');
});
