import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseRules, readRules } from '../../src/app/rules.ts';
import type { Exchange } from '../../src/rr/exchange.ts';
import { ruleDetectors } from '../../src/rules/rule-detector.ts';
import { exchange, findings, START } from '../detect/run.ts';

function say(rule: string, exchanges: readonly Exchange[], marked: string[] = []) {
  const more = ruleDetectors(parseRules(rule, 'rules.yaml'), (seen, names) =>
    marked.push(`${seen.nameText} ${names.join()}`),
  );
  return findings(exchanges, { more, only: more.map(({ id }) => id) });
}

const times = (n: number, step: number, more: Partial<Exchange>) =>
  Array.from({ length: n }, (_, i) => exchange(i * step, more));

test('what passes is counted per key over the window, and said once a window', () => {
  const rule = `
- name: slow A lookups
  filter: dns.qry.type == A and dns.time > 1
  per: ip.dst
  over: 5m
  when: count >= 20
  severity: high
  attack: T1498.001`;
  const slow = times(19, 10, { latencyMs: 1500 });
  assert.deepEqual(say(rule, slow), []);
  const fast = times(100, 1, { latencyMs: 20, client: '10.0.0.8' });
  const [one, ...rest] = say(rule, [...slow, ...fast, exchange(195, { latencyMs: 1001 })]);
  assert.deepEqual(rest, []);
  assert.equal(one.detector, 'RULE slow A lookups');
  assert.equal(one.key, '10.0.0.7', 'the response goes to the client');
  assert.equal(one.severity, 'high');
  assert.deepEqual(one.attack, ['T1498.001']);
  assert.equal(one.count, 20);
  assert.equal(one.time, START + 195);
  assert.deepEqual(one.measures, [{ name: 'count', value: 20, unit: '', threshold: 20 }]);
  assert.match(one.text, /Over 5 min, count is 20; the rule is count >= 20\./);
  assert.equal(one.evidence.length, 6);
  const later = times(20, 1, { latencyMs: 1500 }).map((row) => ({ ...row, time: row.time + 1000 }));
  const [again] = say(rule, [...slow, ...later]);
  assert.equal(again.evidence.length, 6);
  assert.ok(
    again.evidence.every(({ time }) => time >= START + 1000),
    'what is older than the window shows nothing',
  );
  // Too thinly spread over time.
  assert.deepEqual(say(rule, times(60, 20, { latencyMs: 1500 })), []);
});

test('rate, ratio, distinct and statistics of fields', () => {
  const refused = times(50, 1, { rcode: 'REFUSED' });
  const fine = times(40, 1, { client: '10.0.0.9' });
  const both = [...refused, ...fine];
  const ratio =
    '{name: r, filter: "dns.qry.name", over: 1m, when: "ratio(dns.flags.rcode == 5) > 50 % and count > 80"}';
  const [said] = say(ratio, both);
  assert.ok(said.measures[0].value > 0.5 && said.measures[0].name === 'ratio(dns.flags.rcode == 5)');
  assert.deepEqual(say(ratio.replace('50 %', '70 %'), both), []);
  assert.equal(say('{name: r, filter: "", per: client, over: 10s, when: rate >= 1 /s}', refused).length, 5);
  assert.deepEqual(say('{name: r, filter: "", per: client, over: 10s, when: rate > 1.2}', refused), []);
  const names = Array.from({ length: 30 }, (_, i) => exchange(i, { name: `n${i % 12}.example.org` }));
  const distinct = (n: number) => say(`{name: d, per: domain, over: 1h, when: distinct(dns.qry.name) >= ${n}}`, names);
  assert.equal(distinct(12)[0].domain, 'example.org');
  assert.deepEqual(distinct(13), []);
  const latency = Array.from({ length: 100 }, (_, i) => exchange(i / 10, { latencyMs: i + 1 }));
  const statistic = (when: string) =>
    say(`{name: l, filter: dns.time, per: server, over: 1h, when: count >= 100 and ${when}}`, latency);
  for (const when of [
    'mean(dns.time) > 50.4 ms',
    'min(dns.time) == 1 ms',
    'max(dns.time) >= 0.1',
    'p50(dns.time) >= 50ms',
    'p90(dns.time) > 89 ms',
  ]) {
    assert.equal(statistic(when).length, 1, when);
  }
  assert.equal(
    statistic('p95(dns.time) > 94 ms and p99(dns.time) < 100 ms').length,
    0,
    'too little of something is known late',
  );
  assert.deepEqual(statistic('mean(dns.time) > 51 ms'), []);
  const tenth = statistic('p90(dns.time) >= 90 ms')[0].measures[1];
  assert.ok(tenth.value >= 0.09 && tenth.value <= 0.0911, `${tenth.value}`);
  assert.deepEqual(statistic('p90(dns.time) > 92 ms'), []);
  assert.ok(Math.abs(statistic('variance(dns.time) > 0.0008')[0].measures[1].value - (100 ** 2 - 1) / 12e6) < 1e-9);
});

test('away from what is usual, and silence', () => {
  const rule = '{name: c, filter: dns.time, per: server, over: 1m, when: p95(dns.time) changed by 6}';
  const usual = times(1200, 1, {}).map((one, i) => ({ ...one, latencyMs: 10 + (i % 5) }));
  assert.deepEqual(say(rule, usual), []);
  const slower = Array.from({ length: 60 }, (_, i) => exchange(1200 + i, { latencyMs: 180 }));
  const [one] = say(rule, [...usual, ...slower]);
  assert.ok(one.measures[0].value > 0.1 && one.time < START + 1262);
  const { centre, n } = one.measures[0].usual ?? { centre: 0, n: 0 };
  assert.ok(Math.abs(centre - 0.014) < 0.001 && n >= 8);
  const silent = '{name: s, filter: dns.qry.name, per: client, over: 1m, when: count < 5}';
  const other = times(300, 1, { client: '10.0.0.99' });
  const [gone] = say(silent, [...times(120, 1, {}), ...other]);
  assert.equal(gone.client, '10.0.0.7');
  assert.ok(gone.time > START + 165 && gone.time < START + 190, `${gone.time - START}`);
});

test('a rule without a condition marks, and raises nothing', () => {
  const marked: string[] = [];
  const rule =
    '[{name: slow, filter: dns.qry.type == A and dns.time > 1}, {name: com, filter: \'dns.qry.name contains ".com"\'}]';
  const rows = [exchange(0, { latencyMs: 1200 }), exchange(1, { latencyMs: 900, name: 'a.example.org' })];
  assert.deepEqual(say(rule, rows, marked), []);
  assert.deepEqual(marked, ['www.example.com slow,com']);
});

test('a mistake has its place and says what was meant', () => {
  const wrong = (text: string) => {
    try {
      parseRules(text, 'r.yaml');
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };
  assert.equal(wrong('- name: a\n  filtre: dns'), "r.yaml:2:3: 'filtre' is no key of a rule. Did you mean filter?");
  assert.match(wrong('- name: a\n  filter: dns.qry.nam == "x"'), /^r\.yaml:1:3: .*dns\.qry\.name/s);
  assert.match(wrong('- name: a\n  when: cuont > 2'), /'cuont' is not known here/);
  assert.match(wrong('- name: a\n  when: count(dns.time) > 2'), /count takes nothing in brackets/);
  assert.match(wrong('- name: a\n  when: mean > 2'), /mean wants something in brackets/);
  assert.match(wrong('- name: a\n  when: count >= 2\n  over: soon'), /'soon' is no span/);
  assert.match(wrong('- name: a\n  over: 5m'), /belong to 'when'/);
  assert.match(wrong('just a text'), /^r\.yaml:1:1: A rule is a map/);
  assert.equal(wrong('# nothing yet'), '');
  assert.match(wrong('- name: a\n  when: count > 1\n  per: frame.len'), /not kept with transactions/);
  assert.match(wrong('- name: a\n- name: a'), /two rules called 'a'/);
  assert.match(wrong('- name: a\n  severity: loud'), /'loud' is no severity/);
  assert.match(wrong('name: [a'), /^r\.yaml:/);
});

test('the rules that come along are sound', () => {
  const path = fileURLToPath(new URL('../../config/rules.example.yaml', import.meta.url));
  const rules = readRules(path);
  assert.equal(rules.length, 5);
  assert.equal(rules.filter(({ when }) => when === undefined)[0].filter, 'dns.qry.type == A and dns.time > 1');
});

test('Sigma rules of category dns', () => {
  const sigma = `
title: Encoded names
logsource: {category: dns}
detection:
  selection:
    query|contains: ['==.', 'base64']
    record_type: TXT
  filter_own:
    query|endswith: '.example.org'
  filter_wild: {query: 'good*.example.net'}
  condition: selection and not 1 of filter_*
level: high
tags: [attack.t1048.003, attack.exfiltration]`;
  const rows = ['x==.evil.example', 'base64.example.org', 'good.base64.example.net', 'plain.example'].map((name, i) =>
    exchange(i, { name, type: 'TXT', rcode: 'NXDOMAIN' }),
  );
  const said = say(sigma, [...rows, exchange(9, { name: 'base64.evil.example', client: '10.0.0.9' })]);
  assert.deepEqual(
    said.map(({ detector, severity, client, attack, evidence }) => [
      detector,
      severity,
      client,
      attack,
      evidence[0].name,
    ]),
    [['RULE Encoded names', 'high', '10.0.0.7', ['T1048.003'], 'x==.evil.example']],
  );
  assert.throws(() => parseRules(sigma.replace('contains', 'cidr'), 'r'), /modifier 'cidr'/);
  assert.throws(() => parseRules(sigma.replace('category: dns', 'category: process'), 'r'), /category: dns/);
  assert.throws(
    () => parseRules(sigma.replace('1 of filter_*', 'filter_other'), 'r'),
    /'filter_other', which is no selection/,
  );
  assert.throws(
    () => parseRules(sigma.replace('selection and', `${'('.repeat(99)}selection and`), 'r'),
    /nested too deeply/,
  );
});
