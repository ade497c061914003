import {
  ANSWER_KINDS,
  BATCH_ROWS,
  NO_KIND,
  NO_RCODE,
  OUTCOMES,
  type TransactionBatch,
  type TransactionColumns,
} from '../core/transactions.ts';
import { UDP } from '../core/carrier.ts';
import { Ledger } from '../core/ledger.ts';
import { Cardinality, type CardinalityState } from '../sketch/cardinality.ts';
import { logBucket } from '../sketch/histogram.ts';
import { hashOf } from '../sketch/key-table.ts';
import { Samples, type SamplesState } from '../sketch/samples.ts';
import { Distribution, type DistributionState } from '../sketch/summary.ts';
import { Timeline, type TimelineState } from '../sketch/timeline.ts';
import { TopKeys, type TopKeysState } from '../sketch/top-keys.ts';
import { FAULTS } from '../wire/fault.ts';
import { ANSWER, MessageView } from '../wire/message.ts';
import { mix } from '../wire/name.ts';
import { AddressMap, type AddressMapState, MAP_PAIRS } from './address-map.ts';
import { FoldedNames } from './folded-names.ts';
import {
  SERVER_BITS,
  SERVER_BUCKETS,
  SERVER_HISTOGRAM,
  SERVER_PRECISION,
  SERVER_UNIT_NANOS,
  SIZE_EDGES,
  TALLIES,
  TALLY as TALLY_AT,
} from './layout.ts';
import { type ReportSource, type ReportValue, reportValue } from './value.ts';

/** Bounds of a report, as plain data (it goes to workers). */
export interface ReportOptions {
  /** Names and registrable domains counted apart (default 65,536 each); clients 16,384; servers 2,048. */
  names?: number;
  clients?: number;
  servers?: number;
  /** Pairs of the domain ↔ address map (default 2,000,000); 0 = no map. */
  mapPairs?: number;
}

/** Offset of the registrable domain in a folded wire name, −1 without (`enrich/public-suffix.ts`). */
export type RegistrableStart = (name: Uint8Array) => number;

// The compiler knows its values, those of imported names it reads from memory (decision 10).
const TALLY = { ...TALLY_AT };
const UNANSWERED_OUTCOME = OUTCOMES.indexOf('unanswered');
const TYPE_OPT = 41;
/** Rows counted at once: so many that look-ups wait for memory together, so few that all of it stays in the near caches. */
const AT_ONCE = 512;
/** Word of a name's record: where its registrable domain's record lies + 1; 0 = not known. */
const DOMAIN = 0;
/** Words of an address key: family and address. */
const ADDRESS_WORDS = 5;
/** Clients are many; 64 ports and ids tell random ones from others. */
const CLIENT_SAMPLES = 64;
const NXDOMAIN_KIND = ANSWER_KINDS.indexOf('nxdomain');
const ERROR_KIND = ANSWER_KINDS.indexOf('error');
/** Bits of a row's marks. */
const NXDOMAIN = 1;
const FAILED = 2;
const UNANSWERED = 4;

/**
 * Everything `nametap report` says, from transaction rows, in bounded memory.
 *
 * Built in every worker over its share and merged; what is exact does not depend on how rows were spread. Reading a row
 * includes reading its response, so that TTLs, answers and addresses come from the wire and nothing is stored twice.
 */
export class Report {
  readonly options: ReportOptions;
  readonly ledger = new Ledger();

  rows = 0;
  queries = 0;
  responses = 0;
  duplicates = 0;
  late = 0;
  retransmitted = 0;
  retransmissions = 0;
  truncated = 0;
  truncatedFollowed = 0;
  firstSeconds = Number.POSITIVE_INFINITY;
  firstNanos = 0;
  lastSeconds = Number.NEGATIVE_INFINITY;
  lastNanos = 0;

  readonly counts = {
    outcomes: new Float64Array(8),
    kinds: new Float64Array(8),
    roles: new Float64Array(4),
    legs: new Float64Array(4),
    protocols: new Float64Array(4),
    /** UDP, TCP. */
    transports: new Float64Array(2),
    opcodes: new Float64Array(16),
    rcodes: new Float64Array(4096),
    types: new Float64Array(65536),
    faults: new Float64Array(FAULTS.length),
    /** [query, response][UDP, TCP][without, with EDNS][≤ 512, ≤ 1232, more]. */
    sizeClasses: new Float64Array(24),
  };

  /** UDP, TCP: nanoseconds from the first query copy; `latencyLast`: from the last. */
  readonly latency = [new Distribution(42), new Distribution(42)];
  readonly latencyLast = new Distribution(42);
  /** Nanoseconds that TCP connections took to set up. */
  readonly tcpSetup = new Distribution(42);
  readonly querySize = [new Distribution(17), new Distribution(17)];
  readonly responseSize = [new Distribution(17), new Distribution(17)];
  readonly ttl = new Distribution(32);
  readonly answers = new Distribution(16);
  readonly timeline = new Timeline();

  names: TopKeys;
  domains: TopKeys;
  clients: TopKeys;
  servers: TopKeys;
  distinctNames = new Cardinality();
  distinctDomains = new Cardinality();
  distinctClients = new Cardinality();
  distinctServers = new Cardinality();
  /** By entry of `clients` and `servers`: source port · 65536 + id of queries. */
  clientSamples = new Samples(CLIENT_SAMPLES);
  serverSamples = new Samples();
  map: AddressMap;

  readonly #registrableStart: RegistrableStart;
  // By row of the batch at hand: latency (NaN without) and marks.
  #latencies = new Float64Array(BATCH_ROWS);
  #marks = new Uint8Array(BATCH_ROWS);
  readonly #view = new MessageView();
  readonly #queryView = new MessageView();
  /** Names asked. */
  #asked = new FoldedNames(BATCH_ROWS, AT_ONCE);
  #addresses = new Int32Array(BATCH_ROWS * ADDRESS_WORDS);
  #hashes = new Int32Array(BATCH_ROWS);
  #entries = new Int32Array(BATCH_ROWS);
  /** Where the record of the name's registrable domain probably lies + 1. */
  #domainRecords = new Int32Array(BATCH_ROWS);
  readonly #domain = new Int32Array(64);
  readonly #domainBytes = new Uint8Array(this.#domain.buffer);

  constructor(options: ReportOptions, registrableStart: RegistrableStart) {
    this.options = options;
    this.#registrableStart = registrableStart;
    this.names = new TopKeys(options.names ?? 65536, TALLIES, DOMAIN + 1);
    this.domains = new TopKeys(options.names ?? 65536, TALLIES);
    this.clients = new TopKeys(options.clients ?? 16384, TALLIES);
    this.servers = new TopKeys(options.servers ?? 2048, TALLIES + SERVER_BUCKETS);
    this.map = new AddressMap(Math.max(2, options.mapPairs ?? MAP_PAIRS));
    this.#watch();
  }

  /** Columns of our own follow when a table gives keys up. */
  #watch(): void {
    this.domains.onCompact = () => this.#forgetDomains();
    this.clients.onCompact = (kept) => this.clientSamples.compact(kept);
    this.servers.onCompact = (kept) => this.serverSamples.compact(kept);
  }

  /** Adds rows [from, to) of a batch. */
  add(batch: TransactionBatch, from = 0, to: number = batch.count): void {
    if (to > this.#latencies.length) this.#makeRoom(to);
    const { col: c, arena } = batch;
    const view = this.#view;
    let i = from;
    while (i < to) {
      const first = i;
      const end = Math.min(to, i + AT_ONCE);
      let full = false;
      while (i < end && !full) {
        const response = c.responseLength[i] > 0 ? view : null;
        if (response !== null) view.read(arena, c.responseAt[i], c.responseLength[i], c.responseBytes[i]);
        full = this.readRow(c, i, response, arena, c.queryAt[i], c.queryLength[i]);
        i++;
      }
      this.#countRows(c, first, i);
    }
  }

  /** Adds a batch whose rows went through `readRow`. */
  addRead(batch: TransactionBatch): void {
    this.#countRows(batch.col, 0, batch.count);
  }

  /** How many rows may be read before they are counted. */
  readonly atOnce = AT_ONCE;

  /**
   * Reads row `i`'s messages, the `response` (null = none) and the query in `bytes[at, at + length)`: everything that
   * only they know. True when the rows read should be counted now.
   */
  readRow(
    c: TransactionColumns,
    i: number,
    response: MessageView | null,
    bytes: Uint8Array,
    at: number,
    length: number,
  ): boolean {
    const answered = c.responses[i] > 0 && response !== null;
    if (answered) this.#readResponse(response, c, i);
    let name = answered ? response : null;
    if (name === null || name.questions === 0) {
      name = this.#queryView;
      name.read(bytes, at, length, c.queryBytes[i]);
    }
    if (name.questions > 0) this.#asked.set(i, name);
    else this.#asked.unset(i);
    const nameLength = this.#asked.byteLengths[i];
    if (c.queries[i] > 0) this.#readQuery(c, i, bytes, at, length);
    if (nameLength === 0 || !answered || c.rcode[i] !== 0 || this.options.mapPairs === 0) return false;
    return this.map.note(response, i);
  }

  #makeRoom(rows: number): void {
    this.#latencies = new Float64Array(rows);
    this.#marks = new Uint8Array(rows);
    this.#asked = new FoldedNames(rows, AT_ONCE);
    this.#addresses = new Int32Array(rows * ADDRESS_WORDS);
    this.#hashes = new Int32Array(rows);
    this.#entries = new Int32Array(rows);
    this.#domainRecords = new Int32Array(rows);
  }

  /** Counts rows [from, to), whose messages have been read. */
  #countRows(c: TransactionColumns, from: number, to: number): void {
    // One small loop per matter instead of one large one per row: each is compiled as a whole, no number is boxed, and
    // each table has the near caches for itself.
    for (let i = from; i < to; i++) this.#count(c, i);
    this.#addTimes(c, from, to);
    this.#addLatencies(c, from, to);
    this.#addClients(c, from, to);
    this.#addServers(c, from, to);
    this.#addNames(c, from, to);
    this.map.count(this.#asked, c);
    this.#asked.clear();
  }

  /** What the columns alone say. */
  #count(c: TransactionColumns, i: number): void {
    const { counts } = this;
    const queries = c.queries[i];
    const kind = c.answerKind[i];
    this.rows++;
    this.queries += queries;
    this.responses += c.responses[i];
    this.duplicates += c.duplicates[i];
    this.late += c.late[i];
    if (queries > 1) {
      this.retransmitted++;
      this.retransmissions += queries - 1;
    }
    counts.outcomes[c.outcome[i] & 7]++;
    counts.kinds[kind === NO_KIND ? 7 : kind & 7]++;
    counts.roles[c.role[i] & 3]++;
    counts.legs[c.leg[i] & 3]++;
    counts.protocols[c.protocol[i] & 3]++;
    counts.transports[c.transport[i] === UDP ? 0 : 1]++;
    counts.opcodes[c.opcode[i] & 15]++;
    counts.types[c.type[i]]++;
    if (c.rcode[i] !== NO_RCODE) counts.rcodes[c.rcode[i] & 4095]++;
    if (c.fault[i] > 0 && c.fault[i] < FAULTS.length) counts.faults[c.fault[i]]++;
    this.#marks[i] =
      (kind === NXDOMAIN_KIND ? NXDOMAIN : 0) |
      (kind === ERROR_KIND ? FAILED : 0) |
      (c.outcome[i] === UNANSWERED_OUTCOME ? UNANSWERED : 0);
  }

  #addTimes(c: TransactionColumns, from: number, to: number): void {
    const { openSeconds, openNanos, lastSeconds, lastNanos, answerSeconds, answerNanos, queries } = c;
    for (let i = from; i < to; i++) {
      const seconds = openSeconds[i];
      const nanos = openNanos[i];
      if (queries[i] > 0) this.timeline.add(seconds, nanos, queries[i]);
      if (seconds < this.firstSeconds || (seconds === this.firstSeconds && nanos < this.firstNanos)) {
        this.firstSeconds = seconds;
        this.firstNanos = nanos;
      }
      if (seconds >= this.lastSeconds) this.#extend(seconds, nanos);
      if (lastSeconds[i] >= this.lastSeconds) this.#extend(lastSeconds[i], lastNanos[i]);
      if (answerSeconds[i] >= this.lastSeconds) this.#extend(answerSeconds[i], answerNanos[i]);
    }
  }

  #addLatencies(c: TransactionColumns, from: number, to: number): void {
    const latencies = this.#latencies;
    const [udp, tcp] = this.latency;
    for (let i = from; i < to; i++) {
      if (c.queries[i] === 0 || c.responses[i] === 0) {
        latencies[i] = Number.NaN;
        continue;
      }
      const latency = (c.answerSeconds[i] - c.openSeconds[i]) * 1e9 + (c.answerNanos[i] - c.openNanos[i]);
      latencies[i] = latency;
      if (c.transport[i] === UDP) udp.add(latency);
      else tcp.add(latency);
    }
    if (this.counts.transports[1] > 0) {
      for (let i = from; i < to; i++) {
        if (c.transport[i] !== UDP && !Number.isNaN(c.setupNanos[i])) this.tcpSetup.add(c.setupNanos[i]);
      }
    }
    for (let i = from; i < to; i++) {
      if (latencies[i] !== latencies[i]) continue;
      this.latencyLast.add((c.answerSeconds[i] - c.lastSeconds[i]) * 1e9 + (c.answerNanos[i] - c.lastNanos[i]));
    }
  }

  #addClients(c: TransactionColumns, from: number, to: number): void {
    const { clients } = this;
    const addresses = this.#addresses;
    const hashes = this.#hashes;
    for (let i = from; i < to; i++) {
      const at = i * ADDRESS_WORDS;
      addresses[at] = c.family[i];
      addresses[at + 1] = c.client0[i];
      addresses[at + 2] = c.client1[i];
      addresses[at + 3] = c.client2[i];
      addresses[at + 4] = c.client3[i];
      hashes[i] = hashOf(addresses, at, ADDRESS_WORDS);
    }
    clients.keys.touch(hashes, from, to, this.#entries);
    this.clientSamples.touch(this.#entries, from, to);
    for (let i = from; i < to; i++) {
      const client = clients.add(addresses, i * ADDRESS_WORDS, ADDRESS_WORDS, hashes[i]);
      if (client < 0) continue;
      if (clients.isNew) this.distinctClients.add(keyHash(addresses, i * ADDRESS_WORDS, ADDRESS_WORDS));
      this.#tally(clients, i);
      if (c.queries[i] > 0) this.clientSamples.add(client, rowHash(c, i), (c.clientPort[i] << 16) | c.id[i]);
    }
  }

  #addServers(c: TransactionColumns, from: number, to: number): void {
    const { servers } = this;
    const { keys } = servers;
    const addresses = this.#addresses;
    for (let i = from; i < to; i++) {
      addresses[0] = c.family[i];
      addresses[1] = c.server0[i];
      addresses[2] = c.server1[i];
      addresses[3] = c.server2[i];
      addresses[4] = c.server3[i];
      const server = servers.add(addresses, 0, ADDRESS_WORDS);
      if (server < 0) continue;
      if (servers.isNew) this.distinctServers.add(keyHash(addresses, 0, ADDRESS_WORDS));
      this.#tally(servers, i);
      if (c.queries[i] > 0) this.serverSamples.add(server, rowHash(c, i), (c.clientPort[i] << 16) | c.id[i]);
      const latency = this.#latencies[i];
      if (latency !== latency) continue;
      const bucket = logBucket(latency / SERVER_UNIT_NANOS, SERVER_BITS, SERVER_PRECISION);
      keys.doubles[keys.double + SERVER_HISTOGRAM + bucket]++;
    }
  }

  /** Adds what row `i` says to the tallies of the key at hand. */
  #tally(top: TopKeys, i: number): void {
    const { doubles, double: at } = top.keys;
    const marks = this.#marks[i];
    if (marks !== 0) {
      if ((marks & NXDOMAIN) !== 0) doubles[at + TALLY.nxdomain]++;
      if ((marks & FAILED) !== 0) doubles[at + TALLY.failed]++;
      if ((marks & UNANSWERED) !== 0) doubles[at + TALLY.unanswered]++;
    }
    const latency = this.#latencies[i];
    if (latency !== latency) return;
    doubles[at + TALLY.latencySum] += latency;
    doubles[at + TALLY.latencyCount]++;
  }

  #extend(seconds: number, nanos: number): void {
    if (seconds < this.lastSeconds || (seconds === this.lastSeconds && nanos <= this.lastNanos)) return;
    this.lastSeconds = seconds;
    this.lastNanos = nanos;
  }

  #readResponse(view: MessageView, c: TransactionColumns, i: number): void {
    const transport = c.transport[i] === UDP ? 0 : 1;
    let answers = 0;
    const { records, section, type, ttl } = view;
    while (answers < records && section[answers] === ANSWER) {
      if (type[answers] !== TYPE_OPT) this.ttl.add(ttl[answers]);
      answers++;
    }
    this.answers.add(answers);
    if (view.truncated && transport === 0) {
      this.truncated++;
      if (c.retryHigh[i] !== 0 || c.retryLow[i] !== 0) this.truncatedFollowed++;
    }
    const bytes = c.responseBytes[i];
    this.responseSize[transport].add(bytes);
    this.counts.sizeClasses[12 + transport * 6 + (view.opt >= 0 ? 3 : 0) + sizeClass(bytes)]++;
  }

  #readQuery(c: TransactionColumns, i: number, bytes: Uint8Array, at: number, length: number): void {
    if (length < 12) return;
    const transport = c.transport[i] === UDP ? 0 : 1;
    let edns = false;
    if ((bytes[at + 10] | bytes[at + 11]) !== 0) {
      // Nearly always OPT follows the question: no need to read the whole message.
      const opt = at + 12 + this.#asked.byteLengths[i] + 4;
      if (opt + 11 <= at + length && (bytes[opt] | bytes[opt + 1]) === 0 && bytes[opt + 2] === TYPE_OPT) edns = true;
      else {
        this.#queryView.read(bytes, at, length, c.queryBytes[i]);
        edns = this.#queryView.opt >= 0;
      }
    }
    const size = c.queryBytes[i];
    this.querySize[transport].add(size);
    this.counts.sizeClasses[transport * 6 + (edns ? 3 : 0) + sizeClass(size)]++;
  }

  #addNames(c: TransactionColumns, from: number, to: number): void {
    const { names, domains } = this;
    const { words, starts, lengths, hashes } = this.#asked;
    names.keys.touch(hashes, from, to, this.#domainRecords);
    domains.keys.touchAt(this.#domainRecords, from, to);
    for (let i = from; i < to; i++) {
      if (lengths[i] === 0) continue;
      const name = names.add(words, starts[i], lengths[i], hashes[i]);
      const { keys } = names;
      let domain = 0;
      if (name >= 0) {
        if (names.isNew) this.distinctNames.add(c.nameHash[i]);
        this.#tally(names, i);
        domain = keys.words[keys.int + DOMAIN];
      }
      if (domain > 0) {
        domains.keys.seekAt(domain - 1);
        domains.keys.doubles[domains.keys.double]++;
      } else {
        const at = keys.at;
        if (!this.#countDomain(i)) continue;
        if (name >= 0) {
          keys.seekAt(at);
          keys.words[keys.int + DOMAIN] = domains.keys.at + 1;
        }
      }
      this.#tally(domains, i);
    }
  }

  /** Counts the registrable domain of row `i`'s name (a name above it stands for itself); its record is at hand then. */
  #countDomain(i: number): boolean {
    const { bytes: all, starts, byteLengths } = this.#asked;
    const from = starts[i] * 4;
    const length = byteLengths[i];
    const start = Math.max(0, this.#registrableStart(all.subarray(from, from + length)));
    const bytes = this.#domainBytes;
    const n = length - start;
    for (let k = 0; k < n; k++) bytes[k] = all[from + start + k];
    const padded = (n + 3) & ~3;
    for (let k = n; k < padded; k++) bytes[k] = 0;
    const domain = this.domains.add(this.#domain, 0, padded >> 2);
    if (domain >= 0 && this.domains.isNew) this.distinctDomains.add(keyHash(this.#domain, 0, padded >> 2));
    return domain >= 0;
  }

  #forgetDomains(): void {
    const { keys } = this.names;
    for (let name = 0; name < keys.size; name++) {
      keys.seek(name);
      keys.words[keys.int + DOMAIN] = 0;
    }
  }

  addLedger(ledger: Ledger): void {
    this.ledger.add(ledger);
  }

  /** Adds another report's numbers; the other must not be used afterwards. */
  merge(other: Report): void {
    for (const key of COUNTERS) this[key] += other[key];
    if (
      other.firstSeconds < this.firstSeconds ||
      (other.firstSeconds === this.firstSeconds && other.firstNanos < this.firstNanos)
    ) {
      this.firstSeconds = other.firstSeconds;
      this.firstNanos = other.firstNanos;
    }
    this.#extend(other.lastSeconds, other.lastNanos);
    for (const key of Object.keys(this.counts) as (keyof Report['counts'])[]) {
      const mine = this.counts[key];
      const theirs = other.counts[key];
      for (let i = 0; i < mine.length; i++) mine[i] += theirs[i];
    }
    for (const t of [0, 1]) {
      this.latency[t].merge(other.latency[t]);
      this.querySize[t].merge(other.querySize[t]);
      this.responseSize[t].merge(other.responseSize[t]);
    }
    this.latencyLast.merge(other.latencyLast);
    this.tcpSetup.merge(other.tcpSetup);
    this.ttl.merge(other.ttl);
    this.answers.merge(other.answers);
    this.timeline.merge(other.timeline);
    this.distinctNames.merge(other.distinctNames);
    this.distinctDomains.merge(other.distinctDomains);
    this.distinctClients.merge(other.distinctClients);
    this.distinctServers.merge(other.distinctServers);
    this.names.merge(other.names);
    this.domains.merge(other.domains);
    this.clients.merge(other.clients, (mine, theirs) => this.clientSamples.merge(mine, other.clientSamples, theirs));
    this.servers.merge(other.servers, (mine, theirs) => this.serverSamples.merge(mine, other.serverSamples, theirs));
    this.map.merge(other.map);
    this.ledger.add(other.ledger);
  }

  /** Plain value for another thread (structured clone). */
  serialize(): ReportState {
    return {
      options: this.options,
      ledger: this.ledger.toJSON(),
      numbers: COUNTERS.map((key) => this[key]),
      period: [this.firstSeconds, this.firstNanos, this.lastSeconds, this.lastNanos],
      counts: this.counts,
      distributions: this.#distributions().map((d) => d.state()),
      timeline: this.timeline.state(),
      tops: [this.names, this.domains, this.clients, this.servers].map((top) => top.state()),
      distinct: this.#cardinalities().map((d) => d.state()),
      clientSamples: this.clientSamples.state(this.clients.size),
      serverSamples: this.serverSamples.state(this.servers.size),
      map: this.map.state(),
    };
  }

  /** A report to merge or to show; it cannot take rows. */
  static deserialize(state: ReportState): Report {
    const report = new Report(state.options, () => -1);
    COUNTERS.forEach((key, k) => {
      report[key] = state.numbers[k];
    });
    [report.firstSeconds, report.firstNanos, report.lastSeconds, report.lastNanos] = state.period;
    for (const key of Object.keys(report.counts) as (keyof Report['counts'])[])
      report.counts[key].set(state.counts[key]);
    report.#distributions().forEach((d, k) => {
      d.merge(Distribution.from(state.distributions[k]));
    });
    report.timeline.merge(new Timeline(state.timeline));
    [report.names, report.domains, report.clients, report.servers] = state.tops.map((top) => TopKeys.from(top));
    report.#watch();
    report.#cardinalities().forEach((d, k) => {
      d.merge(new Cardinality(state.distinct[k]));
    });
    report.clientSamples = Samples.from(state.clientSamples);
    report.serverSamples = Samples.from(state.serverSamples);
    report.map = AddressMap.from(state.map);
    report.ledger.add(Ledger.from(state.ledger));
    return report;
  }

  /** A copy to show while this one goes on; it cannot take rows. */
  copy(): Report {
    return Report.deserialize(structuredClone(this.serialize()));
  }

  #distributions(): Distribution[] {
    const { latency, querySize, responseSize } = this;
    return [...latency, ...querySize, ...responseSize, this.latencyLast, this.tcpSetup, this.ttl, this.answers];
  }

  #cardinalities(): Cardinality[] {
    return [this.distinctNames, this.distinctDomains, this.distinctClients, this.distinctServers];
  }

  /** The report as plain data (CONTRACTS: report -T json). `top` bounds its tables. */
  value(source: ReportSource = {}, top = 20): ReportValue {
    return reportValue(this, source, top);
  }
}

const COUNTERS = [
  'rows',
  'queries',
  'responses',
  'duplicates',
  'late',
  'retransmitted',
  'retransmissions',
  'truncated',
  'truncatedFollowed',
] as const;

export interface ReportState {
  options: ReportOptions;
  ledger: ReturnType<Ledger['toJSON']>;
  numbers: number[];
  period: number[];
  counts: Report['counts'];
  distributions: DistributionState[];
  timeline: TimelineState;
  tops: TopKeysState[];
  distinct: CardinalityState[];
  clientSamples: SamplesState;
  serverSamples: SamplesState;
  map: AddressMapState;
}

function sizeClass(bytes: number): number {
  return bytes <= SIZE_EDGES[0] ? 0 : bytes <= SIZE_EDGES[1] ? 1 : 2;
}

/** A hash that is the same in every thread, for distinct counts. */
function keyHash(key: Int32Array, at: number, words: number): number {
  let h = 0x811c9dc5;
  for (let i = at; i < at + words; i++) h = mix(h ^ key[i]);
  return h;
}

/** What decides whether a row is among a sample: the same wherever it is counted. */
function rowHash(c: TransactionColumns, i: number): number {
  return Math.imul(c.idLow[i] ^ c.idHigh[i], 0x9e3779b1);
}
