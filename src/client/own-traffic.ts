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
  port: number;
  /** Milliseconds since 1970, as packets are stamped. */
  from: number;
  /** Infinity while it is open. */
  until: number;
}

const sockets = new Map<string, OwnSocket>();
/** Sockets remembered, by port: what passes without a look at addresses. */
const ports = new Uint32Array(65_536);
let forgotten = 0;

function keyOf(protocol: OwnProtocol, address: string, port: number): string {
  // Packets say nothing of an IPv6 zone.
  return `${protocol} ${address.split('%')[0]} ${port}`;
}

type Told = (sign: '+' | '-', protocol: OwnProtocol, address: string, port: number) => void;
let told: Told | undefined;

/** Who hears of each socket when it opens and when it is closed. */
export function tellOwnSockets(listener: Told): void {
  told = listener;
}

/**
 * Notes a local socket by its own end (of ICMP, the port is the identifier), open since `at` (ms since 1970); call the result
 * when it is closed.
 */
export function noteOwnSocket(protocol: OwnProtocol, address: string, port: number, at = Date.now()): () => void {
  told?.('+', protocol, address, port);
  const key = keyOf(protocol, address, port);
  const now = Date.now();
  const socket: OwnSocket = { port, from: at - 1000, until: Number.POSITIVE_INFINITY };
  forget(key);
  sockets.set(key, socket);
  ports[port & 0xffff]++;
  for (const [oldest, { until }] of sockets) {
    if (until >= now && sockets.size <= MOST) break;
    if (until >= now) forgotten++;
    forget(oldest);
  }
  return () => {
    told?.('-', protocol, address, port);
    socket.until = Date.now() + LINGER_MS;
  };
}

function forget(key: string): void {
  const socket = sockets.get(key);
  if (socket === undefined) return;
  sockets.delete(key);
  ports[socket.port & 0xffff]--;
}

/** False where no socket of our own with this port is remembered: a look at hardly anything. */
export function isOwnPort(port: number): boolean {
  return ports[port] > 0;
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
