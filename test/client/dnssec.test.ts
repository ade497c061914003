/** DNSSEC against the examples that its standards print. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalRecords, type RecordSet, recordSets, TYPE } from '../../src/client/dnssec/canonical.ts';
import { Denial } from '../../src/client/dnssec/denial.ts';
import { delegationSigner, type DnsKey, isDigestOf, zoneKey } from '../../src/client/dnssec/keys.ts';
import { Budget, checkSet, MOST_CHECKS, MOST_WRONG } from '../../src/client/dnssec/signatures.ts';
import { DomainName } from '../../src/client/domain-name.ts';
import { encodeMessage } from '../../src/rr/encode.ts';

const name = (text: string) => DomainName.parse(text);
type Line = [owner: string, type: string, data: string];

const records = (lines: readonly Line[]) =>
  canonicalRecords(
    encodeMessage({
      flags: ['qr'],
      answers: lines.map(([owner, type, data]) => ({ name: owner, type, ttl: 3600, data })),
    }),
  );
const set = (lines: readonly Line[]): RecordSet => recordSets(records(lines))[0];
const key = (owner: string, data: string): DnsKey => {
  const found = zoneKey(records([[owner, 'DNSKEY', data]])[0]);
  assert.ok(found !== null);
  return found;
};
const at = (time: string) => Date.parse(time) / 1000;

test('the canonical order of names is that of RFC 4034 §6.1', () => {
  const order = [
    'example',
    'a.example',
    'yljkjljk.a.example',
    'Z.a.example',
    'zABC.a.EXAMPLE',
    'z.example',
    '\\001.z.example',
    '*.z.example',
    '\\200.z.example',
  ];
  const shuffled = [...order].reverse().map(name);
  assert.deepEqual(
    shuffled.sort((a, b) => a.compare(b)).map(({ text }) => text),
    order.map((text) => name(text).text),
  );
});

test('names in rdata are written out and folded, everything else stays (RFC 4034 §6.2)', () => {
  const [mx, txt] = records([
    ['A.Example', 'MX', '10 Mail.A.Example'],
    ['A.Example', 'TXT', '"MiXed"'],
  ]);
  assert.equal(Buffer.from(mx.rdata).toString('latin1'), '\0\n\x04mail\x01a\x07example\0');
  assert.equal(Buffer.from(txt.rdata).toString('latin1'), '\x05MiXed');
  assert.equal(mx.name.key, '\x01a\x07example\0');
});

test('a DS names its key: RFC 4034 §5.4, RFC 4509 §2.3', () => {
  const zone = name('dskey.example.com');
  const material =
    '256 3 5 AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==';
  const own = key(zone.text, material);
  assert.equal(own.tag, 60485);
  for (const [ds, fits] of [
    ['60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118', true],
    ['60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A', true],
    ['60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292119', false],
    ['60484 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118', false],
  ] as const) {
    const signer = delegationSigner(records([[zone.text, 'DS', ds]])[0]);
    assert.ok(signer !== null);
    assert.equal(isDigestOf(signer, zone, own, new Budget()), fits, ds);
  }
  assert.equal(zoneKey(records([[zone.text, 'DNSKEY', material.replace('256 ', '0 ')]])[0]), null);
  assert.equal(zoneKey(records([[zone.text, 'DNSKEY', material.replace('256 ', '384 ')]])[0]), null);
});

/** Zone, key, records and signature, and a time at which it holds. */
const SIGNED: readonly [string, string, Line, string, string][] = [
  [
    'example.com',
    '257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=',
    ['example.com', 'MX', '10 mail.example.com.'],
    'MX 15 2 3600 1440021600 1438207200 3613 example.com. oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==',
    '2015-08-10T00:00:00Z',
  ],
  [
    'example.net',
    '257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==',
    ['www.example.net', 'A', '192.0.2.1'],
    'A 13 3 3600 20100909100439 20100812100439 55648 example.net. qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==',
    '2010-09-01T00:00:00Z',
  ],
];

test('signatures of RFC 8080 §6.1 and RFC 6605 §6.1 hold, at their time and for their records', () => {
  for (const [zoneText, keyText, line, signature, time] of SIGNED) {
    const zone = name(zoneText);
    const keys = [key(zoneText, keyText)];
    const check = (own: Line, now: string, budget = new Budget()) =>
      checkSet(set([own, [own[0], 'RRSIG', signature]]), zone, keys, at(now), budget);
    assert.ok(check(line, time).isSound, zoneText);
    const changed: Line = line[1] === 'A' ? [line[0], 'A', '192.0.2.2'] : [line[0], 'MX', '20 mail.example.com.'];
    assert.match(reason(check(changed, time)), /^its signature with key \d+ is wrong$/);
    assert.match(reason(check(line, '2024-01-01T00:00:00Z')), /^its signature expired 20\d\d-/);
    assert.match(reason(check(line, '2009-01-01T00:00:00Z')), /^its signature holds only from 20\d\d-/);
    const spent = new Budget();
    for (let k = 0; k < MOST_CHECKS; k++) spent.take();
    assert.match(reason(check(line, time, spent)), /would have to be checked$/);
    const misled = new Budget();
    const wrong = Array.from({ length: 40 }, (): Line => [changed[0], 'RRSIG', signature]);
    const many = checkSet(set([changed, ...wrong]), zone, keys, at(time), misled);
    assert.equal(reason(many), `${MOST_WRONG} signatures were wrong: no more are checked`);
    assert.ok(!misled.take());
    const stranger = checkSet(
      set([line, [line[0], 'RRSIG', signature]]),
      name('example'),
      keys,
      at(time),
      new Budget(),
    );
    assert.match(reason(stranger), /^it is signed by example\.\w+, not by example$/);
    assert.equal(reason(checkSet(set([line]), zone, keys, at(time), new Budget())), 'it has no signature');
  }
});

test('NSEC: what is not there, and what has no such type', () => {
  const zone = name('example');
  const denial = new Denial(
    zone,
    records([
      ['example', 'NSEC', 'a.example. NS SOA RRSIG NSEC'],
      ['a.example', 'NSEC', 'x.deep.example. A RRSIG NSEC'],
      ['x.deep.example', 'NSEC', '*.wild.example. NS RRSIG NSEC'],
      ['*.wild.example', 'NSEC', 'example. TXT RRSIG NSEC'],
    ]),
  );
  assert.ok(denial.noName(name('b.example')).isProven);
  assert.ok(denial.noName(name('zzz.example')).isProven);
  assert.ok(denial.noType(name('a.example'), TYPE.AAAA).isProven);
  assert.ok(denial.noType(name('deep.example'), TYPE.A).isProven, 'an empty non-terminal');
  assert.ok(denial.noType(name('q.wild.example'), TYPE.A).isProven, 'by the wildcard');
  assert.ok(denial.noSigner(name('x.deep.example')).isProven, 'a delegation without DS');
  assert.ok(!denial.noName(name('a.example')).isProven);
  assert.ok(!denial.noName(name('deep.example')).isProven);
  assert.ok(!denial.noType(name('a.example'), TYPE.A).isProven);
  assert.ok(!denial.noSigner(name('a.example')).isProven);
  // The parent's NSEC at a cut says nothing about the child's own types (RFC 6840 §4.1).
  assert.ok(!denial.noType(name('x.deep.example'), TYPE.A).isProven);
});

test('NSEC3: the example of RFC 5155 appendix B', () => {
  const zone = name('example');
  const at3 = (hash: string, rest: string): Line => [`${hash}.example`, 'NSEC3', `1 1 12 AABBCCDD ${rest}`];
  // B.1, a name error for a.c.x.w.example: c.x.w.example and *.x.w.example are covered, x.w.example is there.
  const denial = new Denial(
    zone,
    records([
      at3('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom', '2T7B4G4VSA5SMI47K61MV5BV1A22BOJR MX DNSKEY NS SOA NSEC3PARAM RRSIG'),
      at3('b4um86eghhds6nea196smvmlo4ors995', 'GJEQE526PLBF1G8MKLP59ENFD789NJGI MX RRSIG'),
      at3('35mthgpgcu1qg68fab165klnsnk3dpvl', 'B4UM86EGHHDS6NEA196SMVMLO4ORS995 NS DS RRSIG'),
    ]),
  );
  assert.deepEqual([denial.isEmpty, denial.isTooCostly], [false, false]);
  assert.ok(denial.noName(name('a.c.x.w.example')).isProven);
  assert.ok(!denial.noName(name('x.w.example')).isProven);
  assert.ok(denial.noType(name('x.w.example'), TYPE.A).isProven);
  assert.ok(!denial.noType(name('example'), TYPE.SOA).isProven);
  const rounds = new Denial(
    zone,
    records([['0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example', 'NSEC3', '1 0 2500 AB 2T7B4G4VSA5SMI47K61MV5BV1A22BOJR A']]),
  );
  assert.ok(rounds.isTooCostly);
});

function reason(verdict: ReturnType<typeof checkSet>): string {
  return verdict.isSound ? 'sound' : verdict.reason;
}
