import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FATE } from '../../src/core/ledger.ts';
import { hasCorpus, manifest, truth } from '../sources/corpus.ts';
import { type Decoded, decodeCapture, ledgerFaults } from './compare.ts';
import type { Row } from './row.ts';

const captures = hasCorpus() ? manifest() : [];

/** A named test over one capture of the corpus, found by a part of its name. */
function hardCase(what: string, names: string[], check: (decoded: Decoded, line: Row) => void): void {
  test(what, async (t) => {
    if (!hasCorpus()) return t.skip('the shared captures are not beside this checkout');
    for (const name of names) {
      const line = captures.find(({ file }) => file.includes(name));
      assert.ok(line !== undefined, name);
      const decoded = await decodeCapture(line);
      assert.deepEqual(ledgerFaults(decoded.ledger), [], name);
      check(decoded, line);
    }
  });
}

/** Queries and responses. */
function counts({ rows }: Decoded): { queries: number; responses: number } {
  const responses = rows.filter((row) => row.qr === '1').length;
  return { queries: rows.length - responses, responses };
}

const identities = (rows: Row[]) =>
  rows.map((row) => [row.src, row.sport, row.dport, row.transport, row.id, row.qr, row.qname_hex].join(' ')).sort();

hardCase('1: the first byte of a message comes after the rest, no SYN', ['wireshark--dns-ooo'], (decoded) => {
  assert.deepEqual(counts(decoded), { queries: 0, responses: 1 });
});

hardCase('2: framing is found again behind a large hole', ['dnscap--dnso1tcp-bighole'], (decoded) => {
  const { queries, responses } = counts(decoded);
  assert.equal(responses, 38);
  assert.ok(queries >= 38, `${queries} queries`);
});

hardCase('3: retransmitted segments give no message twice', ['entrada--tcp-stream-retransmision'], (decoded) => {
  assert.deepEqual(counts(decoded), { queries: 530, responses: 475 });
  assert.ok(decoded.ledger.frames[FATE.segment_repeated] > 0);
});

hardCase('4: segments out of order, several messages in one', ['pktvisor--dns_udp_tcp_random'], (decoded, line) => {
  assert.equal(decoded.rows.length, 5851);
  assert.deepEqual(identities(decoded.rows), identities(truth(line.file, '.ooo.tsv') ?? []));
});

hardCase('5: one byte per segment, with holes: no message', ['tcp-all-malformed-packets.dups'], (decoded) => {
  assert.equal(decoded.rows.length, 0);
});

hardCase('6: the capture begins behind the length prefix', ['dnscap--do1t-nosyn-1nolen'], (decoded) => {
  assert.deepEqual(counts(decoded), { queries: 2, responses: 2 });
});

hardCase('7: DNS in the SYN, frames not in time order', ['dnscollector--dnsdump_tcp_fastopen'], (decoded) => {
  assert.deepEqual(counts(decoded), { queries: 4, responses: 4 });
  for (const { dns_time } of decoded.rows) assert.ok(dns_time === '' || Math.abs(Number(dns_time)) < 1, dns_time);
});

hardCase('8: junk behind the last record, over TCP and UDP', ['dnsjit--tcp-response-with-trailing-junk'], (decoded) => {
  assert.deepEqual(counts(decoded), { queries: 10, responses: 10 });
});

hardCase('9: UDP length 8 means no message', ['tcpdump--dns-zlip-1', 'tcpdump--dns-zlip-3'], (decoded) => {
  assert.equal(decoded.rows.length, 0);
  assert.equal(decoded.ledger.frames[FATE.no_payload], 1);
});

hardCase('10: a large datagram full of forward pointers', ['tcpdump--dns_fwdptr'], (decoded) => {
  assert.deepEqual(
    decoded.rows.map((row) => row.malformed),
    ['malformed'],
  );
});

hardCase('11: pointer recursion, counts without data', ['dns_stack_overflow', 'DnsTooManyResources'], (decoded) => {
  assert.ok(decoded.ledger.faults > 0);
});

hardCase('12: names above 255 bytes are read up to there', ['ndpi--malformed_dns'], (decoded) => {
  assert.equal(decoded.rows.length, 6);
  assert.equal(decoded.rows.filter((row) => row.malformed !== '' && row.qname_hex !== '').length, 4);
});

hardCase('14: a minute of an authoritative server', ['compactor--nsd-live'], (decoded, line) => {
  assert.equal(decoded.rows.length, 20_864);
  assert.equal(Number(line.icmp_quoted), 24);
  assert.ok(decoded.ledger.frames[FATE.icmp] >= 24);
  assert.deepEqual(counts(decoded), { queries: 10_432, responses: 10_432 });
  // All are paired (the malformed one too): 10,409 transactions, 16 queries asked again before the answer, and 7 over
  // IPv6, where no identification tells a query sent again from one seen again.
  assert.equal(decoded.rows.filter((row) => row.unsolicited !== '').length, 0);
  assert.equal(decoded.transactions, 10_409);
  const again = decoded.rows.filter((row) => row.qr === '0' && row.retransmission !== '');
  assert.deepEqual([again.length, again.filter((row) => row.src.includes(':')).length], [23, 7]);
});

for (const [name, messages] of [
  ['zeek--vxlan-triple-v2', 1],
  ['arkime--6-4-gre-ppp-udp-4-dns', 2],
  ['ndpi--dns.pcap', 5],
] as const) {
  hardCase(`15: nested layers, ${name}`, [name], (decoded) => assert.equal(decoded.rows.length, messages));
}

hardCase('16: fragments with checksum 0 over IPv6', ['nmsg--absent_edns-v6-ok'], (decoded) => {
  assert.equal(decoded.rows.length, 5);
  assert.ok(decoded.badChecksums > 0);
});

hardCase('16: every datagram in fragments', ['dnscap--frags'], (decoded) => {
  assert.equal(decoded.rows.length, 82);
});

hardCase('16: right checksums are not flagged', ['nmsg--correct_root-any-v6'], (decoded) => {
  assert.equal(decoded.rows.length, 1);
  assert.equal(decoded.badChecksums, 0);
});

hardCase('17: DNS over QUIC is recognised, not decoded', ['ndpi--doq', 'zeek--quicdoq'], (decoded, line) => {
  assert.equal(decoded.rows.length, 0);
  const quoted = decoded.ledger.frames[FATE.not_dns];
  assert.equal(decoded.ledger.frames[FATE.encrypted] + quoted, Number(line.packets));
  assert.ok(decoded.ledger.frames[FATE.encrypted] >= 9);
});

hardCase('17: DNS over TLS, HTTPS and DNSCrypt are recognised', ['ndpi--dns_dot', 'ndpi--dns_doh'], (decoded, line) => {
  assert.equal(decoded.rows.length, 0);
  assert.equal(decoded.ledger.frames[FATE.encrypted], Number(line.packets));
});

hardCase('17: DNS over cleartext HTTP/2 is recognised', ['suricata--dns_over_https_POST'], (decoded, line) => {
  assert.equal(decoded.rows.length, 0);
  // All but the handshake and what comes before the first request.
  assert.ok(decoded.ledger.frames[FATE.encrypted] >= Number(line.packets) - 5);
});

hardCase('17: DNSCrypt beside DNS', ['ndpi--dnscrypt-v1-and-resolver-pings'], (decoded) => {
  assert.equal(decoded.rows.length, 466);
  assert.ok(decoded.ledger.frames[FATE.encrypted] >= 15);
});

hardCase(
  '18: custom blocks count as frames, sections and 95 interfaces are read',
  ['test018', 'test102', 'test201', 'too_many_interfaces'],
  (decoded, line) => {
    assert.equal(decoded.ledger.received, Number(line.records));
    assert.equal(decoded.rows.length, Number(line.dns));
  },
);

hardCase(
  '19: odd records, odd times, a file cut in a packet',
  ['pcap-parser--modified-format', 'tcpdump--time_2106_overflow', 'dpkt--truncated_dns_2'],
  (decoded) => assert.equal(decoded.ledger.received, 1),
);

hardCase('20: a second response is kept, with one pair', ['dns-two-responses', 'dns-response-2x'], (decoded) => {
  assert.equal(counts(decoded).responses, 2);
  assert.equal(decoded.rows.filter((row) => row.response_to !== '').length, 1);
});
