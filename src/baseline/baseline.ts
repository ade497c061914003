import { DNS } from '../core/carrier.ts';
import { ANSWER_KINDS, OUTCOMES } from '../core/transactions.ts';
import { nameText } from '../wire/name.ts';
import { CLIENT_COUNTERS, ClientModels, type ClientModelsState } from './clients.ts';
import { Hops } from './hops.ts';
import { distanceOf } from './latency.ts';
import { Levels, type StrangeHop } from './levels.ts';
import { FIRST, type ModelTable, type ModelTableState, SAMPLES } from './model-table.ts';
import type { Seen } from './seen.ts';
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
const TYPE_A = 1;
const TYPE_AAAA = 28;

const C = counters(COUNTERS);
const BY_CLIENT = counters(CLIENT_COUNTERS);
const BY_ZONE = counters(ZONE_COUNTERS);

function counters<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name, i) => [name, i])) as Record<K, number>;
}

/** EDE codes that say that DNSSEC validation failed (RFC 8914: 1, 2, 5 … 12; 27 unsupported NSEC3 iterations is none). */
const BOGUS_EDE = new Set([1, 2, 5, 6, 7, 8, 9, 10, 11, 12]);
const TYPE_OPT = 41;
const EDE = 15;
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
  #learnt = 0;
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
    const now = this.now;
    if (this.#all < 0) this.#all = this.whole.table.take(WHOLE, -1, now);
    const { client, server, domain } = seen;
    let teaches = true;
    // A host, or a domain, that came once is not worth a place yet: floods are made of these.
    client.asClient = this.client = this.#place(this.clients.table, client.text, client.asClient, client.queries);
    if (this.client >= 0) {
      teaches = this.clients.note(this.client, now);
    }
    const answered = outcome === ANSWERED;
    // Who does not answer is a server once somebody insists.
    const times = answered ? Number.POSITIVE_INFINITY : client.queries - 4;
    server.asServer = this.server = this.#place(this.servers.table, server.text, server.asServer, times);
    if (this.server >= 0) this.#count(this.servers, this.server, seen, teaches);
    this.#count(this.whole, this.#all, seen, teaches);
    if (domain !== null)
      domain.asZone = this.zone = this.#place(this.zones.table, domain.text, domain.asZone, domain.queries);
    if (this.zone >= 0) {
      this.zones.note(this.zone, now, teaches);
    }
    if (teaches) this.#learn(seen);
    if (answered) this.#judge(seen, teaches);
    if (answered && this.zone >= 0) this.#judgePath(seen, teaches);
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

  /** The place of a key's model, made where it came often enough; −1 where it has none. */
  #place(table: ModelTable, key: string, hint: number, times: number): number {
    const known = table.at(key, hint);
    return known >= 0 || times < 2 || !table.admits(times) ? known : table.take(key, hint, this.now);
  }

  #resume(hour: number): void {
    this.#isResumed = false;
    for (const models of [this.servers, this.whole, this.clients, this.zones]) models.skipTo(hour);
  }

  /** The model of all traffic, −1 before the first transaction. */
  get all(): number {
    return this.#all;
  }

  #count(models: ServerModels, place: number, seen: Seen, teaches: boolean): void {
    const { outcome, rcode, kind } = seen;
    models.note(place, this.now, outcome === ANSWERED ? seen.latencyMs : Number.NaN, teaches);
    if (outcome !== ANSWERED) {
      models.count(place, outcome === UNANSWERED ? C.unanswered : C.unreachable, teaches);
      return;
    }
    models.count(place, C.answers, teaches);
    if (kind === DATA) models.count(place, C.data, teaches);
    else if (kind === NXDOMAIN) models.count(place, C.nxdomain, teaches);
    else if (rcode === SERVFAIL) models.count(place, C.servfail, teaches);
    else if (rcode === REFUSED) models.count(place, C.refused, teaches);
    const { arena, col } = seen.batch;
    if (col.responseLength[seen.row] < 12) return;
    const at = col.responseAt[seen.row];
    const high = arena[at + 2];
    const low = arena[at + 3];
    if ((high & 2) !== 0) models.count(place, C.truncated, teaches);
    if ((high & 4) !== 0) models.count(place, C.authoritative, teaches);
    if ((low & 0x20) !== 0) models.count(place, C.validated, teaches);
    if ((low & 0x80) !== 0) models.count(place, C.recursive, teaches);
  }

  /** What a transaction was, to its client and its zone. */
  #learn(seen: Seen): void {
    const { outcome, rcode, kind, latencyMs } = seen;
    const isFailed = rcode === SERVFAIL || rcode === REFUSED;
    // A part of the names shows as well which shapes they have.
    const hasShape = seen.domainAt > 1 && (this.#learnt++ & 3) === 0;
    const shape = hasShape ? this.shapeTexts.of(seen.name, seen.domainAt) : 0;
    if (shape !== 0) this.shapes.add(shape);
    const isLost = outcome !== ANSWERED;
    if (this.client >= 0) {
      const { nxdomain, failed, unanswered } = BY_CLIENT;
      const counter = isLost ? unanswered : kind === NXDOMAIN ? nxdomain : isFailed ? failed : 0;
      const domain = this.zone < 0 ? -1 : this.zones.table.idOf(this.zone);
      const server = this.server < 0 ? -1 : this.servers.table.idOf(this.server);
      this.clients.learn(this.client, { counter, latencyMs, domain, shape, server });
    }
    if (this.zone >= 0) {
      const { data, nxdomain, failed, unanswered } = BY_ZONE;
      const counter = isLost ? unanswered : kind === DATA ? data : kind === NXDOMAIN ? nxdomain : isFailed ? failed : 0;
      this.zones.learn(this.zone, counter, latencyMs);
    }
  }

  /** What the response says: TTLs, DNSSEC failures. */
  #judge(seen: Seen, teaches: boolean): void {
    if (seen.kind === DATA && (seen.type === TYPE_A || seen.type === TYPE_AAAA)) {
      const { response } = seen;
      if (response !== null) this.hasTtl = this.ttls.note(seen.nameHash, seen.type, response, teaches);
      return;
    }
    if (seen.rcode !== SERVFAIL || seen.response === null) return;
    this.bogus = bogusError(seen.response);
    if (this.bogus < 0) return;
    if (this.server >= 0) this.servers.count(this.server, C.bogus, teaches);
    this.whole.count(this.#all, C.bogus, teaches);
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
      if (view !== null) this.zones.judgeAuthority(this.zone, seen, view, (arena[response + 2] & 4) !== 0);
      this.#hops.take(seen);
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
    this.hop = this.levels.judge(hops, nameText(seen.name, suffixAt, 0));
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
    const texts = tables.reduce((sum, table) => sum + table.size * 120, 0) + clients.table.size * 500;
    return tables.reduce((sum, table) => sum + table.bytes, 0) + texts + ttls.bytes;
  }

  /** Models given up for want of room. */
  get evicted(): number {
    const { servers, clients, zones } = this;
    return servers.table.evicted + clients.table.evicted + zones.table.evicted;
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

const VERSION = 1;

/** What a restart needs: plain data and arrays. */
export interface SavedBaseline {
  version: number;
  now: number;
  servers: ModelTableState;
  whole: ModelTableState;
  clients: ClientModelsState;
  zones: ZoneModelsState;
  ttls: ArrayBufferView[];
  levels: [string, TopListState<string>][];
  shapes: TopListState<number>;
  shapeTexts: [number, string][];
}

function isSaved(value: unknown): value is SavedBaseline {
  return typeof value === 'object' && value !== null && 'version' in value && value.version === VERSION;
}

/** The query's OPT record stands last, mostly without options: whether it sets DO. */
function asksForDnssec(arena: Uint8Array, at: number, length: number): boolean {
  const opt = at + length - 11;
  if (length < 23 || arena[opt] !== 0 || arena[opt + 1] !== 0 || arena[opt + 2] !== TYPE_OPT) return false;
  return (arena[opt + 7] & 0x80) !== 0;
}

/** The extended DNS error of a response that says its data failed validation (RFC 8914), −1 without. */
function bogusError(view: { opt: number; bytes: Uint8Array; rdata: Int32Array; rdlength: Uint16Array }): number {
  if (view.opt < 0) return -1;
  const { bytes } = view;
  const end = view.rdata[view.opt] + view.rdlength[view.opt];
  for (let at = view.rdata[view.opt]; at + 4 <= end; ) {
    const code = (bytes[at] << 8) | bytes[at + 1];
    const length = (bytes[at + 2] << 8) | bytes[at + 3];
    if (code === EDE && length >= 2 && at + 6 <= end) {
      const error = (bytes[at + 4] << 8) | bytes[at + 5];
      if (BOGUS_EDE.has(error)) return error;
    }
    at += 4 + length;
  }
  return -1;
}
