import { type AddressInfo, createServer, type Socket } from 'node:net';
import { http } from './http.ts';
import type { Runner } from './runner.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
const CHECKS = 3;

/**
 * Checks ourselves a few times: the first check of a process is slower than all others by the time in which code is
 * loaded and compiled, and a run of one check would tell that time. `settings`: of a check of type `http`.
 */
export async function warmUp(runner: Runner, settings: unknown): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('data', () => socket.end(ANSWER));
  });
  const isOpen = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(0, '127.0.0.1', () => resolve(true));
  });
  // Without a loopback interface nothing is lost but precision.
  if (!isOpen) return;
  const { port } = server.address() as AddressInfo;
  const options = { settings, timeoutMs: 1000, signal: new AbortController().signal };
  for (let i = 0; i < CHECKS; i++) await runner.check(http, `http://127.0.0.1:${port}/`, options);
  for (const socket of sockets) socket.destroy();
  server.close();
}
