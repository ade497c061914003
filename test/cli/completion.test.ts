import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { completionCommand, completionScript, SHELLS } from '../../src/cli/completion.ts';
import { commandUsage, manualPage, optionMeaning } from '../../src/cli/manual.ts';
import type { CommandDefinition } from '../../src/core/definition.ts';

const commands: CommandDefinition[] = [
  {
    name: 'read',
    summary: "what a file's traffic is",
    arguments: { name: 'FILE', summary: 'captures', many: true },
    options: [
      {
        name: 'format',
        letter: 'T',
        value: 'FORMAT',
        summary: 'form: how [it] is',
        choices: ['text', 'json'],
        default: 'text',
      },
      { name: 'interface', letter: 'i', value: 'NAME', summary: 'where', many: true },
      { name: 'write', letter: 'w', value: 'FILE', summary: 'to a file' },
      { name: 'quiet', summary: 'say nothing' },
    ],
    examples: ["nametap read -Y 'dns' a.pcap  # only DNS"],
    run: async () => 0,
  },
];
commands.push(completionCommand(() => commands));

/** What bash offers behind the words of a line. */
function offered(...words: string[]): string[] {
  const script = `${completionScript('bash', commands)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nametap; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const cwd = new URL('../..', import.meta.url);
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'bash', 'nametap', ...words], {
    cwd,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes commands, options, closed values and files', () => {
  assert.deepEqual(offered('re'), ['read']);
  assert.deepEqual(offered('read', '--f'), ['--format']);
  assert.deepEqual(offered('read', '-T', ''), ['text', 'json']);
  assert.deepEqual(offered('read', '--format', 'j'), ['json']);
  assert.ok(offered('read', '-').includes('--quiet'));
  assert.deepEqual(offered('read', 'test/captures/udp'), ['test/captures/udp.pcap']);
  assert.deepEqual(offered('completion', '-'), ['--help']);
});

test('every shell gets every command and option', () => {
  for (const shell of SHELLS) {
    const script = completionScript(shell, commands);
    for (const word of ['read', 'completion', 'format', 'interface', 'quiet', 'json']) {
      assert.ok(script.includes(word), `${shell}: ${word}`);
    }
  }
  // Quotes and brackets of summaries must not end a string of the script.
  assert.match(completionScript('zsh', commands), /form\\: how \\\[it\\\] is/);
  assert.match(completionScript('zsh', commands), /what a file'\\''s traffic is/);
  assert.match(completionScript('fish', commands), /what a file\\'s traffic is/);
});

test('an unknown shell is a usage error', async () => {
  await assert.rejects(commands[1].run(['tcsh'], {}), { name: 'UserError', exit: 1 });
});

test('the manual shows usage, options, examples and exit codes', () => {
  const page = manualPage(commands, '1.2.3');
  assert.match(page, /^\.TH NAMETAP 1 "" "nametap 1\.2\.3"/);
  assert.match(page, /\n\.SS "nametap read \[options\] FILE…"\n/);
  assert.match(page, /\n\.B \\-T, \\-\\-format FORMAT\n/);
  assert.match(page, /\n\.B nametap read \\-Y \\\(aqdns\\\(aq a\.pcap\nOnly DNS\.\n/);
  assert.match(page, /\n\.B 14\n/);
  assert.equal(commandUsage(commands[1]), 'completion SHELL');
  assert.equal(optionMeaning(commands[0].options[0]), 'form: how [it] is (one of text, json; default text)');
});
