import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TestContext } from 'node:test';
import { decodeMessage, encodeMessage, type MessageInput } from '../../src/rr/encode.ts';
import type { Message } from '../../src/rr/value.ts';
import type { Server } from '../../src/client/server.ts';

/** Real servers on ports of the loopback, each doing what its test says; closed when the test ends. */
const HOST = '127.0.0.1';

export const pem = (name: string): string => readFileSync(new URL(`certificates/${name}`, import.meta.url), 'utf8');

/** An answer to a query: its id, question and flags, and what is given. */
export function answerTo(query: Message | Uint8Array, more: MessageInput = {}): Uint8Array {
  const { id, opcode, questions, flags } = query instanceof Uint8Array ? decodeMessage(query) : query;
  const own = ['qr', ...flags.filter((flag) => flag === 'rd'), 'ra'];
  return encodeMessage({ id, opcode, flags: own, questions, ...more });
}

export const address = (name: string, data = '192.0.2.7', ttl = 60): NonNullable<MessageInput['answers']>[number] => ({
  name,
  type: 'A',
  ttl,
  data,
});

type Reply = (bytes: Uint8Array) => void;

/** A UDP server; `handle` gets each query, and a way to reply as often as it likes. */
export async function udpServer(
  t: TestContext,
  handle: (query: Buffer, reply: Reply, from: RemoteInfo) => void,
  port = 0,
): Promise<Server> {
  const socket = createSocket('udp4', (query, from) =>
    handle(query, (bytes) => socket.send(bytes, from.port, from.address), from),
  );
  socket.bind(port, HOST);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { address: HOST, port: socket.address().port };
}

/** A message with its length. */
export function framed(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

/** Hands out the messages of a stream. */
export function onMessages(socket: Socket, take: (query: Buffer) => void): void {
  let held = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      take(held.subarray(2, end));
      held = held.subarray(end);
    }
  });
}

/** A TCP server; `handle` gets each query and its connection. */
export async function tcpServer(
  t: TestContext,
  handle: (query: Buffer, socket: Socket) => void,
  port = 0,
): Promise<Server> {
  return listening(
    t,
    createServer((socket) => onMessages(socket, (query) => handle(query, socket))),
    port,
  );
}

/** The same behind TLS, with a certificate of `certificates/`. */
export async function tlsServer(
  t: TestContext,
  certificate: 'server.pem' | 'expired.pem',
  handle: (query: Buffer, socket: Socket) => void,
): Promise<Server> {
  const options = { key: pem('server.key'), cert: pem(certificate), ALPNProtocols: ['dot'] };
  const server = createTlsServer(options, (socket) => onMessages(socket, (query) => handle(query, socket)));
  server.on('tlsClientError', () => undefined);
  return listening(t, server);
}

/** An HTTP/2 server behind TLS. */
export async function httpsServer(
  t: TestContext,
  handle: (stream: ServerHttp2Stream, headers: Record<string, unknown>, body: Buffer) => void,
): Promise<Server> {
  const server: Http2SecureServer = createSecureServer({ key: pem('server.key'), cert: pem('server.pem') });
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => handle(stream, headers, Buffer.concat(chunks)));
  });
  server.on('sessionError', () => undefined);
  return listening(t, server);
}

async function listening(t: TestContext, server: NetServer, port = 0): Promise<Server> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(port, HOST);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { address: HOST, port: (server.address() as AddressInfo).port };
}

/** UDP and TCP on one port. */
export async function bothServers(
  t: TestContext,
  udp: (query: Buffer, reply: Reply) => void,
  tcp: (query: Buffer, socket: Socket) => void,
): Promise<Server> {
  const server = await tcpServer(t, tcp);
  await udpServer(t, udp, server.port);
  return server;
}
