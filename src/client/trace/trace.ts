import { isIP } from 'node:net';
import { UserError } from '../../core/errors.ts';
import { typeName, typeNumber } from '../../rr/registry.ts';
import { DomainName, ROOT } from '../domain-name.ts';
import { type CanonicalRecord, recordSets, trustRecords, TYPE } from '../dnssec/canonical.ts';
import { ANSWER } from '../../wire/message.ts';
import { parseAnchor, ROOT_ANCHORS } from '../dnssec/anchors.ts';
import { aliasesOf, signerBelow, type Trust, Validator, type Verdict } from '../dnssec/validator.ts';
import { exchange, type Exchange } from '../exchange.ts';
import { MOST_ALIASES } from '../alias.ts';
import { checkZone } from './check.ts';
import { answerRecords, readReply, type Reply, shownRecords } from './reply.ts';
import { ROOT_HINTS } from './root-hints.ts';
import type { ChainLink, ServerName, Trace, TraceOptions, TraceStep } from './types.ts';
import { type Found, sentenceOf, Stop, type Zone } from './zone.ts';

const MOST_QUERIES = 400;
const MOST_MS = 180_000;
/** Servers of a zone that are tried for one question. */
const MOST_TRIED = 13;
/**
 * Name servers of a zone that are looked up and have no address: whoever refers to many made-up names wants somebody else
 * to be asked for them (CVE-2020-12662, NXNSAttack).
 */
const MOST_FRUITLESS = 5;
/** Records at the end that are told. */
const MOST_ANSWERS = 1000;
/** Names that have to be looked up for a name that has to be looked up … */
const MOST_DEPTH = 6;
/** Zones on the way to one name: there are no more labels than this. */
const MOST_ZONES = 128;

/**
 * Looks a name up from the root on, as a resolver would, and tells every step. Never throws for what the network does;
 * throws `UserError` for a question or an option that makes no sense.
 */
export function trace(name: string, type: string = 'A', options: TraceOptions = {}): Promise<Trace> {
  return new Tracer(options).run(name, type);
}

export class Tracer {
  readonly options: TraceOptions;
  readonly steps: TraceStep[] = [];
  readonly #chain: ChainLink[] = [];
  readonly #zones = new Map<string, Zone>();
  readonly #addresses = new Map<string, string[]>();
  /** Names of servers whose addresses are being looked up: who meets itself here waits for itself. */
  readonly #pending = new Set<string>();
  readonly #validator: Validator;
  /** Servers that gave no answer: asked last from then on. */
  readonly #silent = new Set<string>();
  /** Look-ups of name servers that gave no address, by zone. */
  readonly #fruitless = new Map<string, number>();
  readonly #began = performance.now();
  #queries = 0;

  constructor(options: TraceOptions) {
    this.options = options;
    this.#validator = new Validator(options.now ?? Math.floor(Date.now() / 1000));
    for (const address of options.root ?? []) {
      if (isIP(address) === 0) throw new UserError(`'${address}' is not an address. Give root servers by address.`);
    }
  }

  async run(nameText: string, typeText: string): Promise<Trace> {
    const type = typeNumber(typeText);
    if (type < 0) throw new UserError(`'${typeText}' is not an RR type.`);
    const name = DomainName.parse(nameText);
    const trace: Trace = {
      question: { name: name.text, type: typeText.toUpperCase() },
      end: 'failed',
      sentence: '',
      steps: this.steps,
      answers: [],
      rcode: null,
      security: null,
      check: null,
      queries: 0,
      ms: 0,
    };
    try {
      await this.#follow(name, type, trace);
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      trace.end = error.end;
      trace.sentence = error.message;
    }
    trace.queries = this.#queries;
    trace.ms = performance.now() - this.#began;
    return trace;
  }

  /** Looks for the name and for what its aliases lead to. */
  async #follow(name: DomainName, type: number, trace: Trace): Promise<void> {
    const seen = new Set<string>();
    const verdicts: Verdict[] = [];
    for (let at = name; ; ) {
      const found = await this.#look(at, type, 0);
      const { reply, result, zone } = found;
      trace.answers.push(...answerRecords(reply, MOST_ANSWERS - trace.answers.length));
      trace.rcode = result.response?.rcode ?? null;
      await this.#judge(found, at, type, verdicts, trace);
      const sets = recordSets(reply.records).filter((set) => set.records[0].section === ANSWER);
      const names = aliasesOf(at, type, sets);
      const end = names[names.length - 1];
      for (const one of names.slice(seen.size > 0 ? 1 : 0)) {
        if (seen.has(one.key)) throw new Stop('alias_loop', `The aliases of ${name.text} lead back to ${one.text}.`);
        if (seen.size > MOST_ALIASES)
          throw new Stop('alias_loop', `${name.text} leads through more than ${MOST_ALIASES} aliases.`);
        seen.add(one.key);
      }
      const isDone = sets.some((set) => set.name.is(end) && (set.type === type || type === 255));
      if (isDone || end.is(at) || (end.isWithin(zone.name) && reply.kind !== 'alias')) {
        if (this.options.all === true) trace.check = await checkZone(this, zone, end, type);
        trace.end = reply.kind === 'nxdomain' ? 'nxdomain' : isDone ? 'answer' : 'nodata';
        trace.sentence = sentenceOf(trace, name, end, zone.name);
        return;
      }
      at = end;
    }
  }

  /** Walks down from the nearest zone known to the one that answers for the name. */
  async #look(name: DomainName, type: number, depth: number): Promise<Found> {
    const { minimise = true } = this.options;
    let zone = this.#nearest(name);
    if (depth === 0) await this.#ensureTrust(zone);
    let shown = zone.name.labels + 1;
    for (let k = 0; k < 2 * MOST_ZONES; k++) {
      const isWhole = !minimise || shown >= name.labels;
      const asked = isWhole ? name : name.last(shown);
      const found = await this.askZone(zone, asked, isWhole ? type : TYPE.A, depth, depth === 0 ? 'name' : 'address');
      const { reply } = found;
      if (reply.referral !== null) {
        zone = this.#descend(found);
        // Of the zones of name servers nobody needs to know.
        if (depth === 0) await this.#ensureTrust(zone);
        shown = zone.name.labels + 1;
      } else if (isWhole) return found;
      else if (reply.kind === 'nodata' || reply.kind === 'answer') shown++;
      // Denied or an alias: some servers deny names that have others below them (RFC 8020 §4). Ask for all of it.
      else shown = name.labels;
    }
    throw new Stop('limit', `More than ${MOST_ZONES} zones lie between the root and ${name.text}.`);
  }

  /** Asks servers of a zone until one gives an answer that leads on. */
  async askZone(
    zone: Zone,
    name: DomainName,
    type: number,
    depth: number,
    purpose: TraceStep['purpose'],
  ): Promise<Found> {
    let lame: Found | undefined;
    let last = '';
    let tried = 0;
    for await (const server of this.#serversOf(zone, depth)) {
      if (++tried > MOST_TRIED) {
        this.#remark(`${MOST_TRIED} servers of ${zone.name.text} gave no answer that leads on: no more are asked`);
        break;
      }
      const { address } = server;
      const { result, reply, step } = await this.ask(zone, server, name, type, depth, purpose);
      if (reply.kind === 'failed') {
        last = result.sentence;
        if (result.response === null) this.#silent.add(address);
        else last = `${address} says ${result.response.rcode}.`;
        continue;
      }
      if (reply.kind !== 'lame') return { zone, reply, result };
      last = `${address} ${step.remarks[0]}.`;
      // An answer without authority is better than none.
      if (reply.records.length > 0 && reply.remarks[0]?.includes('without authority')) lame ??= { zone, reply, result };
    }
    if (lame !== undefined) return lame;
    const why = last === '' ? ' None of them has an address.' : ` The last one: ${last}`;
    throw new Stop('failed', `No server of ${zone.name.text} gave an answer about ${name.text}.${why}`);
  }

  /** The servers of a zone by address: those that were silent before come last. Looked up one by one, as they are needed. */
  async *#serversOf(zone: Zone, depth: number): AsyncGenerator<{ name?: string; address: string }, void> {
    const silent: { name?: string; address: string }[] = [];
    for (const server of zone.servers) {
      for (const address of await this.addressesOf(server, zone, depth)) {
        const at = { ...(server.name !== undefined && { name: server.name }), address };
        if (this.#silent.has(address)) silent.push(at);
        else yield at;
      }
    }
    yield* silent;
  }

  /** One question to one server, as a step. */
  async ask(
    zone: Zone,
    server: { name?: string; address: string },
    name: DomainName,
    type: number,
    depth: number,
    purpose: TraceStep['purpose'],
  ): Promise<{ result: Exchange; reply: Reply; step: TraceStep }> {
    const { port = 53, timeoutMs = 2000, tries = 2, dnssec = true, mostQueries = MOST_QUERIES, signal } = this.options;
    if (signal?.aborted === true) throw new Stop('aborted', 'The trace was given up.');
    if (this.#queries >= mostQueries)
      throw new Stop('limit', `${mostQueries} queries were not enough: this leads nowhere.`);
    if (performance.now() - this.#began > MOST_MS)
      throw new Stop('limit', `${MOST_MS / 60_000} minutes were not enough: this leads nowhere.`);
    const question = { name: name.text, type: typeName(type) };
    const result = await exchange(question, {
      server: { address: server.address, port },
      transport: 'udp',
      timeoutMs,
      tries,
      recursionDesired: false,
      edns: { size: 1232, do: dnssec },
      ...(signal !== undefined && { signal }),
    });
    // All of them: tries, and TCP where the answer was cut.
    this.#queries += result.attempts.length;
    const reply = readReply(result, zone.name, name, type);
    const step: TraceStep = {
      depth,
      purpose,
      zone: zone.name.text,
      question,
      server: { ...(server.name !== undefined && { name: server.name }), address: server.address, port },
      transport: result.transport,
      kind: reply.kind,
      outcome: result.outcome,
      rcode: result.response?.rcode ?? null,
      flags: result.response?.flags ?? [],
      ms: result.ms,
      ...(result.udpMs !== undefined && { udp_ms: result.udpMs }),
      ...(result.tcpMs !== undefined && { tcp_ms: result.tcpMs }),
      ...(reply.referral !== null && { referral: { ...reply.referral, zone: reply.referral.zone.text } }),
      answers: shownRecords(reply),
      remarks: [...reply.remarks],
    };
    if (reply.kind === 'failed' && result.response === null) step.remarks.push(result.sentence);
    this.steps.push(step);
    this.options.onStep?.(step);
    return { result, reply, step };
  }

  /** The zone nearest to a name that this trace has met; at first the root. */
  #nearest(name: DomainName): Zone {
    for (let n = name.labels; n > 0; n--) {
      const known = this.#zones.get(name.last(n).key);
      if (known !== undefined) return known;
    }
    const known = this.#zones.get(ROOT.key);
    if (known !== undefined) return known;
    const { root } = this.options;
    const servers: ServerName[] =
      root === undefined
        ? ROOT_HINTS.map((hint) => ({ name: hint.name, addresses: [...hint.addresses], from: 'given' }))
        : root.map((address) => ({ addresses: [address], from: 'given' }));
    const zone: Zone = { name: ROOT, servers, trust: null, from: null };
    this.#zones.set(ROOT.key, zone);
    return zone;
  }

  /** Takes a referral: the child with its servers. */
  #descend({ zone: parent, reply: { referral, records } }: Found): Zone {
    if (referral === null) throw new Error('a referral was expected');
    const child: Zone = {
      name: referral.zone,
      servers: referral.servers,
      trust: null,
      from: { parent, records: trustRecords(records) },
    };
    this.#zones.set(child.name.key, child);
    return child;
  }

  /** Carries trust down to a zone, asking for DS records and keys where needed. */
  async #ensureTrust(zone: Zone): Promise<void> {
    if (this.options.dnssec === false) return;
    const way: Zone[] = [];
    for (let at: Zone | undefined = zone; at !== undefined && at.trust === null; at = at.from?.parent) way.unshift(at);
    for (const at of way) {
      if (at.from === null) await this.#trust(at, (this.options.anchors ?? ROOT_ANCHORS).map(parseAnchor));
      else await this.#delegate(at.from.parent, at, at.from.records);
    }
  }

  async #delegate(parent: Zone, child: Zone, records: readonly CanonicalRecord[]): Promise<void> {
    const { trust } = parent;
    if (trust === null) return;
    const untrusted = { zone: child.name, keys: [] };
    if (trust.state !== 'secure') {
      return this.#link(child, { ...untrusted, state: trust.state, reason: `${parent.name.text} is ${trust.state}` });
    }
    let delegation = this.#validator.delegation(trust, child.name, records);
    if (delegation.kind === 'silent') {
      const { reply } = await this.askZone(parent, child.name, TYPE.DS, 0, 'signer');
      delegation = this.#validator.delegation(trust, child.name, reply.records);
    }
    if (delegation.kind === 'signed') return this.#trust(child, delegation.signers);
    if (delegation.kind === 'silent') {
      const reason = `${parent.name.text} shows neither a DS of ${child.name.text} nor that there is none`;
      return this.#link(child, { ...untrusted, state: 'bogus', reason });
    }
    this.#link(child, { ...untrusted, state: delegation.kind, reason: delegation.reason });
  }

  async #trust(zone: Zone, signers: Parameters<Validator['keysOf']>[1]): Promise<void> {
    let trust: Trust;
    try {
      const { reply } = await this.askZone(zone, zone.name, TYPE.DNSKEY, 0, 'keys');
      trust = this.#validator.keysOf(zone.name, signers, reply.records);
    } catch (error) {
      if (!(error instanceof Stop) || error.end !== 'failed') throw error;
      trust = { zone: zone.name, state: 'bogus', reason: `its keys cannot be had: ${error.message}`, keys: [] };
    }
    this.#link(zone, trust);
  }

  #link(zone: Zone, trust: Trust): void {
    zone.trust = trust;
    this.#chain.push({ zone: zone.name.text, state: trust.state, reason: trust.reason });
  }

  /** Judges an answer's signatures; a zone that answered without a referral to it is met here. */
  async #judge(found: Found, name: DomainName, type: number, verdicts: Verdict[], trace: Trace): Promise<void> {
    if (found.zone.trust === null) return;
    const { records, rcode } = found.reply;
    const signer = found.zone.trust.state === 'secure' ? signerBelow(found.zone.name, name, records) : null;
    // The DS lies in the parent: its signer is where we are already.
    if (signer !== null && !(type === TYPE.DS && signer.is(name))) {
      const inner: Zone = {
        name: signer,
        servers: found.zone.servers,
        trust: null,
        from: { parent: found.zone, records: [] },
      };
      this.#zones.set(signer.key, inner);
      await this.#ensureTrust(inner);
      found.zone = inner;
      const last = this.steps.findLast((step) => step.depth === 0 && step.purpose === 'name');
      last?.remarks.push(`serves ${signer.text}, too, and gave no referral to it`);
    }
    const { trust } = found.zone;
    if (trust === null) return;
    verdicts.push(this.#validator.answer(trust, name, type, records, rcode));
    const worst = verdicts.find(({ state }) => state === 'bogus') ?? verdicts.find(({ state }) => state === 'insecure');
    trace.security = { ...(worst ?? verdicts[verdicts.length - 1]), chain: this.#chain };
  }

  /** Addresses of a server, looked up where its parent gave none. */
  async addressesOf(server: ServerName, zone: Zone, depth = 0): Promise<string[]> {
    if (server.addresses.length === 0 && server.name !== undefined && server.from === 'none') {
      server.addresses = await this.#lookUp(DomainName.parse(server.name), zone, depth);
      server.from = 'lookup';
    }
    const { family, allows } = this.options;
    return server.addresses.filter(
      (address) => (family === undefined || isIP(address) === family) && allows?.(address) !== false,
    );
  }

  async #lookUp(name: DomainName, zone: Zone, depth: number): Promise<string[]> {
    const known = this.#addresses.get(name.key);
    if (known !== undefined) return known;
    if (this.#pending.has(name.key) || name.isWithin(zone.name)) {
      this.#remark(`${name.text} can be found through itself only: a loop`);
      return [];
    }
    if (depth === MOST_DEPTH) return [];
    const fruitless = this.#fruitless.get(zone.name.key) ?? 0;
    if (fruitless === MOST_FRUITLESS) {
      this.#remark(`${MOST_FRUITLESS} servers of ${zone.name.text} have no address: no more are looked up`);
      return [];
    }
    this.#pending.add(name.key);
    const addresses: string[] = [];
    try {
      for (const type of this.options.family === 6 ? [TYPE.AAAA] : [TYPE.A, TYPE.AAAA]) {
        if (addresses.length > 0) break;
        const { reply } = await this.#look(name, type, depth + 1);
        for (const record of reply.records)
          if (record.section === ANSWER && record.type === type) addresses.push(record.text);
      }
    } catch (error) {
      // Without this server there may be others.
      if (!(error instanceof Stop) || error.end !== 'failed') throw error;
    } finally {
      this.#pending.delete(name.key);
    }
    if (addresses.length === 0) this.#fruitless.set(zone.name.key, fruitless + 1);
    this.#addresses.set(name.key, addresses);
    return addresses;
  }

  #remark(text: string): void {
    const last = this.steps[this.steps.length - 1];
    if (last !== undefined && !last.remarks.includes(text)) last.remarks.push(text);
  }
}
