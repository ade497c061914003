import { DNS } from '../core/carrier.ts';
import { ANSWER_KINDS, OUTCOMES } from '../core/transactions.ts';
import { nameText } from '../wire/name.ts';
import { TYPE_A, TYPE_AAAA } from './answers.ts';
import { answerCounters, asksForDnssec, bogusError, LOST, UNREACHED } from './answer.ts';
import { CLIENT_COUNTERS, ClientModels, type ClientModelsState } from './clients.ts';
import { Hops } from './hops.ts';
import { bucketOf, distanceOf } from './latency.ts';
import { Levels, type SavedLevel, type StrangeHop } from './levels.ts';
import { FIRST, type ModelTable, type ModelTableState, SAMPLES } from './model-table.ts';
import type { Seen, SeenAhead } from './seen.ts';
import { COUNTERS, ServerModels } from './servers.ts';
import { BASELINE_DEFAULTS, type BaselineConfig } from './settings.ts';
import { Shapes } from './shape.ts';
import { TopList, type TopListState } from './top-list.ts';
import { TtlCeilings } from './ttls.ts';
import { ZONE_COUNTERS, ZoneModels, type ZoneModelsState } from './zones.ts';

const ANSWERED = OUTCOMES.indexOf('answered');
const UNANSWERED = OUTCOMES.indexOf('unanswered');
const UNREACHABLE = OUTCOMES.indexOf('unreachable');
const DATA = ANSWER_KINDS.indexOf('data');
const NXDOMAIN = ANSWER_KINDS.indexOf('nxdomain');
const SERVFAIL = 2;
const REFUSED = 5;

/** A host or a domain is known once it was seen so often: what came once has nothing that is usual, and floods are of these. */
const KNOWN_AFTER = 4;

const BOGUS = COUNTERS.indexOf('bogus');

const BY_CLIENT = counters(CLIENT_COUNTERS);
const BY_ZONE = counters(ZONE_COUNTERS);

function counters<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name, i) => [name, i])) as Record<K, number>;
}

const SHAPES_KEPT = 64;
/** The key of all traffic. */
export const WHOLE = '*';

/**
 * How names are resolved on this network: what is usual for each server, client and registrable domain, and for all
 * together. Whoever judges a transaction shows it here first: what is unusual about it (`ttl`, `path`, `hop`) was judged
 * against what was known before it.
 *
 * What is learnt counts once it is warm (by default after a day and 500 samples); nothing is learnt of a key while there
 * is an alarm about it, and of one client's transactions in an hour only ever fewer. Memory is bounded: see `bytes`.
 */
export class Baseline {
  readonly config: BaselineConfig;
  readonly servers: ServerModels;
  readonly whole: ServerModels;
  readonly clients: ClientModels;
  readonly zones: ZoneModels;
  readonly ttls = new TtlCeilings();
  readonly levels = new Levels();
  /** Shapes of names of all traffic, by their numbers. */
  readonly shapes = new TopList<number>(SHAPES_KEPT);
  readonly shapeTexts = new Shapes();
  /** Places of the models of the transaction at hand; −1: has none. */
  server = -1;
  client = -1;
  zone = -1;
  /** Extended DNS error of the response at hand that says it is bogus, −1 without. */
  bogus = -1;
  /** Whether `ttls.verdict` is of the transaction at hand, and what was strange about its path. */
  hasTtl = false;
  hop: StrangeHop | null = null;
  #now = Number.NEGATIVE_INFINITY;
  /** When what was loaded was saved. */
  #asOf = Number.NEGATIVE_INFINITY;
  #minute = Number.NEGATIVE_INFINITY;
  /** The model of all traffic; −1 before the first transaction. */
  #all = -1;
  /** What was saved is older than now: hours without nametap are none without traffic. */
  #isResumed = false;
  readonly #hops = new Hops();

  constructor(config: BaselineConfig = BASELINE_DEFAULTS) {
    this.config = config;
    this.servers = new ServerModels(config.servers, config);
    this.whole = new ServerModels(1, config);
    this.clients = new ClientModels(config);
    this.zones = new ZoneModels(config);
  }

  /** Takes a transaction, in order of closing. */
  observe(seen: Seen): void {
    this.server = this.client = this.zone = this.bogus = -1;
    this.hasTtl = false;
    this.hop = null;
    this.zones.verdict.kind = '';
    if (seen.protocol !== DNS) return;
    const { outcome, closed } = seen;
    this.tick(closed);
    if (outcome !== ANSWERED && outcome !== UNANSWERED && outcome !== UNREACHABLE) return;
    const now = this.#now;
    const isAnswered = outcome === ANSWERED;
    const { client, server, domain } = seen;
    const { clients, servers, zones } = this;
    const asClient = clients.table.place(client, client.asClient, KNOWN_AFTER, now);
    client.asClient = asClient;
    const teaches = asClient < 0 || clients.note(asClient, now);
    // Who does not answer is a server once it is asked again.
    const asServer = servers.table.place(server, server.asServer, isAnswered ? 1 : KNOWN_AFTER, now);
    server.asServer = asServer;
    this.#count(seen, asServer, isAnswered, teaches);
    let asZone = -1;
    if (domain !== null) {
      asZone = zones.table.place(domain, domain.asZone, KNOWN_AFTER, now);
      domain.asZone = asZone;
    }
    if (asClient >= 0) this.client = asClient;
    if (asServer >= 0) this.server = asServer;
    if (asZone >= 0) {
      this.zone = asZone;
      zones.note(asZone, now, teaches);
    }
    if (teaches) this.#learn(seen);
    if (!isAnswered) return;
    this.#judge(seen, teaches);
    if (asZone >= 0) this.#judgePath(seen, teaches);
  }

  /** Reads what the transactions that come next will read, so that they wait for the memory together. */
  touch(ahead: SeenAhead): void {
    const { hosts, domains, hashes, types, count } = ahead;
    const { clients, zones, ttls } = this;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const client = hosts[k]?.asClient ?? -1;
      if (client >= 0) sum += clients.touch(client);
      const zone = domains[k]?.asZone ?? -1;
      if (zone >= 0) sum += zones.touch(zone);
      if (types[k] === TYPE_A || types[k] === TYPE_AAAA) sum += ttls.touch(hashes[k], types[k]);
    }
    ahead.sum += sum;
  }

  /** Seconds since 1970, on the packets' clock; before the first packet, when what was loaded was saved. */
  get now(): number {
    return this.#now === Number.NEGATIVE_INFINITY ? this.#asOf : this.#now;
  }

  /** Time passes: what a minute brought is learnt when it is over. */
  tick(now: number): void {
    if (now <= this.#now) return;
    this.#now = now;
    if (this.#isResumed) this.#resume(Math.floor(now / 3600));
    const minute = Math.floor(now / 60);
    if (minute <= this.#minute) return;
    const passed = minute - this.#minute;
    if (passed < Number.POSITIVE_INFINITY) {
      const end = (this.#minute + 1) * 60 - 1;
      this.servers.endMinute(end, passed);
      this.whole.endMinute(end, passed);
    }
    if (Math.floor(minute / 1440) > Math.floor(this.#minute / 1440)) {
      this.shapes.fade(2 ** (-86_400_000 / this.config.slow));
    }
    this.#minute = minute;
  }

  #resume(hour: number): void {
    this.#isResumed = false;
    for (const models of [this.servers, this.whole, this.clients, this.zones]) models.skipTo(hour);
  }

  /** The model of all traffic, −1 before the first transaction. */
  get all(): number {
    return this.#all;
  }

  /** Counts a transaction for its server, and for all. */
  #count(seen: Seen, server: number, isAnswered: boolean, teaches: boolean): void {
    const now = this.#now;
    const counters = isAnswered ? answerCounters(seen) : seen.outcome === UNANSWERED ? LOST : UNREACHED;
    const { latencyMs } = seen;
    const bucket = isAnswered && latencyMs >= 0 ? bucketOf(latencyMs) : -1;
    const { whole } = this;
    if (this.#all < 0) this.#all = whole.table.take(WHOLE, now);
    whole.add(this.#all, now, bucket, counters, teaches);
    if (server >= 0) this.servers.add(server, now, bucket, counters, teaches);
  }

  /** What a transaction was, to its client and its zone. */
  #learn(seen: Seen): void {
    const { outcome, rcode, kind, latencyMs } = seen;
    const isFailed = rcode === SERVFAIL || rcode === REFUSED;
    const isLost = outcome !== ANSWERED;
    const isMissing = kind === NXDOMAIN;
    const ln = latencyMs > 0 ? Math.log(latencyMs) : Number.NaN;
    if (this.client >= 0) {
      const { nxdomain, failed, unanswered } = BY_CLIENT;
      const counter = isLost ? unanswered : isMissing ? nxdomain : isFailed ? failed : 0;
      this.clients.learn(this.client, counter, ln);
      const weight = this.clients.habitWeight(this.client);
      if (weight > 0) this.#learnHabits(seen, weight);
    }
    if (this.zone >= 0) {
      const { data, nxdomain, failed, unanswered } = BY_ZONE;
      const counter = isLost ? unanswered : kind === DATA ? data : isMissing ? nxdomain : isFailed ? failed : 0;
      this.zones.learn(this.zone, counter, ln);
    }
  }

  /** What the client asks for, and whom. */
  #learnHabits(seen: Seen, weight: number): void {
    const { client, zone, server } = this;
    const shape = seen.domainAt > 1 ? this.shapeTexts.of(seen.name, seen.domainAt) : 0;
    if (shape !== 0) this.shapes.add(shape, weight);
    const domain = zone < 0 ? -1 : this.zones.table.idOf(zone);
    this.clients.learnHabits(client, weight, domain, shape, server < 0 ? -1 : this.servers.table.idOf(server));
  }

  /** What the response says: TTLs, DNSSEC failures. */
  #judge(seen: Seen, teaches: boolean): void {
    const { type } = seen;
    if (seen.kind === DATA && (type === TYPE_A || type === TYPE_AAAA)) {
      this.hasTtl = this.ttls.note(seen.nameHash, type, seen.answers, teaches);
      return;
    }
    if (seen.rcode !== SERVFAIL || seen.response === null) return;
    this.bogus = bogusError(seen.response);
    if (this.bogus < 0) return;
    if (this.server >= 0) this.servers.count(this.server, BOGUS, teaches);
    this.whole.count(this.#all, BOGUS, teaches);
  }

  /** Who answered for the zone, and by which path. */
  #judgePath(seen: Seen, teaches: boolean): void {
    const { arena, col } = seen.batch;
    const i = seen.row;
    if (col.responseLength[i] < 12 || col.queryLength[i] < 12) return;
    const query = col.queryAt[i];
    const response = col.responseAt[i];
    const isRecursive = (arena[query + 2] & 1) !== 0;
    if (!isRecursive) {
      const view = seen.response;
      // Before it is learnt that this one answers, too.
      const isOwn = this.zones.isOwn(this.zone, seen.server.text);
      if (view !== null) this.zones.judgeAuthority(this.zone, seen, view, (arena[response + 2] & 4) !== 0);
      this.#hops.take(seen, isOwn);
      return;
    }
    if (seen.kind === DATA && (arena[response + 3] & 0x80) !== 0) {
      const isWanted = (arena[query + 3] & 0x20) !== 0 || asksForDnssec(arena, query, col.queryLength[i]);
      this.zones.judgeValidation(this.zone, seen, (arena[response + 3] & 0x20) !== 0, isWanted);
    }
    const hops = this.#hops.take(seen);
    if (hops === null) return;
    this.zones.judgePath(this.zone, hops, teaches);
    const suffixAt = seen.domainAt + 1 + seen.name[seen.domainAt];
    const suffix = nameText(seen.name, suffixAt, 0);
    this.hop = this.levels.judge(hops, suffix, this.zones.table.keys[this.zone]);
  }

  /** Nothing is learnt of these keys for a while: there is an alarm about them. */
  mute(keys: { client?: string | undefined; server?: string | undefined; domain?: string | undefined }): void {
    const until = this.now + this.config.mute / 1000;
    const { client, server, domain } = keys;
    if (client !== undefined) this.clients.table.mute(client, until);
    if (server !== undefined) this.servers.table.mute(server, until);
    if (domain !== undefined) this.zones.table.mute(domain, until);
  }

  /** Whether what was learnt of a model counts already. */
  isWarm({ table }: { readonly table: ModelTable }, place: number): boolean {
    const age = this.now - table.double(place, FIRST);
    return age * 1000 >= this.config.warm_up && table.double(place, SAMPLES) >= this.config.samples;
  }

  /** Whether enough of all traffic was seen for "never seen before" to mean something. */
  get isEstablished(): boolean {
    return this.#all >= 0 && this.isWarm(this.whole, this.#all);
  }

  /** How far what was lately lies from what is usual, 0 … 1 (see `distanceOf`). */
  drift(models: ServerModels, place: number): number {
    const { floats } = models.table;
    return distanceOf(floats, models.latencies(place, 'fast'), floats, models.latencies(place, 'slow'));
  }

  /** Bytes of everything that grows, texts and lists reckoned with what they usually take. */
  get bytes(): number {
    const { servers, clients, zones, ttls } = this;
    const tables = [servers.table, clients.table, zones.table];
    const texts = tables.reduce((sum, table) => sum + table.size * 120, 0);
    return servers.table.bytes + clients.bytes + zones.table.bytes + texts + ttls.bytes;
  }

  /** Models given up for want of room. */
  get evicted(): number {
    const { servers, clients, zones } = this;
    return servers.table.evicted + clients.table.evicted + zones.table.evicted;
  }

  /** Every bounded table: how many it holds, how many it can, how many it gave up for want of room. */
  counts(): { name: string; used: number; limit: number; evicted: number }[] {
    const { servers, clients, zones, ttls } = this;
    const tables = { servers: servers.table, clients: clients.table, zones: zones.table, 'names (TTL)': ttls };
    return Object.entries(tables).map(([name, { size, capacity, evicted }]) => ({
      name: `baseline ${name}`,
      used: size,
      limit: capacity,
      evicted,
    }));
  }

  // ---- for a restart ----

  save(): SavedBaseline {
    return {
      version: VERSION,
      now: this.now,
      servers: this.servers.table.state(),
      whole: this.whole.table.state(),
      clients: this.clients.state(),
      zones: this.zones.state(),
      ttls: this.ttls.state(),
      levels: this.levels.state(),
      shapes: this.shapes.state(),
      shapeTexts: this.shapeTexts.state(),
    };
  }

  /** Takes what an earlier run saved; false, and nothing is changed, when it is of another version, or does not fit. */
  load(saved: unknown): boolean {
    if (!isSaved(saved)) return false;
    const { servers, whole, clients, zones, ttls } = this;
    const fits =
      servers.table.fits(saved.servers) &&
      whole.table.fits(saved.whole) &&
      clients.table.fits(saved.clients.table) &&
      zones.table.fits(saved.zones.table) &&
      ttls.fits(saved.ttls);
    if (!fits) return false;
    servers.table.restore(saved.servers);
    whole.table.restore(saved.whole);
    clients.restore(saved.clients);
    zones.restore(saved.zones);
    ttls.restore(saved.ttls);
    this.levels.restore(saved.levels);
    this.shapes.restore(saved.shapes);
    this.shapeTexts.restore(saved.shapeTexts);
    servers.active.clear();
    whole.active.clear();
    for (const place of servers.table.places()) servers.active.add(place);
    this.#all = whole.table.find(WHOLE);
    if (this.#all >= 0) whole.active.add(this.#all);
    this.#isResumed = true;
    this.#asOf = saved.now;
    return true;
  }
}

const VERSION = 2;

/** What a restart needs: plain data and arrays. */
export interface SavedBaseline {
  version: number;
  now: number;
  servers: ModelTableState;
  whole: ModelTableState;
  clients: ClientModelsState;
  zones: ZoneModelsState;
  ttls: ArrayBufferView[];
  levels: SavedLevel[];
  shapes: TopListState<number>;
  shapeTexts: [number, string][];
}

function isSaved(value: unknown): value is SavedBaseline {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === VERSION;
}
