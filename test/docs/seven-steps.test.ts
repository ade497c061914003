/** Every command of docs/guide/seven-steps.md is run, in its order, as it stands there. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'nametap-steps-'));
after(() => rmSync(data, { recursive: true, force: true }));

const ENGLISH = readFileSync(join(root, 'docs/guide/seven-steps.md'), 'utf8');
/** What each command has to print; a step whose command is not here fails. */
const PRINTS: readonly [RegExp, RegExp][] = [
  [/--version/, /^nametap \d/],
  [/doctor/, /platform/],
  [/rcode == 3' --limit/, /NXDOMAIN/],
  [/AAAA and dns\.time/, /^\{.*"type":"AAAA".*\}$/m],
  [/contains "fark"/, /^[^,]*,172\.17\.64\.6,.*www\.fark\.com/m],
  [/read -Y/, /NXDOMAIN/],
  [/fields dns\.qry/, /dns\.qry\.name/],
  [/pdns www\.fark\.com/, /64\.191\.171\.200/],
  [/pdns 64\.191/, /www\.fark\.com/],
  [/slashdot/, /"rrname":"www\.slashdot\.org\."/],
  [/report --map/, /golang\.org/],
  [/group type/, /^A +[\d,]+ +[\d,]+ +\d/m],
  [/group server/, /latency p95 ms/],
  [/group domain/, /^fark\.com,/m],
  [/report assets/, /transactions/i],
  [/step 3600/, /^time,transactions/],
  [/baseline list/, /\d/],
  [/baseline show/, /./],
  [/alerts list/, /./],
  [/detect -$/, /"detector":"TUN-BYTES"/],
  [/rules test/, /^$/],
  [/block report/, /^$/],
  [/readyz/, /ok/],
  [/metrics$/, /^nametap_transactions_total/m],
];

/** The commands of the blocks marked `sh`, without their remarks. */
function commandsOf(page: string): string[] {
  return Array.from(page.matchAll(/^```sh\n([\s\S]*?)^```$/gm), ([, block]) => block.split('\n'))
    .flat()
    .map((line) => line.replace(/ {2,}#.*$/, '').trim())
    .filter((line) => line !== '');
}

test('the Chinese page has the same steps with the same commands', () => {
  const chinese = readFileSync(join(root, 'docs/guide/seven-steps.zh.md'), 'utf8');
  assert.deepEqual(commandsOf(chinese), commandsOf(ENGLISH));
  const steps = (page: string) => Array.from(page.matchAll(/^## (\d)\./gm), ([, number]) => number);
  assert.deepEqual(steps(chinese), ['1', '2', '3', '4', '5', '6', '7']);
  assert.deepEqual(steps(ENGLISH), steps(chinese));
});

/** Nobody may capture where tests run, and their ports are their own. */
const environment = {
  ...process.env,
  NAMETAP_DATA: data,
  NAMETAP_DEMO: 'on',
  NAMETAP_CAPTURE_USER: 'root',
  NAMETAP_SERVER_LISTEN: '127.0.0.1:0',
};

test('every command of the seven steps does what the page says', async (t) => {
  const commands = commandsOf(ENGLISH);
  assert.deepEqual(
    commands.filter((command) => command !== 'npm start' && !PRINTS.some(([which]) => which.test(command))),
    [],
  );
  let origin = '';
  for (const command of commands) {
    if (command === 'npm start') {
      const server = spawn('npm', ['start'], {
        cwd: root,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      const end = async () => {
        if (server.exitCode !== null || server.pid === undefined) return;
        const closed = once(server, 'close');
        process.kill(-server.pid, 'SIGINT');
        await closed;
      };
      t.after(end);
      let said = '';
      for (const stream of [server.stdout, server.stderr])
        stream.on('data', (chunk: Buffer) => (said += String(chunk)));
      for (let i = 0; i < 1200 && !said.includes('Ctrl-C'); i++) await sleep(50);
      assert.match(said, /This is a demo/);
      origin = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? '';
      continue;
    }
    const [, pattern] = PRINTS.find(([which]) => which.test(command)) ?? ['', /$^/];
    // The replay is still being caught up with: what is not there yet comes within seconds.
    let out = '';
    for (let i = 0; i < 20 && !pattern.test(out); i++) {
      if (i > 0) await sleep(500);
      out = await run(command, origin);
    }
    assert.match(out, pattern, command);
  }
});

/** What a command prints on standard output. */
async function run(command: string, origin: string): Promise<string> {
  const address = /^curl -s http:\/\/127\.0\.0\.1:5390(\/\S+)$/.exec(command);
  // Tests need only Node, and the server has a port of its own.
  if (address !== null) return (await fetch(origin + address[1])).text();
  const { stdout, stderr, status } = spawnSync('bash', ['-c', command], {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (!command.endsWith('doctor')) assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
}
