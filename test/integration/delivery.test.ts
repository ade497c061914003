/** The contract of network sinks against receivers of others: rsyslog and fstrm_capture, killed with SIGKILL. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordReader } from '../../src/rr/define.ts';
import { questionValues } from '../../src/rr/value.ts';
import { openDnstap } from '../../src/sources/dnstap.ts';
import { MessageView } from '../../src/wire/message.ts';
import { sinkContract } from '../sinks/contract.ts';
import type { MortalReceiver } from '../sinks/receivers.ts';
import { freePort } from '../../scripts/services/free-port.ts';

const PLAN = { awayMs: Number(process.env.NAMETAP_AWAY_MS ?? 2000), kills: 2 };

/** A program that is started, killed, and started again. */
class Program {
  #child: ChildProcess | undefined;
  readonly #start: () => { command: string; words: string[]; isUp(): boolean };

  constructor(start: () => { command: string; words: string[]; isUp(): boolean }) {
    this.#start = start;
  }

  async start(): Promise<void> {
    const { command, words, isUp } = this.#start();
    this.#child = spawn(command, words, { stdio: ['ignore', 'ignore', 'inherit'] });
    for (const end = Date.now() + 10_000; !isUp(); await sleep(20)) {
      if (Date.now() > end) throw new Error(`${command} does not start`);
    }
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}

async function rsyslog(): Promise<MortalReceiver> {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-rsyslog-'));
  const port = await freePort();
  const lines = join(folder, 'lines');
  const socket = join(folder, 'log.sock');
  const config = join(folder, 'rsyslog.conf');
  writeFileSync(
    config,
    `global(workDirectory="${folder}" maxMessageSize="64k" net.enableDNS="off")
module(load="imtcp")
module(load="imuxsock" sysSock.use="off")
input(type="imtcp" address="127.0.0.1" port="${port}")
input(type="imuxsock" socket="${socket}")
template(name="line" type="string" string="%msg%\\n")
action(type="omfile" file="${lines}" template="line")
`,
  );
  const program = new Program(() => {
    // The socket of the other input says that all are there.
    rmSync(socket, { force: true });
    return { command: 'rsyslogd', words: ['-n', '-f', config, '-i', 'NONE'], isUp: () => existsSync(socket) };
  });
  await program.start();
  return {
    settings: { to: `tcp:127.0.0.1:${port}` },
    names: async () =>
      existsSync(lines)
        ? Array.from(readFileSync(lines, 'utf8').matchAll(/"name":"(n\d+\.test)".*\n/g), ([, name]) => name)
        : [],
    kill: () => program.kill(),
    revive: () => program.start(),
    close: async () => {
      await program.kill();
      rmSync(folder, { recursive: true });
    },
  };
}

async function frameStreams(): Promise<MortalReceiver> {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-fstrm-'));
  const path = join(folder, 'tap.sock');
  let life = 0;
  const program = new Program(() => {
    rmSync(path, { force: true });
    const file = join(folder, `${String(life++).padStart(4, '0')}.fstrm`);
    const words = ['-t', 'protobuf:dnstap.Dnstap', '-u', path, '-w', file];
    return { command: 'fstrm_capture', words, isUp: () => existsSync(path) };
  });
  await program.start();
  return {
    settings: { to: `unix:${path}` },
    names: async () => {
      // It keeps its last few kilobytes to itself until it ends.
      await program.kill('SIGINT');
      await program.start();
      const names: string[] = [];
      const view = new MessageView();
      for (const name of readdirSync(folder)
        .filter((one) => one.endsWith('.fstrm'))
        .toSorted()) {
        const source = await openDnstap({ kind: 'file', path: join(folder, name) });
        await source.messages(new AbortController().signal, (carrier) => {
          view.read(carrier.bytes, carrier.at, carrier.length, carrier.claimedLength);
          if ((view.flags & 0x8000) !== 0) return;
          recordReader.begin(view);
          names.push(questionValues(view, 0)[0].name);
        });
      }
      return names;
    },
    kill: () => program.kill(),
    revive: () => program.start(),
    close: async () => {
      await program.kill();
      rmSync(folder, { recursive: true });
    },
  };
}

sinkContract('syslog', rsyslog, PLAN);
sinkContract('dnstap', frameStreams, PLAN);
