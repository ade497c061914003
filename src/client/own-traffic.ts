/**
 * Sockets that nametap's own client asks from, so that who watches the same wire can tell its questions from those of
 * others: probes, traces and replays stay out of baselines and detectors.
 */
export type OwnProtocol = 'udp' | 'tcp' | 'icmp';

/** Most sockets remembered; the oldest goes first, and is counted. */
const MOST = 65_536;
/** How long a socket is remembered after its end: an answer may be on its way. */
const LINGER_MS = 35_000;

interface OwnSocket {
  /** Milliseconds since 1970, as packets are stamped. */
  from: number;
  /** Infinity while it is open. */
  until: number;
}

const sockets = new Map<string, OwnSocket>();
let forgotten = 0;

function keyOf(protocol: OwnProtocol, address: string, port: number): string {
  return `${protocol} ${address} ${port}`;
}

/** Notes a local socket by its own end (of ICMP, the port is the identifier); call the result when it is closed. */
export function noteOwnSocket(protocol: OwnProtocol, address: string, port: number): () => void {
  const key = keyOf(protocol, address, port);
  const socket: OwnSocket = { from: Date.now() - 1000, until: Number.POSITIVE_INFINITY };
  sockets.delete(key);
  sockets.set(key, socket);
  if (sockets.size > MOST) {
    for (const oldest of sockets.keys()) {
      sockets.delete(oldest);
      forgotten++;
      break;
    }
  }
  return () => {
    socket.until = Date.now() + LINGER_MS;
  };
}

/** True when a packet of this local end at this time (ms since 1970) is of our own client. */
export function isOwnTraffic(protocol: OwnProtocol, address: string, port: number, at: number): boolean {
  const socket = sockets.get(keyOf(protocol, address, port));
  return socket !== undefined && at >= socket.from && at <= socket.until;
}

/** Sockets remembered now, and those forgotten because there were too many. */
export function ownTraffic(): { sockets: number; forgotten: number } {
  return { sockets: sockets.size, forgotten };
}
