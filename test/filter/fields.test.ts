import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fields as command, listFields } from '../../src/cli/fields.ts';
import type { FilterField } from '../../src/filter/fields/field.ts';
import { FIELDS, findField, nearestField } from '../../src/filter/fields/registry.ts';
import { UNOFFERED } from '../../src/filter/fields/unoffered.ts';
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
    for (const name of ['tcp.seq', 'tcp.analysis.lost_segment', 'ip.geoip.country_iso']) {
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
