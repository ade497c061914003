import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FATE, FRAME_FATES } from '../../src/core/ledger.ts';
import * as B from './build.ts';

const hex = (bytes: readonly number[]) => Buffer.from(bytes).toString('hex');
const packet4 = B.ipv4(17, B.udp(B.QUERY));
const packet6 = B.ipv6(17, B.udp(B.QUERY));
const frame = B.ethernet(0x0800, packet4);
const outer4 = (protocol: number, payload: readonly number[]) =>
  B.ethernet(0x0800, B.ipv4(protocol, payload, { from: [10, 0, 0, 1], to: [10, 0, 0, 2] }));
const tunnel = (port: number, payload: readonly number[]) => outer4(17, B.udp(payload, 50000, port));

/** Every way to carry one IPv4 or IPv6 packet with a query: link type, frame, and what is special. */
const CARRIERS: Record<string, { link?: number; bytes: number[]; vlan?: number }> = {
  'Ethernet, IPv4': { bytes: frame },
  'Ethernet, IPv6': { bytes: B.ethernet(0x86dd, packet6) },
  'Ethernet with padding': { bytes: [...frame, ...B.zeros(9)] },
  'IPv4 options': { bytes: B.ethernet(0x0800, B.ipv4(17, B.udp(B.QUERY), { options: B.zeros(8) })) },
  'IPv4 total length 0 (segmentation offload)': {
    bytes: B.ethernet(0x0800, B.ipv4(17, B.udp(B.QUERY), { total: 0 })),
  },
  'IPv4 total length beyond the frame': { bytes: B.ethernet(0x0800, B.ipv4(17, B.udp(B.QUERY), { total: 9999 })) },
  'UDP length 0 (jumbogram)': { bytes: B.ethernet(0x86dd, B.ipv6(17, B.udp(B.QUERY, 40000, 53, 0))) },
  'UDP length beyond the packet': { bytes: B.ethernet(0x0800, B.ipv4(17, B.udp(B.QUERY, 40000, 53, 999))) },
  'VLAN, IPv4': { bytes: B.ethernet(0x8100, B.vlan(0x6123, 0x0800, packet4)), vlan: 0x123 },
  'VLAN, IPv6': { bytes: B.ethernet(0x8100, B.vlan(7, 0x86dd, packet6)), vlan: 7 },
  'QinQ 88a8': { bytes: B.ethernet(0x88a8, B.vlan(11, 0x8100, B.vlan(12, 0x0800, packet4))), vlan: 11 },
  'QinQ 9100': { bytes: B.ethernet(0x9100, B.vlan(11, 0x9100, B.vlan(12, 0x86dd, packet6))), vlan: 11 },
  'LLC and SNAP': {
    bytes: B.ethernet(8 + packet4.length, [...B.llcSnap(0x0800, packet4), ...B.zeros(5)]),
  },
  'bare LLC': { bytes: B.ethernet(3 + packet4.length, [6, 6, 3, ...packet4]) },
  'MPLS, IPv4': { bytes: B.ethernet(0x8847, B.mpls(packet4)) },
  'MPLS, IPv6': { bytes: B.ethernet(0x8847, B.mpls(packet6)) },
  'MPLS pseudowire with control word': { bytes: B.ethernet(0x8847, B.mpls([0, 0, 0, 0, ...frame])) },
  PPPoE: { bytes: B.ethernet(0x8864, B.pppoe([0, 0x21, ...packet4])) },
  'PPPoE with IPv6': { bytes: B.ethernet(0x8864, B.pppoe([0, 0x57, ...packet6])) },
  GRE: { bytes: outer4(47, B.gre(0, 0x0800, [], packet4)) },
  'GRE with checksum, key and sequence': { bytes: outer4(47, B.gre(0xb000, 0x86dd, B.zeros(12), packet6)) },
  'GRE with a source route': {
    bytes: outer4(47, B.gre(0x4000, 0x0800, [0, 0, 0, 0, 8, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0], packet4)),
  },
  NVGRE: { bytes: outer4(47, B.gre(0x2000, 0x6558, B.zeros(4), frame)) },
  PPTP: { bytes: outer4(47, B.gre(0x3081, 0x880b, B.zeros(12), [0xff, 3, 0, 0x21, ...packet4])) },
  WCCP: { bytes: outer4(47, B.gre(0, 0x883e, [], [0, 0, 0, 0, ...packet4])) },
  'ERSPAN I': { bytes: outer4(47, B.gre(0, 0x88be, [], frame)) },
  'ERSPAN II': { bytes: outer4(47, B.gre(0x1000, 0x88be, B.zeros(4), [0x10, ...B.zeros(7), ...frame])) },
  'ERSPAN III': { bytes: outer4(47, B.gre(0x1000, 0x22eb, B.zeros(4), [0x20, ...B.zeros(11), ...frame])) },
  'ERSPAN III with a subheader': {
    bytes: outer4(47, B.gre(0x1000, 0x22eb, B.zeros(4), [0x20, ...B.zeros(10), 1, ...B.zeros(8), ...frame])),
  },
  'ERSPAN III, bare IP': {
    bytes: outer4(47, B.gre(0x1000, 0x22eb, B.zeros(4), [0x20, ...B.zeros(9), 8, 0, ...packet4])),
  },
  VXLAN: { bytes: tunnel(4789, B.vxlan(frame)) },
  'VXLAN on the port of Linux': { bytes: tunnel(8472, B.vxlan(frame)) },
  'VXLAN-GPE, IPv6': { bytes: tunnel(4790, [0x0c, 0, 0, 2, ...B.zeros(4), ...packet6]) },
  'VXLAN-GPE, NSH, Ethernet': {
    bytes: tunnel(4790, [0x0c, 0, 0, 4, ...B.zeros(4), 0, 2, 1, 3, 0, 0, 0, 0, ...frame]),
  },
  'Geneve with options': { bytes: tunnel(6081, [2, 0, 0x65, 0x58, 0, 0, 1, 0, ...B.zeros(8), ...frame]) },
  'Geneve, IPv4': { bytes: tunnel(6081, [0, 0, 8, 0, 0, 0, 1, 0, ...packet4]) },
  'GTP-U': { bytes: tunnel(2152, [0x30, 0xff, ...B.u16(packet4.length), 0, 0, 0, 1, ...packet4]) },
  'GTP-U with an extension header': {
    bytes: tunnel(2152, [0x34, 0xff, ...B.u16(packet4.length + 8), 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 0, 0, ...packet4]),
  },
  Teredo: { bytes: tunnel(3544, packet6) },
  'Teredo with authentication and origin': {
    bytes: tunnel(3544, [0, 1, 0, 0, ...B.zeros(9), 0, 0, ...B.zeros(6), ...packet6]),
  },
  L2TP: { bytes: tunnel(1701, [0x40, 2, 0, 0, 0, 1, 0, 1, 0xff, 3, 0, 0x21, ...packet4]) },
  TZSP: { bytes: tunnel(37008, [1, 0, 0, 1, 0, 10, 1, 9, 1, ...frame]) },
  'GRE in UDP': { bytes: tunnel(4754, B.gre(0, 0x0800, [], packet4)) },
  'MPLS in UDP': { bytes: tunnel(6635, B.mpls(packet4)) },
  'IP in IP': { bytes: outer4(4, packet4) },
  '6in4': { bytes: outer4(41, packet6) },
  '4in6': { bytes: B.ethernet(0x86dd, B.ipv6(4, packet4)) },
  EtherIP: { bytes: outer4(97, [0x30, 0, ...frame]) },
  'MPLS in IP': { bytes: outer4(137, B.mpls(packet4)) },
  'IPv6 extension headers': {
    bytes: B.ethernet(0x86dd, B.ipv6(0, B.extension(43, B.extension(60, B.extension(17, B.udp(B.QUERY)))))),
  },
  'authentication header': { bytes: B.ethernet(0x86dd, B.ipv6(51, [17, 1, ...B.zeros(10), ...B.udp(B.QUERY)])) },
  'atomic fragment': { bytes: B.ethernet(0x86dd, B.ipv6(44, [17, 0, 0, 0, 0, 0, 0, 9, ...B.udp(B.QUERY)])) },
  'raw IPv4': { link: 101, bytes: packet4 },
  'raw IPv6': { link: 12, bytes: packet6 },
  LINKTYPE_IPV4: { link: 228, bytes: packet4 },
  'IPv6 under LINKTYPE_IPV4': { link: 228, bytes: packet6 },
  'loopback, little-endian': { link: 0, bytes: [2, 0, 0, 0, ...packet4] },
  'loopback, big-endian, macOS IPv6': { link: 0, bytes: [0, 0, 0, 30, ...packet6] },
  'OpenBSD loopback': { link: 108, bytes: [0, 0, 0, 24, ...packet6] },
  'OpenBSD enc': { link: 109, bytes: [2, 0, 0, 0, ...B.zeros(8), ...packet4] },
  'packet filter log': { link: 117, bytes: [61, 2, ...B.zeros(62), ...packet4] },
  'Linux cooked': { link: 113, bytes: [...B.zeros(14), 8, 0, ...packet4] },
  'Linux cooked with a VLAN tag': {
    link: 113,
    bytes: [...B.zeros(14), 0x81, 0, ...B.vlan(5, 0x0800, packet4)],
    vlan: 5,
  },
  'Linux cooked v2': { link: 276, bytes: [0x86, 0xdd, ...B.zeros(18), ...packet6] },
  PPP: { link: 9, bytes: [0xff, 3, 0, 0x21, ...packet4] },
  'PPP, all compressed': { link: 9, bytes: [0x21, ...packet4] },
  'PPP in HDLC': { link: 50, bytes: [0xff, 3, 0, 0x57, ...packet6] },
  'Cisco HDLC': { link: 104, bytes: [0x0f, 0, 8, 0, ...packet4] },
  'PPP with direction': { link: 204, bytes: [1, 0xff, 3, 0, 0x21, ...packet4] },
  pppd: { link: 166, bytes: [1, 3, 0, 0x21, ...packet4] },
  'PPPoE link': { link: 51, bytes: B.pppoe([0, 0x21, ...packet4]) },
  'frame relay': { link: 107, bytes: [0x18, 0x41, 3, 0xcc, ...packet4] },
  'frame relay with SNAP': { link: 107, bytes: [0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0, ...packet4] },
  '802.11': { link: 105, bytes: B.wlan(B.llcSnap(0x0800, packet4)) },
  '802.11 with four addresses': {
    link: 105,
    bytes: [8, 3, ...B.zeros(28), ...B.llcSnap(0x0800, packet4)],
  },
  '802.11 QoS': { link: 105, bytes: B.wlanQos(B.llcSnap(0x86dd, packet6)) },
  '802.11 aggregate': {
    link: 105,
    bytes: [0x88, 1, ...B.zeros(22), 0x80, 0, ...B.zeros(14), ...B.llcSnap(0x0800, packet4)],
  },
  radiotap: { link: 127, bytes: [0, 0, 8, 0, 0, 0, 0, 0, ...B.wlan(B.llcSnap(0x0800, packet4))] },
  'radiotap with padding before the payload': {
    link: 127,
    bytes: [0, 0, 9, 0, 2, 0, 0, 0, 0x20, 0x88, 1, ...B.zeros(22), 0, 0, 0, 0, ...B.llcSnap(0x0800, packet4)],
  },
  'radiotap, two bitmaps and a time': {
    link: 127,
    bytes: [0, 0, 25, 0, 3, 0, 0, 0x80, ...B.zeros(16), 0, ...B.wlan(B.llcSnap(0x0800, packet4))],
  },
  Prism: { link: 119, bytes: [0, 0, 0, 0x44, ...B.zeros(140), ...B.wlan(B.llcSnap(0x0800, packet4))] },
  AVS: { link: 163, bytes: [0x80, 0x21, 0x10, 1, 0, 0, 0, 12, ...B.zeros(4), ...B.wlan(B.llcSnap(0x0800, packet4))] },
  PPI: { link: 192, bytes: [0, 0, 8, 0, 105, 0, 0, 0, ...B.wlan(B.llcSnap(0x0800, packet4))] },
  NFLOG: {
    link: 239,
    bytes: [2, 0, 0, 0, 5, 0, 10, 0, 0, 0, 0, 0, 4 + packet4.length, 0, 9, 0, ...packet4],
  },
  PKTAP: { link: 258, bytes: [12, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, ...frame] },
  'PKTAP as USER2': { link: 149, bytes: [12, 0, 0, 0, 1, 0, 0, 0, 12, 0, 0, 0, ...packet4] },
  FDDI: { link: 10, bytes: [0x50, ...B.MACS, ...B.llcSnap(0x0800, packet4)] },
  'token ring': { link: 6, bytes: [0x10, 0x40, ...B.MACS, ...B.llcSnap(0x0800, packet4)] },
  'token ring with a route': {
    link: 6,
    bytes: [0x10, 0x40, ...B.zeros(6), 0x82, ...B.zeros(5), 4, 0, 1, 2, ...B.llcSnap(0x0800, packet4)],
  },
  ARCNET: { link: 7, bytes: [1, 2, 212, 0, 0, 1, ...packet4] },
  'ARCNET of Linux, RFC 1051': { link: 129, bytes: [1, 2, 0, 0, 240, ...packet4] },
  'ARCNET exception frame': { link: 7, bytes: [1, 2, 212, 0xff, 0, 0, 0, 0, 0, 1, ...packet4] },
  ATM: { link: 100, bytes: B.llcSnap(0x0800, packet4) },
  'MPLS link': { link: 219, bytes: B.mpls(packet4) },
};

for (const [what, { link = 1, bytes, vlan = -1 }] of Object.entries(CARRIERS)) {
  test(`a query in ${what}`, () => {
    const { messages, ledger, fates } = B.dissect([{ link, bytes }]);
    assert.equal(messages.length, 1);
    const [message] = messages;
    assert.equal(message.text, hex(B.QUERY));
    assert.equal(message.claimedLength, B.QUERY.length);
    assert.equal(message.ports, '40000>53');
    assert.equal(message.vlan, vlan);
    const six = message.source.length === 32;
    assert.equal(message.source, hex(six ? B.CLIENT6 : B.CLIENT4));
    assert.equal(message.destination, hex(six ? B.SERVER6 : B.SERVER4));
    const [ethernetAt, vlanAt, ipAt, transportAt] = message.at;
    assert.equal(bytes[ipAt] >> 4, six ? 6 : 4);
    assert.deepEqual(bytes.slice(transportAt, transportAt + 4), [0x9c, 0x40, 0, 53]);
    if (ethernetAt >= 0) assert.deepEqual(bytes.slice(ethernetAt, ethernetAt + 12), B.MACS);
    if (vlan >= 0) assert.equal(((bytes[vlanAt] << 8) | bytes[vlanAt + 1]) & 0xfff, vlan);
    assert.deepEqual(fates, [FATE.carried]);
    assert.deepEqual([ledger.received, ledger.packets, ledger.segments], [1, 1, 1]);
  });

  test(`${what}, cut at every byte`, () => {
    const whole = B.dissect([{ link, bytes }]);
    const messageAt = bytes.length - B.QUERY.length;
    for (let length = 0; length < bytes.length; length++) {
      for (const wire of [length, bytes.length]) {
        const { messages, ledger, fates } = B.dissect([{ link, bytes: bytes.slice(0, length), wire }]);
        const where = `${length} of ${wire}`;
        assert.deepEqual(ledger.imbalance(), [], where);
        assert.equal(ledger.received, 1, where);
        assert.equal(fates.length, 1, where);
        assert.equal(ledger.frames[fates[0]], 1, where);
        for (const message of messages) {
          assert.ok(whole.messages[0].text.startsWith(message.text), where);
          assert.ok(message.length <= message.claimedLength, where);
        }
        // A frame that the snapshot length cut within the message gives as much of it as there is.
        if (wire > length && length > messageAt + 9) assert.equal(messages.length, 1, where);
        if (wire > length && length < messageAt - 8) assert.ok(!FRAME_FATES[fates[0]].startsWith('stream'), where);
      }
    }
  });
}

test('layers nested without end are given up', () => {
  let packet = B.ipv4(17, B.udp(B.QUERY));
  for (let i = 0; i < 100; i++) packet = B.ipv4(4, packet);
  const { messages, fates } = B.dissect([{ link: 101, bytes: packet }]);
  assert.equal(messages.length, 0);
  assert.deepEqual(fates, [FATE.malformed]);
  let labels = packet4;
  for (let i = 0; i < 300; i++) labels = B.vlan(1, 0x8100, labels);
  assert.deepEqual(B.dissect([{ bytes: B.ethernet(0x8100, labels) }]).fates, [FATE.malformed]);
});

test('frames that carry no DNS have a fate that says why', () => {
  const cases: [string, readonly number[], number, number?][] = [
    ['ARP', B.ethernet(0x0806, B.zeros(28)), FATE.not_ip],
    ['spanning tree', B.ethernet(38, [0x42, 0x42, 3, ...B.zeros(35)]), FATE.not_ip],
    ['PPPoE discovery', B.ethernet(0x8863, [0x11, 9, 0, 0, 0, 0]), FATE.not_ip],
    ['unknown link type', packet4, FATE.unsupported_link, 400],
    ['PKTAP in PKTAP', [12, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0, ...B.zeros(20)], FATE.unsupported_link, 258],
    ['encrypted 802.11', B.wlan(B.llcSnap(0x0800, packet4), 0x41), FATE.not_ip, 105],
    ['802.11 beacon', [0x80, 0, ...B.zeros(60)], FATE.not_ip, 105],
    ['another UDP port', B.ethernet(0x0800, B.ipv4(17, B.udp([1, 2, 3], 1000, 2000))), FATE.not_dns],
    ['another protocol', B.ethernet(0x0800, B.ipv4(89, B.zeros(20))), FATE.not_dns],
    ['echo request', B.ethernet(0x0800, B.ipv4(1, [8, ...B.zeros(11)])), FATE.not_dns],
    ['UDP length 8', B.ethernet(0x0800, B.ipv4(17, B.udp(B.QUERY, 40000, 53, 8))), FATE.no_payload],
    ['UDP length 7', B.ethernet(0x0800, B.ipv4(17, B.udp(B.QUERY, 40000, 53, 7))), FATE.malformed],
    ['IPv4 header length 4', B.ethernet(0x0800, [0x41, ...packet4.slice(1)]), FATE.malformed],
    ['IPv4 total length 4', B.ethernet(0x0800, B.ipv4(17, B.udp(B.QUERY), { total: 4 })), FATE.malformed],
    ['TCP header length 4', B.ethernet(0x0800, B.ipv4(6, [0, 53, 0, 53, ...B.zeros(16)])), FATE.malformed],
    ['DNS over TLS', B.ethernet(0x0800, B.ipv4(6, B.tcp([22, 3, 1], 1, 0x18, 40000, 853))), FATE.encrypted],
    ['DNS over QUIC', B.ethernet(0x0800, B.ipv4(17, B.udp([0x40, ...B.zeros(40)], 40000, 853))), FATE.encrypted],
    [
      'DNS over HTTPS of a public resolver',
      B.ethernet(0x0800, B.ipv4(6, B.tcp([23, 3, 3], 1, 0x18, 40000, 443), { to: [9, 9, 9, 9] })),
      FATE.encrypted,
    ],
    ['the web', B.ethernet(0x0800, B.ipv4(6, B.tcp([23, 3, 3], 1, 0x18, 40000, 443))), FATE.not_dns],
  ];
  for (const [what, bytes, fate, link = 1] of cases) {
    const { messages, fates } = B.dissect([{ link, bytes }]);
    assert.deepEqual(
      fates.map((each) => FRAME_FATES[each]),
      [FRAME_FATES[fate]],
      what,
    );
    assert.equal(messages.length, 0, what);
  }
});
