/** A network to look at: a week of it thin, the last hour thick, with everything in it that the pages have to show. */
import { FATE, Ledger, OUTCOME } from '../../src/core/ledger.ts';
import { say } from '../../src/server/said.ts';
import type { SensorReading } from '../../src/server/services.ts';
import { finding } from '../alerts/findings.ts';
import { type Exchange, rowsOf } from '../server/fixture.ts';
import type { CacheStatus } from '../../src/cache/cache.ts';
import type { PostgresStatus } from '../../src/store/postgres/options.ts';

export const NOW = Date.now();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Where the address of a name changed, and its TTL. */
export const MOVED = 'www.shop.example';
/** Asked by `CLOCK_CLIENT` every minute. */
export const CLOCK = 'beacon.c2.example';
export const CLOCK_CLIENT = '10.2.3.4';
export const SLOW_SERVER = '10.0.0.54';
/** Shares its address with nothing else. */
export const RARE = 'lonely.rare.example';
export const HOSTILE_TEXT = '"<img src=x onerror=document.title=1>" "=1+1"';
export const HOSTILE_NAME = '<script>document.title=1</script>.hostile.example';

const CLIENTS = [
  '10.2.3.4',
  '10.2.9.17',
  '10.2.1.77',
  '10.2.4.2',
  '10.2.9.9',
  '192.168.1.20',
  '192.168.1.21',
  '10.7.0.3',
];
const NAMES = [
  'www.vendor.example',
  'update.vendor.example',
  'edge7.cdn2.example',
  'img.static.cdn2.example',
  'api.shop.example',
  'mail.corp.example',
  'autodiscover.corp.example',
  'news.example.org',
  'video.example.net',
  'telemetry.device.example',
  'a.root.example.com',
  'time.example.com',
  'xn--bcher-kva.example',
];

/** Numbers that look random and are the same each time (a linear congruential generator). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

const random = numbers(7);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() ** 1.6 * list.length)];

function ordinary(time: number): Exchange {
  const name = pick(NAMES);
  const server = random() < 0.7 ? '10.0.0.53' : random() < 0.6 ? '9.9.9.9' : SLOW_SERVER;
  const slow = server === SLOW_SERVER ? 90 : 1.5;
  const latencyMs = Math.round(slow * Math.exp(random() * 2.4) * 1000) / 1000;
  const shared = { time, client: pick(CLIENTS), server, name, latencyMs };
  const dice = random();
  if (dice < 0.02) return { ...shared, latencyMs: 0 };
  if (dice < 0.07)
    return { ...shared, name: `gone${Math.floor(random() * 40)}.${name}`, answer: { rcode: 'NXDOMAIN' } };
  if (dice < 0.08) return { ...shared, answer: { rcode: 'SERVFAIL' } };
  const type = dice < 0.7 ? 'A' : dice < 0.9 ? 'AAAA' : 'HTTPS';
  const data = {
    A: `192.0.2.${10 + NAMES.indexOf(name)}`,
    AAAA: `2001:db8::${10 + NAMES.indexOf(name)}`,
    HTTPS: '1 . alpn=h2,h3',
  }[type];
  return { ...shared, type, answer: { answers: [{ name, type, ttl: 300, data }] } };
}

/** The hours of an office: thin at night and on weekends. */
function week(): Exchange[] {
  const made: Exchange[] = [];
  for (let hour = 7 * 24; hour > 1; hour--) {
    const at = NOW - hour * HOUR;
    const day = new Date(at);
    const busy = day.getUTCDay() % 6 !== 0 && day.getUTCHours() > 6 && day.getUTCHours() < 18;
    for (let i = 0; i < (busy ? 22 : 3); i++) made.push(ordinary(at + random() * HOUR));
  }
  return made;
}

function lastHour(): Exchange[] {
  const made: Exchange[] = [];
  for (let i = 0; i < 2400; i++) made.push(ordinary(NOW - HOUR + random() * 59.5 * MINUTE));
  for (let minute = 59; minute > 0; minute--) {
    made.push({
      time: NOW - minute * MINUTE,
      client: CLOCK_CLIENT,
      server: '10.0.0.53',
      name: CLOCK,
      answer: { answers: [{ name: CLOCK, type: 'A', ttl: 30, data: '198.51.100.7' }] },
    });
  }
  return made;
}

/** A name that moves: another address each day, and a TTL that falls from an hour to a minute half an hour ago. */
function moving(): Exchange[] {
  const made: Exchange[] = [];
  for (let step = 7 * 24; step >= 0; step--) {
    const data = `203.0.113.${10 + Math.floor(step / 40)}`;
    made.push(resolved(NOW - step * HOUR - 5 * MINUTE, MOVED, data, 3600));
  }
  for (let minute = 55; minute > 0; minute -= 3) {
    made.push(
      resolved(NOW - minute * MINUTE, MOVED, minute > 30 ? '203.0.113.10' : '203.0.113.99', minute > 30 ? 3600 : 60),
    );
  }
  made.push(resolved(NOW - 20 * MINUTE, RARE, '198.51.100.200', 300));
  return made;
}

function resolved(time: number, name: string, data: string, ttl: number): Exchange {
  return {
    time,
    client: '10.2.9.17',
    server: '10.0.0.53',
    name,
    answer: { answers: [{ name, type: 'A', ttl, data }] },
  };
}

/** Long labels of a tunnel: each asked once. */
function tunnel(): Exchange[] {
  return Array.from({ length: 60 }, (_, i) => {
    const label = Array.from({ length: 40 }, () => 'abcdefghijklmnopqrstuvwxyz234567'[Math.floor(random() * 32)]).join(
      '',
    );
    const name = `${label}.t.exfil.example`;
    return {
      time: NOW - 40 * MINUTE + i * 9000,
      client: CLOCK_CLIENT,
      server: '10.0.0.53',
      name,
      type: 'TXT',
      answer: { answers: [{ name, type: 'TXT', ttl: 0, data: '"ZGF0YQ=="' }] },
    };
  });
}

function hostile(): Exchange[] {
  return [
    {
      time: NOW - 5 * MINUTE,
      client: '10.7.0.3',
      server: '10.0.0.53',
      name: HOSTILE_NAME,
      type: 'TXT',
      answer: { answers: [{ name: HOSTILE_NAME, type: 'TXT', ttl: 60, data: HOSTILE_TEXT }] },
    },
    { time: NOW - 4 * MINUTE, client: '10.7.0.3', server: '10.0.0.53', name: "=cmd|'/c calc'!A1.formula.example" },
  ];
}

/** All of it as rows. */
export function networkRows(): ReturnType<typeof rowsOf> {
  return rowsOf([...week(), ...lastHour(), ...moving(), ...tunnel(), ...hostile()]);
}

/** An alert, as a detector will raise it. */
export const ALERT = finding({
  time: NOW / 1000 - 900,
  confidence: 0.93,
  title: 'Tunnel through t.exfil.example',
  text: '60 single-use names below t.exfil.example hold 4.1 kB. 1.0 kB an hour is the limit; the longest is <b>40</b> long.',
  client: CLOCK_CLIENT,
  domain: 'exfil.example',
});

/** A sensor that has seen more than DNS, and lost a little: what the ledger looks like then. */
export function busySensor(transactions: number): SensorReading {
  const ledger = new Ledger();
  const add = (fate: keyof typeof FATE, n: number): void => {
    ledger.frames[FATE[fate]] += n;
    ledger.received += n;
  };
  add('carried', transactions * 2);
  add('no_payload', 1204);
  add('not_ip', 310);
  add('not_dns', 2207);
  add('encrypted', 911);
  add('kernel', 12);
  ledger.decoded = ledger.shown = transactions * 2;
  ledger.messages[OUTCOME.joined] = transactions * 2 - 40;
  ledger.messages[OUTCOME.duplicate] = 40;
  return {
    name: 'office',
    source: say('source.live'),
    interface: 'eth0',
    privacy: { level: 0, names: 'full', text: 'Clients are stored and shown with their whole addresses.' },
    ledger,
    transactions,
    stages: [{ stage: 'store', unit: 'transactions', in: transactions, out: transactions, lost: {} }],
    rate: 41.2,
    framesRate: 88.5,
    lagSeconds: 0.21,
    ring: 0.03,
    openTransactions: 2,
    oneIn: 4,
    uptimeSeconds: 92_000,
    running: true,
  };
}

/** A cache whose Redis has gone away. */
export const CACHE: CacheStatus = {
  local: 900,
  shared: 60,
  joined: 15,
  loaded: 25,
  stale: 7,
  empty: 3,
  unreached: 4,
  garbled: 0,
  failed: 0,
  evicted: 0,
  entries: 80,
  bytes: 1 << 20,
  limit: 32 << 20,
  trouble: 'connect ECONNREFUSED',
};

/** Two servers of PostgreSQL, one behind; a connection that was not given back, and a statement that took long. */
export const POSTGRES: PostgresStatus = {
  servers: [
    {
      name: 'db-1:5432',
      role: 'primary',
      state: 'up',
      lag_ms: null,
      connections: { open: 3, idle: 2, waiting: 0, most: 8 },
      asked: 1200,
    },
    {
      name: 'db-2:5432',
      role: 'replica',
      state: 'behind',
      lag_ms: 4200,
      connections: { open: 1, idle: 1, waiting: 0, most: 8 },
      asked: 340,
    },
  ],
  leaks: { count: 1, last: [{ time: NOW, held_ms: 61_000, stack: 'at panel (overview.ts:1)' }] },
  slow: {
    count: 2,
    last: [
      {
        time: NOW,
        ms: 2300,
        server: 'db-2:5432',
        sql: 'SELECT count(*) FROM transactions WHERE name LIKE $1',
        plan: 'Seq Scan on transactions',
      },
    ],
  },
};
