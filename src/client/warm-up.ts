import { createSocket } from 'node:dgram';
import { exchange } from './exchange.ts';

const MOST_MS = 100;

/**
 * Asks a socket of our own once, which answers at once: what Node loads and compiles for a first question (some
 * milliseconds) is then no part of the time of the first real one. Does nothing where the loopback cannot be used.
 */
export async function warmUp(): Promise<void> {
  const socket = createSocket('udp4', (query, from) => {
    // The query itself, as a response.
    query[2] |= 0x80;
    socket.send(query, from.port, from.address);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject).bind(0, '127.0.0.1', resolve);
    });
    const { port } = socket.address();
    const server = { address: '127.0.0.1', port };
    await exchange({ name: '.', type: 'NS' }, { server, transport: 'udp', timeoutMs: MOST_MS, tries: 1, edns: {} });
  } catch {
    // Without a loopback the first time is a little longer than it was.
  } finally {
    socket.close();
  }
}
