/** A network with a past: six days of like hours, and a last hour in which something happens. */
import type { Finding } from '../../src/core/alert.ts';
import { finding } from '../alerts/findings.ts';
import { type Exchange, rowsOf } from '../server/fixture.ts';

export const NOW = Math.floor(Date.now() / 60_000) * 60_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Queries in a minute, usually. */
const USUAL = 40;
/** Minutes before now: names that do not exist, from one client; answers of one server take long. */
const BURST = { from: 32, to: 24, client: '10.2.3.4', domain: 'exfil.example' };
const SLOW = { from: 22, to: 6, server: '10.0.0.54' };
export const NEW_DOMAIN = BURST.domain;

const NAMES = [
  ['www.vendor.example', 'A', '192.0.2.10'],
  ['www.vendor.example', 'AAAA', '2001:db8::10'],
  ['update.vendor.example', 'A', '192.0.2.11'],
  ['edge7.cdn2.example', 'A', '198.51.100.7'],
  ['edge7.cdn2.example', 'HTTPS', '1 . alpn=h2,h3'],
  ['img.static.cdn2.example', 'AAAA', '2001:db8:2::7'],
  ['api.shop.example', 'A', '203.0.113.20'],
  ['api.shop.example', 'HTTPS', '1 . alpn=h2,h3 port=8443'],
  ['mail.corp.example', 'MX', '10 mx1.corp.example'],
  ['news.example.org', 'A', '203.0.113.80'],
  ['telemetry.device.example', 'A', '203.0.113.90'],
  ['_sip._tcp.corp.example', 'SRV', '10 5 5060 sip.corp.example'],
  ['7.2.0.192.in-addr.arpa', 'PTR', 'host7.vendor.example'],
] as const;

/** Numbers that look random and are the same each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
const random = numbers(11);

function ordinary(time: number, minutesAgo: number): Exchange {
  const [name, type, data] = NAMES[Math.floor(random() ** 1.7 * NAMES.length)];
  const server = random() < 0.65 ? '10.0.0.53' : random() < 0.6 ? SLOW.server : '9.9.9.9';
  const client = `10.2.${Math.floor(random() * 9)}.${Math.floor(random() * 30)}`;
  const isSlow = server === SLOW.server && minutesAgo <= SLOW.from && minutesAgo >= SLOW.to;
  // Most from the cache, the others across the world.
  const usual = random() < 0.7 ? 0.3 + random() : 8 * Math.exp(random() * 1.6);
  const shared = { time, client, server, name, type, latencyMs: isSlow ? 120 + usual * 6 : usual };
  const dice = random();
  if (dice < 0.004) return { time, client, server, name, type };
  if (dice < 0.03)
    return { ...shared, name: `gone${Math.floor(random() * 30)}.vendor.example`, answer: { rcode: 'NXDOMAIN' } };
  if (dice < 0.034) return { ...shared, answer: { rcode: 'SERVFAIL' } };
  return { ...shared, answer: { answers: [{ name, type, ttl: 60 * (1 + Math.floor(random() * 60)), data }] } };
}

/** `minutes` of the network before `end`; `last`: with what happens in it. */
function stretch(end: number, minutes: number, last: boolean): Exchange[] {
  const made: Exchange[] = [];
  for (let ago = minutes; ago > 0; ago--) {
    const from = end - ago * MINUTE;
    const n = Math.round(USUAL * (1 + 0.12 * Math.sin(ago / 9)) + (random() - 0.5) * 8);
    for (let i = 0; i < n; i++)
      made.push(ordinary(from + (i + random()) * (MINUTE / n), last ? ago : Number.POSITIVE_INFINITY));
    if (!last || ago > BURST.from || ago < BURST.to) continue;
    for (let i = 0; i < 28; i++) {
      const label = Array.from({ length: 24 }, () => Math.floor(random() * 32).toString(32)).join('');
      made.push({
        time: from + i * 2000,
        client: BURST.client,
        server: '10.0.0.53',
        name: `${label}.${BURST.domain}`,
        type: 'TXT',
        latencyMs: 20 + random() * 15,
        answer: { rcode: 'NXDOMAIN' },
      });
    }
  }
  return made.sort((a, b) => a.time - b.time);
}

/** Six days ago to now, oldest first: of each day the two hours up to this one, of today the last. */
export function pastRows(): ReturnType<typeof rowsOf>[] {
  const days = [6, 5, 4, 3, 2, 1].map((day) => rowsOf(stretch(NOW - day * DAY + 60 * MINUTE, 180, false)));
  return [...days, rowsOf(stretch(NOW, 75, true))];
}

/** What comes in during a fifth of a second. */
export function freshRows(): ReturnType<typeof rowsOf> {
  const now = Date.now();
  return rowsOf(Array.from({ length: 3 }, (_, i) => ordinary(now - 100 + i * 20, 0)));
}

/** Alerts as detectors will raise them. */
export const ALERTS = [
  finding({
    time: NOW / 1000 - 720,
    title: `Tunnel through ${BURST.domain}`,
    text: '252 single-use labels of 24 characters in 9 min, TXT, none of them exists. Never connected to.',
    client: BURST.client,
    domain: BURST.domain,
    confidence: 0.97,
  }),
  aboutServer({
    detector: 'OPS-LATENCY',
    key: SLOW.server,
    time: NOW / 1000 - 780,
    severity: 'medium',
    title: `Slow server ${SLOW.server}`,
    text: 'p95 was 35 ms, is 260 ms for 16 min. The other servers are unchanged.',
    subject: SLOW.server,
    server: SLOW.server,
    confidence: 0.8,
    attack: [],
  }),
];

function aboutServer(different: Partial<Finding>): Finding {
  const { client: _, domain: __, ...rest } = finding(different);
  return rest;
}
