import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { runRows } from '../../src/app/run.ts';
import { transactionValue } from '../../src/rr/transaction.ts';
import { openDnstap } from '../../src/sources/dnstap.ts';
import { MessageView } from '../../src/wire/message.ts';
import { recordReader } from '../../src/rr/define.ts';
import { questionValues } from '../../src/rr/value.ts';

/** The other end of a sink: what came there, as the names asked for, in order. */
export interface Receiver {
  /** It keeps each transaction once, however often it comes. */
  readonly isIdempotent?: true;
  /** Settings that lead to it, as the user would write them. */
  settings: Record<string, unknown>;
  names(): Promise<string[]>;
  /** Ends it as if it had been killed, and starts it again at the same place; absent where nothing can die. */
  kill?(): Promise<void>;
  revive?(): Promise<void>;
  close(): Promise<void>;
}

/** A receiver that can die. */
export type MortalReceiver = Receiver & Required<Pick<Receiver, 'kill' | 'revive'>>;

function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'nametap-sinks-'));
}

/** Files of a folder in the order they were written: renamed ones first. */
function filesOf(folder: string, extension: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(extension));
  const order = (name: string) => {
    const [, stamp = '9', number = '1'] = /-(\d{8}T\d{6})Z(?:-(\d+))?\./.exec(name) ?? [];
    return `${stamp.padEnd(15, '9')} ${number.padStart(6, '0')}`;
  };
  return names.sort((a, b) => (order(a) < order(b) ? -1 : 1)).map((name) => join(folder, name));
}

export async function fileReceiver(): Promise<Receiver> {
  const folder = temporaryFolder();
  return {
    settings: { path: join(folder, 'dns.ndjson'), rotate: { size: '16KiB', compress: 'none', keep: 1000 } },
    names: async () =>
      filesOf(folder, '.ndjson').flatMap((path) =>
        readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => (JSON.parse(line) as { name: string }).name),
      ),
    close: async () => rmSync(folder, { recursive: true }),
  };
}

export async function pcapngReceiver(): Promise<Receiver> {
  const folder = temporaryFolder();
  return {
    settings: { path: join(folder, 'dns.pcapng'), rotate: { size: '16KiB', keep: 1000 } },
    names: async () => {
      const names: string[] = [];
      for (const path of filesOf(folder, '.pcapng')) {
        const plan = { input: { kind: 'files' as const, paths: [path] }, dissect: { heuristic: true }, threads: 0 };
        await runRows(plan, { signal: new AbortController().signal }, (batch, from, to) => {
          for (let i = from; i < to; i++) names.push(transactionValue(batch, i).name ?? '');
        });
      }
      return names;
    },
    close: async () => rmSync(folder, { recursive: true }),
  };
}

/** A syslog receiver on TCP, with counted octets. */
export async function syslogReceiver(): Promise<MortalReceiver> {
  const names: string[] = [];
  const messages: string[] = [];
  let listener = await listen(0);
  const { port } = listener.server.address() as AddressInfo;
  return {
    settings: { to: `tcp:127.0.0.1:${port}` },
    names: async () => names,
    kill: async () => listener.kill(),
    revive: async () => {
      listener = await listen(port);
    },
    close: async () => listener.kill(),
  };

  async function listen(at: number) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      let rest = Buffer.alloc(0);
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        rest = Buffer.concat([rest, bytes]);
        for (;;) {
          const blank = rest.indexOf(0x20);
          const length = blank < 0 ? Number.NaN : Number(rest.subarray(0, blank).toString());
          if (!(rest.length >= blank + 1 + length)) return;
          const message = rest.subarray(blank + 1, blank + 1 + length).toString();
          rest = rest.subarray(blank + 1 + length);
          messages.push(message);
          const parts = /^<134>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ nametap \d+ transaction - (\{.*\})$/.exec(
            message,
          );
          if (parts === null) throw new Error(`no syslog message: ${message}`);
          names.push((JSON.parse(parts[1]) as { name: string }).name);
        }
      });
    });
    await started(server, at);
    return { server, kill: () => killed(server, sockets) };
  }
}

/** Our own dnstap listener. */
export async function dnstapReceiver(): Promise<MortalReceiver> {
  const folder = temporaryFolder();
  const path = join(folder, 'dnstap.sock');
  const names: string[] = [];
  const view = new MessageView();
  let listener = await listen();
  return {
    settings: { to: `unix:${path}` },
    names: async () => names,
    kill: () => listener.kill(),
    revive: async () => {
      listener = await listen();
    },
    close: async () => {
      await listener.kill();
      rmSync(folder, { recursive: true });
    },
  };

  async function listen() {
    const source = await openDnstap({ kind: 'unix', path });
    const ending = new AbortController();
    const ended = source.messages(ending.signal, (carrier) => {
      view.read(carrier.bytes, carrier.at, carrier.length, carrier.claimedLength);
      // Queries: each transaction once.
      if ((view.flags & 0x8000) !== 0) return;
      recordReader.begin(view);
      names.push(questionValues(view, 0)[0].name);
    });
    return {
      kill: async () => {
        ending.abort();
        await ended;
      },
    };
  }
}

/** A search service as far as bulk requests go: keeps documents by their id. */
export async function searchReceiver(): Promise<MortalReceiver> {
  const documents = new Map<string, string>();
  let listener = await listen(0);
  const { port } = listener.server.address() as AddressInfo;
  return {
    isIdempotent: true,
    settings: { nodes: [`http://127.0.0.1:${port}`] },
    names: async () => [...documents.values()],
    kill: () => listener.kill(),
    revive: async () => {
      listener = await listen(port);
    },
    close: () => listener.kill(),
  };

  async function listen(at: number) {
    const sockets = new Set<Socket>();
    const server = createHttpServer((request, response) => void answer(request, response));
    server.on('connection', (socket) => sockets.add(socket));
    await started(server, at);
    return { server, kill: () => killed(server, sockets) };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const lines = (await text(request)).trimEnd().split('\n');
    response.setHeader('content-type', 'application/json');
    if (request.url?.includes('/_bulk') !== true) return void response.end('{"version":{"distribution":"opensearch"}}');
    const items: object[] = [];
    for (let i = 0; i + 1 < lines.length; i += 2) {
      const [, id] = /"_id":"([^"]+)"/.exec(lines[i]) ?? [];
      const { dns } = JSON.parse(lines[i + 1]) as { dns: { question: { name: string } } };
      items.push({ create: { status: documents.has(id) ? 409 : 201 } });
      documents.set(id, dns.question.name);
    }
    response.end(JSON.stringify({ errors: false, items }));
  }
}

function started(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

async function killed(server: Server, sockets: Set<Socket>): Promise<void> {
  for (const socket of sockets) socket.resetAndDestroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
