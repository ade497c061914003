import { UserError } from '../../core/errors.ts';
import { plainText } from '../../core/figures.ts';
import { networkOutcome } from '../network-error.ts';
import type { Server } from '../server.ts';

/** Takes a datagram that came: `bytes[at, at + length)`, which hold only during the call. */
export type TakeDatagram = (bytes: Uint8Array, at: number, length: number) => void;

/** Datagrams to one server in batches: as many as fit are put, then all are sent. */
export interface Datagrams {
  /** How many more can be put before `flush`. */
  readonly room: number;
  /** Copies a message into the batch, with this id. */
  put(message: Uint8Array, id: number): void;
  /** Sends what was put; what the system has no room for now stays in the batch. */
  flush(): void;
  /** Hands out what has come; how many. */
  receive(take: TakeDatagram): number;
  /** Waits until something has come, at most so many milliseconds. */
  wait(ms: number): Promise<void> | undefined;
  /** ICMP errors so far: nobody listens there, or no way. */
  readonly refused: number;
  /** Datagrams that the system would not send, and why. */
  readonly unsent: number;
  readonly reason: string;
  /** Local port. */
  readonly port: number;
  close(): void;
}

/** Datagrams to a server: by the system's own batches on Linux, else by Node's sockets. `simple` takes Node's anywhere. */
export async function openDatagrams(server: Server, simple = false): Promise<Datagrams> {
  if (!simple && process.platform === 'linux') {
    try {
      const { BatchSocket } = await import('./batch-socket.ts');
      return new BatchSocket(server);
    } catch (error) {
      // Without native calls (another libc, no koffi for this machine) Node's sockets do, at two thirds of the speed.
      if (error instanceof UserError || !isMissing(error)) throw error;
    }
  }
  const { openNodeSocket } = await import('./node-socket.ts');
  return openNodeSocket(server);
}

/** What is said when the system will not connect to an address. */
export function unreachable(
  { address, port }: Server,
  error: { code?: string | undefined; message?: string },
): UserError {
  const { reason } = networkOutcome({ message: error.code ?? 'no way', ...error });
  return new UserError(`${address}#${port} cannot be reached: ${plainText(reason)}.`, 2);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && /koffi|symbol|shared/i.test(error.message);
}
