import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { registrable } from '../../src/enrich/public-suffix.ts';
import { outputField } from '../../src/filter/output.ts';
import { quotedCell } from '../../src/sinks/csv.ts';
import { OUTPUTS } from '../../src/sinks/index.ts';
import { shown } from '../../src/sinks/line.ts';
import { type OutputFormat, type OutputOptions, type OutputUnit, unitsOf } from '../../src/sinks/output.ts';
import { seedMessages } from '../fuzz/messages.ts';
import { type Edit, edited, type Sent } from './rows.ts';
import { showAll } from './show.ts';

/** Names nobody should trust: a terminal's title, another direction of writing, a line's end, a byte order mark. */
const EVIL = '\u001B]0;owned\u0007\u202Egnp.exe\r\n\u0085\u2028\uFEFF\u009B31m"\t,=@';
const options: Partial<OutputOptions> = {
  interfaces: [{ name: EVIL, link: 1, snaplen: 0 }],
  sensor: EVIL,
  registrable,
  fields: ['frame.number', 'dns.qry.name', 'dns.txt', 'dns.opt.ext_error.extra_text'].map((name) => outputField(name)),
};

const label = fc.uint8Array({ minLength: 1, maxLength: 20 });
/** A query or response whose name is any octets, with a text and an error of any octets. */
const message = fc
  .record({ labels: fc.array(label, { minLength: 1, maxLength: 4 }), text: label, isResponse: fc.boolean() })
  .map(({ labels, text, isResponse }) => {
    const head = [0, 1, isResponse ? 0x81 : 1, isResponse ? 0x80 : 0, 0, 1, 0, isResponse ? 1 : 0, 0, 0, 0, 1];
    const name = [...labels.flatMap((one) => [one.length, ...one]), 0];
    const txt = [0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, text.length + 1, text.length, ...text];
    const edns = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, text.length + 6, 0, 15, 0, text.length + 2, 0, 15, ...text];
    return Uint8Array.from([...head, ...name, 0, 16, 0, 1, ...(isResponse ? txt : []), ...edns]);
  });
const seeds = seedMessages();
const edit = fc.tuple(fc.nat(4095), fc.constantFrom('set', 'pointer', 'cut'), fc.nat(255)) as fc.Arbitrary<Edit>;
const mutated = fc
  .tuple(fc.constantFrom(...seeds), fc.array(edit, { maxLength: 4 }))
  .map(([bytes, edits]) => edited(bytes, edits));
const traffic = fc.array(
  fc.record({
    bytes: fc.oneof(message, mutated),
    at: fc.double({ min: 0, max: 20, noNaN: true }),
    protocol: fc.constantFrom(0, 0, 0, 1, 2, 3),
    transport: fc.constantFrom(17, 6),
    more: fc.nat(3),
  }),
  { minLength: 1, maxLength: 6 },
);

function each(
  check: (text: string, format: OutputFormat, unit: OutputUnit) => void,
  of: readonly string[],
  set: Partial<OutputOptions> = options,
): void {
  fc.assert(
    fc.property(traffic, (list) => {
      const sent = list
        .map(({ bytes, at, protocol, transport, more }): Sent => {
          return { bytes, at, protocol, transport, claimed: bytes.length + (more === 3 ? 9 : 0), interfaceId: 0 };
        })
        .sort((a, b) => a.at - b.at);
      for (const format of OUTPUTS) {
        if (!of.includes(format.name)) continue;
        for (const unit of unitsOf(format)) {
          if (unit !== 'packet') check(showAll(sent, format, unit, set), format, unit);
        }
      }
    }),
    { numRuns: 100 },
  );
}

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/u;

/** The rows of a text in RFC 4180's form. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  for (const line of text.split('\n').slice(0, -1)) {
    assert.match(line, /^(?:"(?:[^"]|"")*"|[^",]*)(?:,(?:"(?:[^"]|"")*"|[^",]*))*$/);
    const cells: string[] = [];
    for (const [, quoted, bare] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)) {
      cells.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    }
    rows.push(cells);
  }
  return rows;
}

describe('whatever the wire brings', () => {
  test('text for people holds no control character', () => {
    each(
      (text, { name }) => {
        for (const line of text.split('\n')) assert.doesNotMatch(line, CONTROL, name);
      },
      ['text', 'tree'],
    );
  });

  test('colours are the only escape sequences, and no line is wider than the terminal', () => {
    for (const name of ['text', 'tree']) {
      const format = OUTPUTS.find((one) => one.name === name) as OutputFormat;
      for (const unit of unitsOf(format).filter((one) => one !== 'packet')) {
        const sent = seeds.map((bytes, i): Sent => ({ bytes, at: i }));
        const text = showAll(sent, format, unit, { ...options, color: true, width: 60, offsets: true });
        for (const line of text.split('\n')) {
          const plain = line.replaceAll(/\u001B\[[0-9]+m/g, '');
          assert.ok(plain.length <= 60, plain);
          assert.doesNotMatch(plain, CONTROL);
        }
      }
    }
  });

  test('JSON stays JSON, an object per line, and is safe to print', () => {
    each(
      (text, { name }, unit) => {
        if (name === 'json') {
          assert.ok(Array.isArray(JSON.parse(text)), unit);
          for (const line of text.split('\n')) assert.doesNotMatch(line, CONTROL, name);
        } else {
          for (const line of text.split('\n').slice(0, -1)) {
            assert.equal(typeof JSON.parse(line), 'object', name);
            assert.doesNotMatch(line, CONTROL, name);
          }
        }
      },
      ['json', 'ndjson', 'ek', 'eve', 'ecs', 'cof', 'flat'],
      // The sensor's name is the operator's own.
      { ...options, sensor: 'one' },
    );
  });

  test('a row of CSV has all its columns, and no cell is a formula', () => {
    each(
      (text) => {
        const rows = parseCsv(text);
        for (const cells of rows) {
          assert.equal(cells.length, rows[0].length);
          for (const cell of cells) {
            assert.doesNotMatch(cell, CONTROL);
            // Numbers may be negative: that is no formula.
            if (!/^-[0-9.]+$/.test(cell)) assert.doesNotMatch(cell, /^[=+\-@]/);
          }
        }
      },
      ['csv'],
    );
  });

  test('a line of dns.log has all its columns', () => {
    each(
      (text) => {
        const rows = text.split('\n').slice(0, -1);
        const fields = rows.find((row) => row.startsWith('#fields')) ?? '';
        const columns = fields.split('\t').length - 1;
        assert.equal(columns, 24);
        for (const row of rows.filter((one) => !one.startsWith('#'))) {
          const cells = row.split('\t');
          assert.equal(cells.length, columns);
          for (const cell of cells) {
            assert.notEqual(cell, '');
            assert.doesNotMatch(cell, CONTROL);
          }
          assert.equal(cells[21].split(',').length, cells[22].split(',').length, 'an answer, a TTL');
        }
      },
      ['zeek'],
    );
  });

  test('fields are one line per message, with as many tabs as fields less one', () => {
    each(
      (text) => {
        for (const line of text.split('\n').slice(0, -1)) {
          const cells = line.split('\t');
          assert.equal(cells.length, 4);
          for (const cell of cells) assert.doesNotMatch(cell, CONTROL);
        }
      },
      ['fields'],
    );
  });
});

test('what is not fit for a terminal is shown by its number', () => {
  assert.equal(shown('plain text, αβγ'), 'plain text, αβγ');
  assert.equal(shown('a\u001Bb\u202Ec\u{E0001}d\uD800e'), 'a\\u{1b}b\\u{202e}c\\u{e0001}d\\u{d800}e');
});

test('cells keep what they say and start no formula', () => {
  assert.equal(quotedCell('a.test'), 'a.test');
  assert.equal(quotedCell('say "hi", twice'), '"say ""hi"", twice"');
  for (const sign of ['=', '+', '-', '@', "'"]) assert.equal(quotedCell(`${sign}1+1`), `'${sign}1+1`);
  assert.equal(quotedCell('\t=1'), '\\u{9}=1');
});
