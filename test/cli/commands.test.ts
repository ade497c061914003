import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { outputNames } from '../../src/app/catalog.ts';
import { COMMANDS, everyCommand } from '../../src/cli/commands.ts';
import { completionScript, SHELLS } from '../../src/cli/completion.ts';
import { commandHelp, generalHelp } from '../../src/cli/help.ts';
import { manualPage } from '../../src/cli/manual.ts';
import { decodeAs, FORMATS, sizeOption } from '../../src/cli/options.ts';
import { parseWords } from '../../src/cli/parse.ts';
import { progressLine } from '../../src/cli/progress.ts';
import { nearest } from '../../src/cli/suggest.ts';
import { version } from '../../src/cli/version.ts';
import { watch } from '../../src/cli/watch.ts';
import { capture, nametap } from './nametap.ts';

const commands = await everyCommand();

test('the list, the definitions, help, manual and completion name the same commands and options', () => {
  assert.deepEqual(
    commands.map(({ name }) => name),
    COMMANDS.map(({ name }) => name),
  );
  const help = generalHelp(commands, version(), 80);
  const manual = manualPage(commands, version());
  for (const command of commands) {
    assert.match(help, new RegExp(`^  ${command.name} +[a-z]`, 'm'));
    const page = commandHelp(command, 80);
    for (const { name, letter, summary } of command.options) {
      assert.match(summary, /^[^A-Z].*[^.]$/, `${command.name} --${name}: lower case, no full stop`);
      assert.ok(page.includes(`--${name}`) && (letter === undefined || page.includes(`-${letter}, `)), name);
      assert.ok(manual.includes(`\\-\\-${name.replaceAll('-', '\\-')}`), name);
      for (const shell of SHELLS) assert.ok(completionScript(shell, commands).includes(name), name);
    }
  }
});

test('no line of help is wider than the terminal, but for what cannot be broken', () => {
  for (const command of commands) {
    for (const line of commandHelp(command, 80).split('\n')) {
      const isExample = line.startsWith('  nametap') || line.startsWith('  #') || line.startsWith('  ssh');
      assert.ok(line.length <= 80 || isExample, line);
    }
  }
});

test('no command spells two options alike', () => {
  for (const { name, options } of commands) {
    const spelled = options.flatMap((option) => [`--${option.name}`, ...(option.letter ? [`-${option.letter}`] : [])]);
    assert.equal(new Set(spelled).size, spelled.length, name);
  }
});

test('every example of every command parses', () => {
  for (const command of commands) {
    for (const example of command.examples ?? []) {
      const words = new RegExp(`nametap ${command.name}((?: [^|;>)#]*)?)`).exec(example.split(/ {2}# /)[0])?.[1];
      if (words === undefined) continue;
      const list = [...words.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3]);
      assert.doesNotThrow(() => parseWords(command, list), example);
    }
  }
});

test('-T offers the formats that there are', () => {
  assert.deepEqual([...FORMATS], outputNames());
});

test('words: clusters, values that begin with a dash, --, repeated options, defaults', () => {
  const { args, options } = parseWords(watch, [
    '-qpi',
    'eth0',
    '-ieth1',
    '-Y',
    '-1 < x',
    '--count=3',
    'port',
    '--',
    '-x',
  ]);
  assert.deepEqual(args, ['port', '-x']);
  assert.deepEqual(
    [options.quiet, options['no-promiscuous'], options.interface, options.filter, options.count],
    [true, true, ['eth0', 'eth1'], '-1 < x', '3'],
  );
  assert.equal(options.snaplen, '262144');
  assert.throws(() => parseWords(watch, ['--quiet=yes']), /--quiet takes no value/);
  assert.equal(parseWords(watch, ['--nonsense', '-h']).wantsHelp, true);
});

test('sizes and ports', () => {
  const size = (text: string) => sizeOption({ buffer: text }, 'buffer');
  assert.deepEqual(['64', '64MiB', '512k', '1G', '1.5m'].map(size), [
    64 << 20,
    64 << 20,
    512 << 10,
    1 << 30,
    1.5 * (1 << 20),
  ]);
  for (const wrong of ['0', 'x', '1T', '-1']) assert.throws(() => size(wrong), { exit: 1 });
  assert.deepEqual(decodeAs({ 'decode-as': ['udp.port==5300,dns', 'tcp.port == 54 , dns'] }), {
    udpPorts: [5300],
    tcpPorts: [54],
  });
  for (const wrong of ['udp.port==0,dns', 'udp.port==70000,dns', 'udp.port==1,http']) {
    assert.throws(() => decodeAs({ 'decode-as': [wrong] }), { exit: 1 });
  }
});

test('what was probably meant', () => {
  assert.equal(nearest('raed', ['read', 'report']), 'read');
  assert.equal(nearest('rep', ['read', 'report']), 'report');
  assert.equal(nearest('xyz', ['read', 'report']), undefined);
});

test('the progress line tells part, rate and time left as far as they are known', () => {
  assert.equal(
    progressLine(50e6, 100e6, 1_000_000, 0.5),
    `${'━'.repeat(12)}${'─'.repeat(12)}  50 %  100 MB/s  2,000,000 frames/s  1 s left`,
  );
  assert.equal(progressLine(3e6, 0, 0, 1), '3 MB/s');
});

test('the version and help are data; everything unknown is exit code 1 with a hint', () => {
  assert.deepEqual(nametap(['--version']), { code: 0, out: `nametap ${version()}\n`, err: '' });
  assert.equal(nametap(['--help']).out, nametap([]).out);
  assert.equal(nametap(['help', 'read']).out, nametap(['read', '-h']).out);
  const wrong: [string[], RegExp][] = [
    [['raed'], /There is no command "raed"\. Did you mean read\?/],
    [[capture('udp.pcap')], /is a file\. Read it with nametap read/],
    [['-i', 'eth0'], /The command comes first/],
    [['read', '--colour=x', 'a'], /read has no option --colour\. Did you mean --color\?/],
    [['read', '-T', 'josn', 'a'], /Did you mean json\?/],
    [['read'], /Which capture\?/],
    [['read', '-c', 'many', 'a'], /--count wants a whole number/],
    [['read', '-T', 'ek', '-e', 'dns.id', 'a'], /-e is for -T fields/],
    [['read', '-T', 'fields', 'a'], /wants at least one -e/],
    [['read', '-T', 'cof', '--unit', 'packet', capture('udp.pcap')], /-T cof has no lines of unit packet/],
    [['man', 'extra'], /does not know what to do with "extra"/],
    [['watch', '-f', 'port 53', 'port', '53'], /given twice/],
  ];
  for (const [words, expected] of wrong) {
    const { code, out, err } = nametap(words);
    assert.deepEqual([code, out], [1, ''], words.join(' '));
    assert.match(err, expected);
    assert.match(err, /^nametap: [^\n]+\n$/);
  }
});

test('report runs on what read reads', () => {
  const { code, out, err } = nametap(['report', '-q', '-T', 'json', capture('udp.pcap')]);
  assert.equal(code, 0, err);
  const { ledger, transactions } = JSON.parse(out);
  assert.deepEqual(ledger.imbalance, []);
  assert.equal(ledger.received, 33);
  assert.equal(transactions.count, nametap(['read', '-T', 'ndjson', capture('udp.pcap')]).out.split('\n').length - 1);
  const filtered = nametap(['report', '-q', '-T', 'json', '-Y', 'dns.qry.type == AAAA', capture('udp.pcap')]);
  assert.deepEqual(
    JSON.parse(filtered.out).types.map(({ key }: { key: string }) => key),
    ['AAAA'],
  );
});

test('completion scripts are sound in the shells that are here', () => {
  const script = nametap(['completion', 'bash']).out;
  const { status, stderr } = spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

test('no error lets what was typed or found steer the terminal', () => {
  const evil = '\x1b[31m\u202e\u009b';
  for (const words of [
    ['read', `/nowhere/${evil}`],
    ['read', '-Y', `dns.id == "${evil}"`, capture('dnssec.pcap')],
    ['watch', '-i', evil],
    ['watch', '--dnstap', `unix:/nowhere/${evil}`],
  ]) {
    const { code, err } = nametap(words);
    assert.notEqual(code, 0);
    assert.match(err, /\\u\{1b\}\[31m\\u\{202e\}\\u\{9b\}/);
    assert.doesNotMatch(err, /[\x1b\u202e\u009b]/u);
  }
});
