import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT, UserError } from '../../src/core/errors.ts';
import { compileFilter } from '../../src/filter/compile.ts';
import { FilterError } from '../../src/filter/errors.ts';
import { outputField } from '../../src/filter/output.ts';

/** A filter, the line of carets under it, and the message. */
const ERRORS: readonly (readonly [filter: string, carets: string, message: string])[] = [
  ['dns.qry.nme == "a"', '^~~~~~~~~~~', "'dns.qry.nme' is not a field. Did you mean dns.qry.name?"],
  [
    'dns.flgs.rcode',
    '^~~~~~~~~~~~~~',
    "'dns.flgs.rcode' is neither a field nor a protocol. Did you mean dns.flags.rcode?",
  ],
  ['dsn', '^~~', "'dsn' is neither a field nor a protocol. Did you mean dns?"],
  ['not zzzzzz', '    ^~~~~~', "'zzzzzz' is neither a field nor a protocol."],
  [
    'tcp.analysis.retransmission',
    '^'.padEnd(27, '~'),
    "'tcp.analysis.retransmission' is a Wireshark field that nametap does not compute: it judges segments, and a repeated segment completes no message; there is tcp.analysis.initial_rtt.",
  ],
  ['3 == 4', '^', 'One side of a comparison must be a field or function.'],
  ['dns.id = 4', '       ^', "'=' is not an operator. Write '==' to compare."],
  [
    'dns.id ~= 4',
    '       ^~',
    `'~=' is not an operator any more. Write '!==' for "some value differs", '!=' for "no value equals".`,
  ],
  ['dns AND udp', '    ^~~', "Operators are written in lower case: 'and'."],
  ['dns.qry.name CONTAINS "a"', '             ^~~~~~~~', "Operators are written in lower case: 'contains'."],
  ['dns and', '       ^', 'The filter ends where more should follow.'],
  ['(dns or udp', '^', "')' is missing: this was not closed."],
  ['dns)', '   ^', "')' was not expected here."],
  ['dns.id == 70000', '          ^~~~~', '70000 is too big for dns.id: 65535 is the most.'],
  ['dns.id == -1', '          ^~', 'dns.id is never negative: 0 to 65535 are its values.'],
  ['dns.id == 09', '          ^~', "'09' is not a number, and dns.id is one."],
  ['dns.id == 1.5', '          ^~~', "'1.5' is not a number, and dns.id is one."],
  [
    'dns.flags.rcode == NXDOMAINS',
    '                   ^~~~~~~~~',
    "'NXDOMAINS' is no number or name of dns.flags.rcode. Did you mean NXDOMAIN?",
  ],
  [
    'dns.flags.response == "yes"',
    '                      ^~~~~',
    'dns.flags.response is true or false: compare it with 1 or 0.',
  ],
  ['dns.a == "192.0.2.1"', '         ^~~~~~~~~~~', 'Addresses are written without quotes: 192.0.2.1, 192.0.2.0/24.'],
  ['ip.src == example.com', '          ^~~~~~~~~~~', "'example.com' is not an IPv4 address. Names are not looked up."],
  ['ip.src == 10.0.0.0/33', '          ^~~~~~~~~~~', '/33 is no prefix length of an IPv4 address: 0 to 32 are.'],
  ['ip.src < 10.0.0.0/8', '         ^~~~~~~~~~', "A network can be compared with '==' and '!=' only, and be in a set."],
  ['ip.src contains 0a', '^~~~~~', "ip.src is no text and no octets: it contains nothing. Use '=='."],
  ['dns.time > 100ms', '           ^~~~~', "'100ms' is not a number of seconds, such as 0.1."],
  [
    'frame.time > "yesterday"',
    '             ^~~~~~~~~~~',
    `'yesterday' is not a time. Write "2026-11-24 08:15:30 UTC", "2026-11-24T08:15:30Z" or seconds since 1970.`,
  ],
  ['eth.src == 01:02', '           ^~~~~', 'An address of eth.src has 6 octets: 00:11:22:….'],
  ['dns[0:2] == 12:3x', '            ^~~~~', "'12:3x' are no octets: write 01:02:0a, or a text in quotes."],
  ['dns.a in {1.1.1.1 2.2.2.2}', '                  ^~~~~~~', 'The elements of a set are separated by commas.'],
  ['dns.id in 1', '          ^', 'A set is written in braces: in {1, 28, 64 .. 65}.'],
  ['dns.id in {dns.id}', '           ^~~~~~', 'The elements of a set are values, not fields or functions.'],
  [
    'dns.qry.name contains "\\q"',
    '                       ^~',
    '\\q is not an escape. Write \\\\q, or r"…" in which backslashes stand for themselves.',
  ],
  [
    'dns.qry.name matches "(a"',
    '                     ^~~~',
    'The pattern is no regular expression: missing closing ): `(a`.',
  ],
  [
    'dns.qry.name matches "(?=a)"',
    '                     ^~~~~~~',
    'The pattern is no regular expression: invalid or unsupported Perl syntax: `(?=`. Look-around and back-references are not supported.',
  ],
  ['dns.qry.name matches www', '                     ^~~', 'The pattern is written in double quotes.'],
  ['dns.a matches "1"', '^~~~~', 'dns.a is no text and no octets: it matches no pattern.'],
  ['lower(dns.id) == "a"', '      ^~~~~~', 'lower() takes text; dns.id is none.'],
  ['lower()', '^~~~~~~', 'lower() takes one argument.'],
  [
    'lwer(dns.qry.name) == "a"',
    '^~~~',
    "'lwer' is not a function: lower, upper, len, count, string, vals, dec, hex, float, double, max, min, abs, ip_special_name, ip_special_mask, ip_linklocal, ip_multicast, ip_rfc1918, ip_ula are.",
  ],
  ['dns.id[0]', '^~~~~~~~~', 'dns.id is no text and no octets: it has no slices.'],
  ['dns[a]', '   ^~~', 'A slice is written [offset:length], [first-last], [offset], [:length] or [offset:].'],
  ['dns[3-1]', '   ^~~~~', 'The slice ends before it begins.'],
  ['dns[0:0]', '   ^~~~~', 'The length of a slice is at least 1.'],
  ['dns[0', '   ^~', "The slice is not closed: ']' is missing."],
  ['dns.qry.name == "a', '                ^~', 'The text is not closed: a " is missing.'],
  ["dns.id == 'ab'", '          ^', "A character is written as 'c' or '\\x0a'. Put text in double quotes."],
  ['ip.addr#0 == 1.1.1.1', '        ^', "Behind '#' stands the number of a layer, from 1 (or −1 for the last)."],
  ['dns.qry.name + 1 == 2', '^~~~~~~~~~~~~~~~', "dns.qry.name and the literal cannot be joined by '+'."],
  [
    'dns.id == dns.qry.name',
    '^~~~~~~~~~~~~~~~~~~~~~',
    'dns.id and dns.qry.name are of different kinds and cannot be compared.',
  ],
  [
    'dns.response_missing == 1',
    '^~~~~~~~~~~~~~~~~~~~',
    'dns.response_missing has no value: it can only be there or not.',
  ],
  ['any dns.id', '          ^', "'any' needs a comparison behind its field."],
  ['$dns', '^', 'Macros and field references ($…) are not supported. Write the filter out.'],
  ['dns ? udp', '    ^', "'?' has no meaning here."],
  [
    'dns.qry.name == "é" and dns.x',
    '                        ^~~~~',
    "'dns.x' is neither a field nor a protocol. Did you mean dns.a?",
  ],
];

for (const [filter, carets, message] of ERRORS) {
  test(`${filter}: ${message}`, () => {
    assert.throws(
      () => compileFilter(filter),
      (error) => {
        assert.ok(error instanceof FilterError);
        assert.equal(error.message, `${message}\n    ${filter}\n    ${carets}`);
        assert.equal(error.exit, EXIT.filter);
        assert.ok(error.at <= filter.length);
        return true;
      },
    );
  });
}

test('the caret stands in the line of the mistake', () => {
  assert.throws(() => compileFilter('dns\nand dns.i == 4'), /\n {4}and dns\.i == 4\n {4} {4}\^~~~~$/);
});

test('filters that would cost too much are refused', () => {
  const deep = `${'('.repeat(200)}dns${')'.repeat(200)}`;
  const long = Array.from({ length: 5000 }, () => 'dns').join(' or ');
  for (const filter of [
    deep,
    `${'!'.repeat(500)}dns`,
    long,
    `dns.id == ${'-'.repeat(300)}1`,
    'x'.repeat(70_000),
    `{${'dns.id + '.repeat(300)}1} == 2`,
  ]) {
    assert.throws(() => compileFilter(filter), FilterError);
  }
  assert.throws(() => compileFilter(`dns.qry.name matches "${'(a{1,50}){1,50}'.repeat(8)}"`), FilterError);
});

test('an unknown field to print names the nearest', () => {
  assert.throws(
    () => outputField('dns.qry.nam'),
    (error) =>
      error instanceof UserError && error.exit === EXIT.usage && /Did you mean dns\.qry\.name\?/.test(error.message),
  );
  assert.throws(() => outputField('zzzzzzzzzz'), /'nametap fields' lists them all/);
});

test('hints: a boolean alone asks whether it is there', () => {
  assert.deepEqual(compileFilter('dns.flags.response').hints, [
    "'dns.flags.response' alone asks whether the field is there, true or false; write 'dns.flags.response == 1' to ask whether it is true.",
  ]);
  assert.equal(compileFilter('dns and not dns.flags.truncated').hints.length, 1);
  assert.deepEqual(compileFilter('dns.flags.response == 1 and dns.retransmission and dns.a').hints, []);
});

test('what a filter needs is known before it runs', () => {
  const of = (filter: string) => {
    const { needsFate, needsFrame, needsJoin, needsStreams, fields } = compileFilter(filter);
    return { needsFate, needsFrame, needsJoin, needsStreams, fields };
  };
  const nothing = { needsFate: false, needsFrame: false, needsJoin: false, needsStreams: false };
  assert.deepEqual(of(''), { ...nothing, fields: [] });
  assert.deepEqual(of('dns.id == 1 or dns.id == 2'), { ...nothing, fields: ['dns.id'] });
  assert.deepEqual(of('dns.response_in > 4'), {
    ...nothing,
    needsFate: true,
    needsJoin: true,
    fields: ['dns.response_in'],
  });
  assert.deepEqual(of('not dns.response_missing').needsFate, true);
  assert.deepEqual(of('frame contains "a"').needsFrame, true);
  for (const name of ['udp.stream', 'tcp.stream', 'udp.time_relative', 'tcp.time_delta']) {
    assert.deepEqual(of(`${name} == 4`), { ...nothing, needsFrame: true, needsStreams: true, fields: [name] });
    assert.equal(outputField(name).needsStreams, true);
  }
  assert.equal(outputField('frame.time_relative').needsStreams, false);
});
