import { Heap } from '../core/heap.ts';
import type { Address, Exchange } from '../rr/batch-writer.ts';
import { parseName } from '../wire/writer.ts';
import { type Client, clientOf } from './client.ts';
import { Random } from './random.ts';
import { ipv4Of, nothing } from './records.ts';
import { type Resolution, Resolver } from './resolver.ts';
import { delegation, type HostName, World, type Zone } from './world.ts';

export interface GenerateOptions {
  seed: number;
  clients: number;
  days: number;
  /** Seconds since 1970; default: Monday, 5 January 2026, 00:00 UTC. */
  start?: number;
  /** Domains that everybody knows, the most popular first; without them all names are invented. */
  popular?: readonly string[];
  /** Whether what the resolver asks upstream is written too. */
  hasUpstream?: boolean;
  /** How much the number of clients grows a day: 0.02 is 2 %; `clients` are there at the end. */
  growth?: number;
  /** Registrable domains besides the given ones. */
  zones?: number;
}

export const DEFAULT_START = 1_767_571_200;

/** What should be noticed, or should not. */
export interface Label {
  scenario: string;
  /** Any of these detectors should speak; none: nothing should. */
  detectors: readonly string[];
  /** Seconds since 1970. */
  from: number;
  to: number;
  /** Domain, name, client or server that it is about. */
  subject: string;
  client?: string;
  note?: string;
}

/** How a question differs from the usual one; what is not said the resolver decides. */
export type Question = Partial<Exchange> & { name: string | Uint8Array; zone?: Zone };

interface Act {
  time: number;
  order: number;
  run(now: number): number | undefined;
}

/** Stubs ask again after so many seconds. */
const AGAIN = [1, 3, 7];

/** Nobody answers before `until`: the stub asks until somebody does, or gives up. */
function repeat(exchange: Exchange, until: number): void {
  const n = AGAIN.findIndex((after) => exchange.time + after >= until);
  const last = AGAIN[n < 0 ? AGAIN.length - 1 : n] * 1000;
  if (exchange.transport === 'tcp') {
    // The connection itself asks again.
    exchange.latencyMs = n < 0 ? undefined : exchange.latencyMs;
    return;
  }
  exchange.queries = 1 + (n < 0 ? AGAIN.length : n + 1);
  exchange.lastMs = last;
  exchange.latencyMs = n < 0 || exchange.latencyMs === undefined ? undefined : exchange.latencyMs + last;
}

/** Root and TLD servers that referrals come from. */
const ROOT = ipv4Of(198, 41, 0, 4);
const PARENTS = [0, 1, 2, 3].map((n) => ipv4Of(192, 5 + n, 6, 30));

/** Where everything happens: the world of names, resolvers, clients, and what is due next. */
export class Stage {
  readonly random: Random;
  readonly world: World;
  readonly resolvers: Resolver[];
  readonly clients: Client[] = [];
  readonly start: number;
  readonly end: number;
  readonly hasUpstream: boolean;
  readonly #growth: number;
  readonly labels: Label[] = [];
  readonly #acts = new Heap<Act>((a, b) => a.time < b.time || (a.time === b.time && a.order < b.order));
  readonly #said = new Heap<Exchange>((a, b) => a.time < b.time);
  readonly #out: (exchange: Exchange) => void;
  #order = 0;

  constructor(options: GenerateOptions, out: (exchange: Exchange) => void) {
    const { seed, clients, days, start = DEFAULT_START, popular = [], hasUpstream = false, zones } = options;
    this.random = new Random(`stage ${seed}`);
    this.world = new World(new Random(`world ${seed}`), popular, zones);
    this.start = start;
    this.end = start + days * 86_400;
    this.hasUpstream = hasUpstream;
    this.#growth = options.growth ?? 0;
    this.#out = out;
    const empty = nothing(parseName('.'), 60);
    this.resolvers = [53, 54].map((host) => new Resolver(ipv4Of(10, 0, 0, host), new Random(`${seed} ${host}`), empty));
    for (let i = 0; i < clients; i++) this.clients.push(clientOf(i, new Random(`client ${seed} ${i}`), this));
  }

  /** Has `run` called at `time`, and again at every time that it gives back. */
  schedule(time: number, run: (now: number) => number | undefined): void {
    this.#acts.push({ time, order: this.#order++, run });
  }

  /** When a client is first there. */
  arrival({ number }: Client): number {
    if (this.#growth === 0) return this.start;
    const days = (this.end - this.start) / 86_400;
    const atStart = this.clients.length / (1 + this.#growth) ** days;
    const day = Math.log((number + 1) / atStart) / Math.log(1 + this.#growth);
    return this.start + Math.max(0, day) * 86_400;
  }

  /** Writes an exchange; its time must not lie before now. */
  say(exchange: Exchange): void {
    this.#said.push(exchange);
  }

  label(label: Label): void {
    this.labels.push(label);
  }

  /** Lets time pass until the end. */
  run(): void {
    const acts = this.#acts;
    for (let act = acts.first; act !== undefined && act.time < this.end; act = acts.first) {
      acts.pop();
      this.#write(act.time);
      const next = act.run(act.time);
      if (next === undefined) continue;
      act.time = next;
      acts.push(act);
    }
    this.#write(Number.POSITIVE_INFINITY);
  }

  #write(until: number): void {
    const said = this.#said;
    for (let next = said.first; next !== undefined && next.time <= until; next = said.first) {
      said.pop();
      this.#out(next);
    }
  }

  // ---- asking ----

  /** A client asks for a name of the world; gives what it was told (valid until the next question). */
  ask(client: Client, name: HostName, type: number, time: number): Resolution {
    const { resolver } = client;
    const told = resolver.resolve(name, type, time);
    if (!told.isFromCache && this.hasUpstream) this.#upstream(resolver, name, type, time, told);
    const { latencyMs, rcode, records, age } = told;
    const { address, random } = client;
    // Most exchanges are these: one object of one shape.
    this.#send(client, {
      time,
      client: address,
      server: resolver.address,
      udpSize: 1232,
      clientPort: 32_768 + random.int(28_000),
      id: random.bits() & 0xffff,
      name: name.wire,
      type,
      latencyMs,
      rcode,
      records,
      age,
    });
    return told;
  }

  /**
   * A client asks for a name of `zone` that is not in the world: nothing of it is cached. What the question does not
   * say is usual: an answer without records, after as long as a zone takes.
   */
  askOnce(client: Client, question: Question & { zone: Zone }, time: number): void {
    const { zone, ...rest } = question;
    const { resolver } = client;
    const fails = resolver.isFailing || zone.state !== 'ok';
    const told = fails ? resolver.fail(zone) : undefined;
    const latencyMs = told?.latencyMs ?? rest.latencyMs ?? resolver.latency(zone, false);
    const exchange = { ...rest, latencyMs, ...(told !== undefined && { rcode: told.rcode, records: told.records }) };
    if (this.hasUpstream && latencyMs !== undefined && !resolver.isFailing && time >= resolver.silentUntil) {
      const upstream = { ...exchange, latencyMs: latencyMs * 0.9 };
      this.#askAuthority(resolver, zone, upstream, time + 0.0002);
    }
    const { address, random } = client;
    const port = 32_768 + random.int(28_000);
    const own = {
      client: address,
      server: resolver.address,
      udpSize: 1232,
      clientPort: port,
      id: random.bits() & 0xffff,
    };
    this.#send(client, { ...own, ...exchange, time });
  }

  #send({ resolver, random }: Client, exchange: Exchange): void {
    if (this.hasUpstream) exchange.leg = 'client';
    const isLost = resolver.loss > 0 && random.chance(resolver.loss);
    if (isLost || resolver.silentUntil > exchange.time)
      repeat(exchange, Math.max(exchange.time + 1, resolver.silentUntil));
    this.say(exchange);
  }

  // ---- the resolver asks ----

  #upstream(resolver: Resolver, name: HostName, type: number, time: number, told: Resolution): void {
    if (resolver.isFailing || time < resolver.silentUntil) return;
    const question = {
      name: name.wire,
      type,
      rcode: told.rcode,
      records: told.records,
      latencyMs: told.latencyMs * 0.9,
    };
    this.#askAuthority(resolver, name.zone, question, time + 0.0002);
  }

  #askAuthority(resolver: Resolver, zone: Zone, question: Question, time: number): void {
    const { random } = this;
    if (zone.kind === 'local') return;
    const total = question.latencyMs ?? 30;
    let at = time;
    let left = total;
    if (zone.kind === 'parent') {
      this.#hop(resolver, random.pick(PARENTS), { ...question, aa: true }, time, total);
      return;
    }
    if (resolver.needsDelegation(zone, time)) {
      const parent = PARENTS[zone.domain.length % PARENTS.length];
      const latencyMs = Math.min(total * 0.3, random.logNormal(9, 0.3));
      if (random.chance(0.03))
        this.#hop(resolver, ROOT, { ...question, records: delegation(zone, 'authority') }, at, 1);
      this.#hop(resolver, parent, { ...question, rcode: 0, records: delegation(zone, 'authority') }, at, latencyMs);
      at += latencyMs / 1000 + 0.0002;
      left = Math.max(0.3, total - latencyMs - 0.4);
    }
    if (zone.state === 'silent') {
      for (const [i, { address }] of zone.servers.entries()) {
        this.#hop(resolver, address, question, at + i, undefined);
      }
      return;
    }
    const { address } = zone.servers[random.chance(0.8) ? 0 : zone.servers.length - 1];
    const isLame = zone.state === 'lame';
    this.#hop(resolver, address, { ...question, aa: !isLame, ...(isLame && { rcode: 5, records: NONE }) }, at, left);
  }

  #hop(resolver: Resolver, server: Address, question: Question, time: number, latencyMs: number | undefined): void {
    const { zone: _zone, age: _age, ...rest } = question;
    this.say({
      ...rest,
      time,
      latencyMs,
      client: resolver.address,
      server,
      clientPort: 1024 + this.random.int(64_000),
      id: this.random.bits() & 0xffff,
      rd: false,
      ra: false,
      isDnssecOk: true,
      udpSize: 1232,
      leg: 'upstream',
    });
  }
}

const NONE = { bytes: new Uint8Array(0), answers: 0, authority: 0, additional: 0 };
