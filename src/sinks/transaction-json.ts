import { DNS, NBNS, PROTOCOL_NAMES, TCP } from '../core/carrier.ts';
import { timeText } from '../core/clock.ts';
import {
  ANSWER_KINDS,
  LEGS,
  NO_KIND,
  NO_RCODE,
  NO_VLAN,
  OUTCOMES,
  ROLES,
  type TransactionBatch,
} from '../core/transactions.ts';
import { transactionValue } from '../rr/transaction.ts';
import { ecsValue, edeValues, safeText } from '../rr/value.ts';
import { ECS, EDE, EDNS_CO, EDNS_DE, EDNS_DO, OptionCursor, optionText } from '../wire/edns.ts';
import { FAULT_PLACES, FAULTS } from '../wire/fault.ts';
import { OPTIONS, rcodeName } from '../wire/iana.ts';
import { ADDITIONAL, ANSWER, MessageView } from '../wire/message.ts';
import { equalNames, skipName } from '../wire/name.ts';
import { flagNames, operationName, protocolClassName, protocolTypeName } from '../wire/protocol.ts';
import type { ByteWriter } from './byte-writer.ts';
import { ChunkCache } from './chunk-cache.ts';
import {
  chunk,
  type Chunk,
  NAME_ROOM,
  put,
  putHex,
  putHex32,
  putIpv4,
  putIpv6,
  putMillis,
  putName,
  putNine,
  putUint,
} from './json-bytes.ts';
import { type OutputOptions, shownInterface } from './output.ts';
import { RecordJson } from './record-json.ts';
import { RegistrableCache } from './registrable-cache.ts';

const CLIENT = chunk('Z","client":"');
const CLIENT_PORT = chunk('","client_port":');
const SERVER = chunk(',"server":"');
const SERVER_PORT = chunk('","server_port":');
const ONE_EACH = chunk('1,"responses":1,"duplicates":0,"late":0,"frames":{"query":[');
const RESPONSES = chunk(',"responses":');
const DUPLICATES = chunk(',"duplicates":');
const LATE = chunk(',"late":');
const FRAMES = chunk(',"frames":{"query":[');
const RESPONSE_FRAMES = chunk('],"response":[');
const TRANSACTION = chunk(']},"transaction":"');
const NAME = chunk(',"name":"');
const LATENCY = chunk(',"latency_ms":');
const LATENCY_LAST = chunk(',"latency_last_ms":');
const TCP_SETUP = chunk(',"tcp_setup_ms":');
const QUERY_BYTES = chunk(',"query_bytes":');
const RESPONSE_BYTES = chunk(',"response_bytes":');
const RETRY = chunk(',"tcp_retry":"');
const PARENT = chunk(',"parent":"');
const FAULT_AT = chunk(',"offset":');
const SECTIONS = [',"answers":[', ',"authority":[', ',"additional":['].map(chunk);
const NO_AUTHORITY_OR_MORE = chunk('],"authority":[],"additional":[]');
const TTL_MIN = chunk(',"ttl_min":');
const CNAMES = chunk(',"cnames":["');
const ADDRESSES = chunk(',"addresses":["');
const NEXT_TEXT = chunk('","');
const END_TEXTS = chunk('"]');
const EDNS = chunk(',"edns":{');
const EDNS_QUERY = chunk('"query":{"udp_size":');
const EDNS_RESPONSE = chunk('"response":{"udp_size":');
const COOKIE = chunk('{"code":10,"name":"COOKIE","data":"');
const END_OPTION = chunk('"}');

const TYPE_A = 1;
const TYPE_CNAME = 5;
const TYPE_AAAA = 28;
const TYPE_DNAME = 39;
const OPTION_COOKIE = 10;
/** A chain of more aliases is left to the reference. */
const MAX_ALIASES = 16;
/** What a row takes besides its names, records, options and frame numbers. */
const ROW_ROOM = 4096 + 2 * NAME_ROOM;

/**
 * Writes rows as JSON objects straight from the batch's columns and message bytes, without objects or texts in between:
 * the same bytes as `JSON.stringify(transactionValue(…))`, which is also used for what is too rare to be worth it.
 */
export class TransactionJson {
  readonly #options: OutputOptions;
  readonly #writer: ByteWriter;
  readonly #query = new MessageView();
  readonly #response = new MessageView();
  readonly #records: RecordJson;
  readonly #registrable: RegistrableCache | undefined;
  readonly #cursor = new OptionCursor();
  readonly #aliases = new Int32Array(MAX_ALIASES);
  #aliasCount = 0;
  readonly #chain = new Int32Array(MAX_ALIASES);
  #batch: TransactionBatch | undefined;
  #frames = new Float64Array(0);
  #seconds = Number.NaN;
  #second: Chunk = chunk('');
  readonly #sensor: Chunk | undefined;
  readonly #interfaces: (Chunk | undefined)[] = [];
  // Texts that follow from few numbers, whatever the traffic.
  readonly #ways = new ChunkCache(16, (transport, leg) => {
    return `,"transport":"${transport === TCP ? 'tcp' : 'udp'}","leg":"${LEGS[leg]}","id":`;
  });
  readonly #headers = new ChunkCache(256, (flags, rest) => {
    const protocol = (rest >> 4) & 15;
    const opcode = JSON.stringify(operationName((rest & 15) << 11, protocol));
    const list = JSON.stringify(flagNames(flags, protocol));
    const role = ROLES[(rest >> 8) & 15];
    return `,"opcode":${opcode},"flags":${list},"role":"${role}","outcome":"${OUTCOMES[rest >> 12]}","queries":`;
  });
  readonly #kinds = new ChunkCache(256, (kind, protocol) => {
    const type = JSON.stringify(protocolTypeName(kind & 0xffff, protocol));
    return `","type":${type},"class":${JSON.stringify(protocolClassName(kind >>> 16, protocol))}`;
  });
  readonly #results = new ChunkCache(64, (rcode, kind) => {
    const code = rcode === NO_RCODE ? '' : `,"rcode":${JSON.stringify(rcodeName(rcode))}`;
    return kind === NO_KIND ? code : `${code},"answer_kind":"${ANSWER_KINDS[kind]}"`;
  });
  readonly #ednsHeads = new ChunkCache(16, (version, dnssec) => {
    return `,"version":${version},"do":${dnssec !== 0},"options":[`;
  });

  constructor(options: OutputOptions, writer: ByteWriter) {
    this.#options = options;
    this.#writer = writer;
    this.#records = new RecordJson(writer);
    this.#registrable = options.registrable && new RegistrableCache(options.registrable);
    if (options.sensor !== undefined) this.#sensor = chunk(`,"sensor":${JSON.stringify(options.sensor)}`);
  }

  /** Writes row `i`, without a line feed. */
  row(batch: TransactionBatch, i: number): void {
    const from = this.#writer.length;
    // Few rows are marked.
    if (batch.col.mark[i] !== 0 || !this.#fast(batch, i)) {
      this.#writer.length = from;
      this.#slow(batch, i);
    }
    if (this.#options.clientName !== undefined) this.#clientName(batch, i);
  }

  /** The name goes in front of the bracket that closes the row. */
  #clientName(batch: TransactionBatch, i: number): void {
    const { family, client0, client1, client2, client3 } = batch.col;
    const name = this.#options.clientName?.(family[i], [client0[i], client1[i], client2[i], client3[i]]);
    if (name === undefined) return;
    this.#writer.length--;
    this.#writer.text(`,"client_name":${JSON.stringify(safeText(name))}}`);
  }

  #slow(batch: TransactionBatch, i: number): void {
    const { sensor, registrable, marks } = this.#options;
    const interfaceName = shownInterface(this.#options, batch.col.interfaceId[i]);
    const rules = marks?.[batch.col.mark[i]];
    const value = transactionValue(batch, i, { interfaceName, sensor, registrableDomain: registrable, rules });
    this.#writer.text(JSON.stringify(value));
  }

  /** False when the row is one for the reference; what was written is then to be dropped. */
  #fast(batch: TransactionBatch, i: number): boolean {
    const c = batch.col;
    const protocol = c.protocol[i];
    if (protocol === NBNS || c.openNanos[i] > 999_999_999) return false;
    if (batch !== this.#batch) {
      this.#batch = batch;
      this.#frames = new Float64Array(batch.buffer, 0, batch.buffer.byteLength >>> 3);
    }
    const query = this.#query;
    const response = this.#response;
    const asked = c.queryLength[i] > 0;
    const answered = c.responseLength[i] > 0;
    if (asked) query.read(batch.arena, c.queryAt[i], c.queryLength[i], Math.max(c.queryBytes[i], c.queryLength[i]));
    if (answered) {
      const claimed = Math.max(c.responseBytes[i], c.responseLength[i]);
      response.read(batch.arena, c.responseAt[i], c.responseLength[i], claimed);
    }
    const first = asked && query.questions > 0 ? query : answered ? response : query;
    this.#records.begin();
    this.#writer.room(ROW_ROOM + 20 * (c.queryFrames[i] + c.responseFrames[i]));
    this.#head(batch, i, answered ? response.flags : asked ? query.flags : 0);
    const hasQuestion = (asked || answered) && first.questions > 0;
    if (hasQuestion) this.#question(first, protocol);
    if (!this.#columns(batch, i)) return false;
    if (answered && !this.#sections(response, hasQuestion ? first : undefined, protocol)) return false;
    this.#edns(asked ? query : undefined, answered ? response : undefined);
    this.#writer.byte(0x7d);
    // The names of the records may cost this much before the reference leaves any out.
    return !answered || this.#records.work <= 24 * (response.end - response.start);
  }

  /** Who, when and how. Room has been made. */
  #head(batch: TransactionBatch, i: number, flags: number): void {
    const c = batch.col;
    const w = this.#writer;
    const { bytes: out, words } = w;
    let at = w.length;
    if (c.openSeconds[i] !== this.#seconds) {
      this.#seconds = c.openSeconds[i];
      this.#second = chunk(`{"time":"${timeText(this.#seconds, 0).slice(0, -10)}`);
    }
    at = putNine(words, put(words, at, this.#second), c.openNanos[i]);
    at = put(words, at, CLIENT);
    const ipv4 = c.family[i] === 4;
    at = ipv4
      ? putIpv4(out, words, at, c.client3[i])
      : putIpv6(out, words, at, c.client0[i], c.client1[i], c.client2[i], c.client3[i]);
    at = putUint(words, put(words, at, CLIENT_PORT), c.clientPort[i]);
    at = put(words, at, SERVER);
    at = ipv4
      ? putIpv4(out, words, at, c.server3[i])
      : putIpv6(out, words, at, c.server0[i], c.server1[i], c.server2[i], c.server3[i]);
    at = putUint(words, put(words, at, SERVER_PORT), c.serverPort[i]);
    at = put(words, at, this.#ways.get(c.transport[i], c.leg[i]));
    at = putUint(words, at, c.id[i]);
    const rest = c.opcode[i] | (c.protocol[i] << 4) | (c.role[i] << 8) | (c.outcome[i] << 12);
    at = put(words, at, this.#headers.get(flags, rest));
    if (c.queries[i] === 1 && c.responses[i] === 1 && c.duplicates[i] === 0 && c.late[i] === 0) {
      at = put(words, at, ONE_EACH);
    } else {
      at = putUint(words, at, c.queries[i]);
      at = putUint(words, put(words, at, RESPONSES), c.responses[i]);
      at = putUint(words, put(words, at, DUPLICATES), c.duplicates[i]);
      at = putUint(words, put(words, at, LATE), c.late[i]);
      at = put(words, at, FRAMES);
    }
    const frame = (batch.arena.byteOffset + c.framesAt[i]) >>> 3;
    at = this.#frameNumbers(out, words, at, frame, c.queryFrames[i]);
    at = put(words, at, RESPONSE_FRAMES);
    at = this.#frameNumbers(out, words, at, frame + c.queryFrames[i], c.responseFrames[i]);
    at = put(words, at, TRANSACTION);
    w.length = this.#id(out, words, at, c.idHigh[i], c.idLow[i]);
    if (c.protocol[i] !== DNS) w.ascii(`,"protocol":"${PROTOCOL_NAMES[c.protocol[i]]}"`);
    const on = this.#interface(c.interfaceId[i]);
    if (on !== undefined) this.#put(on);
    if (this.#sensor !== undefined) this.#put(this.#sensor);
    if (c.vlan[i] !== NO_VLAN) w.ascii(`,"vlan":${c.vlan[i]}`);
  }

  #put(text: Chunk): void {
    const w = this.#writer;
    w.room(text.length + ROW_ROOM);
    w.length = put(w.words, w.length, text);
  }

  #interface(id: number): Chunk | undefined {
    const name = shownInterface(this.#options, id);
    if (name === undefined) return undefined;
    return (this.#interfaces[id] ??= chunk(`,"interface":${JSON.stringify(name)}`));
  }

  #frameNumbers(out: Uint8Array, words: DataView, at: number, from: number, count: number): number {
    const frames = this.#frames;
    for (let k = 0; k < count; k++) {
      if (k > 0) out[at++] = 0x2c;
      at = putUint(words, at, frames[from + k]);
    }
    return at;
  }

  /** A 64-bit id and its closing quote; nothing but the quote for 0. */
  #id(out: Uint8Array, words: DataView, at: number, high: number, low: number): number {
    if ((high | low) !== 0) at = putHex32(words, putHex32(words, at, high), low);
    out[at] = 0x22;
    return at + 1;
  }

  #question(view: MessageView, protocol: number): void {
    const w = this.#writer;
    w.room(ROW_ROOM);
    const { bytes: out, words } = w;
    let at = put(words, w.length, NAME);
    at = putName(out, at, view.bytes, view.questionName[0], view.start);
    at = put(words, at, this.#kinds.get(view.questionType[0] | (view.questionClass[0] << 16), protocol));
    w.length = at;
    if (this.#registrable !== undefined) this.#put(this.#registrable.get(view));
  }

  /** What columns alone say; false when a number is beyond what is written here. */
  #columns(batch: TransactionBatch, i: number): boolean {
    const c = batch.col;
    const w = this.#writer;
    w.room(ROW_ROOM);
    const { bytes: out, words } = w;
    let at = put(words, w.length, this.#results.get(c.rcode[i], c.answerKind[i]));
    const latency = batch.latencyNanos(i);
    // Not NaN: there is one.
    if (latency === latency) {
      const last = batch.latencyNanos(i, true);
      if (Math.abs(latency) > 1e15 || Math.abs(last) > 1e15) return false;
      at = putMillis(out, words, put(words, at, LATENCY), latency);
      at = putMillis(out, words, put(words, at, LATENCY_LAST), last);
    }
    const setup = c.setupNanos[i];
    if (c.transport[i] === TCP && setup === setup) {
      if (Math.abs(setup) > 1e15) return false;
      at = putMillis(out, words, put(words, at, TCP_SETUP), setup);
    }
    if (c.queryBytes[i] > 0) at = putUint(words, put(words, at, QUERY_BYTES), c.queryBytes[i]);
    if (c.responseBytes[i] > 0) at = putUint(words, put(words, at, RESPONSE_BYTES), c.responseBytes[i]);
    if ((c.retryHigh[i] | c.retryLow[i]) !== 0) {
      at = this.#id(out, words, put(words, at, RETRY), c.retryHigh[i], c.retryLow[i]);
    }
    if ((c.parentHigh[i] | c.parentLow[i]) !== 0) {
      at = this.#id(out, words, put(words, at, PARENT), c.parentHigh[i], c.parentLow[i]);
    }
    w.length = at;
    if (c.fault[i] !== 0) {
      w.ascii(`,"fault":{"cause":"${FAULTS[c.fault[i]]}"`);
      w.room(64);
      w.length = putUint(w.words, put(w.words, w.length, FAULT_AT), c.faultAt[i]);
      w.ascii(`,"in":"${FAULT_PLACES[c.faultIn[i]]}"}`);
    }
    return true;
  }

  /** All records by section, and what follows from the answers; false when aliases are for the reference. */
  #sections(view: MessageView, asked: MessageView | undefined, protocol: number): boolean {
    const w = this.#writer;
    const { section, type, records, opt } = view;
    let open = ANSWER;
    let count = 0;
    let ttl = -1;
    let addresses = 0;
    this.#aliasCount = 0;
    this.#put(SECTIONS[0]);
    for (let i = 0; i < records; i++) {
      if (i === opt) continue;
      while (open < section[i]) {
        w.byte(0x5d);
        this.#put(SECTIONS[open++]);
        count = 0;
      }
      if (count++ > 0) w.byte(0x2c);
      this.#records.record(view, i, protocol);
      if (open !== ANSWER) continue;
      // Empty rdata has a meaning in UPDATE.
      if (view.rdlength[i] === 0) return false;
      const seconds = view.ttl[i] > 0x7fffffff ? 0 : view.ttl[i];
      if (ttl < 0 || seconds < ttl) ttl = seconds;
      if (type[i] === TYPE_A || type[i] === TYPE_AAAA) addresses++;
      else if (type[i] === TYPE_DNAME) return false;
      else if (type[i] === TYPE_CNAME) {
        if (this.#aliasCount === MAX_ALIASES) return false;
        this.#aliases[this.#aliasCount++] = i;
      }
    }
    w.room(256);
    if (open === ANSWER) w.length = put(w.words, w.length, NO_AUTHORITY_OR_MORE);
    else {
      w.byte(0x5d);
      for (; open < ADDITIONAL; open++) {
        this.#put(SECTIONS[open]);
        w.byte(0x5d);
      }
    }
    if (ttl < 0) return true;
    w.room(64);
    w.length = putUint(w.words, put(w.words, w.length, TTL_MIN), ttl);
    if (asked !== undefined && addresses + this.#aliasCount > 0) this.#ends(view, asked, addresses);
    return true;
  }

  /** The chain of aliases from the name asked, and the addresses at its end. */
  #ends(view: MessageView, asked: MessageView, addresses: number): void {
    const { bytes, start, owner, rdata } = view;
    let from = asked.bytes;
    let fromStart = asked.start;
    let name = asked.questionName[0];
    let length = 0;
    for (;;) {
      const next = this.#alias(view, from, name, fromStart);
      if (next < 0 || this.#isInChain(view, length, rdata[next])) break;
      this.#chain[length++] = next;
      from = bytes;
      fromStart = start;
      name = rdata[next];
    }
    const w = this.#writer;
    for (let k = 0; k < length; k++) {
      w.room(NAME_ROOM + 64);
      const at = put(w.words, w.length, k === 0 ? CNAMES : NEXT_TEXT);
      w.length = putName(w.bytes, at, bytes, rdata[this.#chain[k]], start);
    }
    if (length > 0) w.length = put(w.words, w.length, END_TEXTS);
    if (addresses === 0) return;
    let count = 0;
    for (let i = 0; i < view.records && view.section[i] === ANSWER; i++) {
      const size = view.type[i] === TYPE_A ? 4 : view.type[i] === TYPE_AAAA ? 16 : -1;
      if (view.rdlength[i] !== size || !equalNames(bytes, owner[i], start, from, name, fromStart)) continue;
      w.room(128);
      const at = put(w.words, w.length, count++ === 0 ? ADDRESSES : NEXT_TEXT);
      w.length = this.#records.address(view, i, at);
    }
    if (count > 0) {
      w.room(16);
      w.length = put(w.words, w.length, END_TEXTS);
    }
  }

  /** The first CNAME of a name whose target is sound: its record; −1 without. */
  #alias(view: MessageView, bytes: Uint8Array, name: number, start: number): number {
    for (let k = 0; k < this.#aliasCount; k++) {
      const i = this.#aliases[k];
      const end = view.rdata[i] + view.rdlength[i];
      if (!equalNames(view.bytes, view.owner[i], view.start, bytes, name, start)) continue;
      if (skipName(view.bytes, view.rdata[i], view.start, end) === end) return i;
    }
    return -1;
  }

  #isInChain(view: MessageView, length: number, target: number): boolean {
    const { bytes, start, rdata } = view;
    for (let k = 0; k < length; k++) {
      if (equalNames(bytes, rdata[this.#chain[k]], start, bytes, target, start)) return true;
    }
    return false;
  }

  #edns(query: MessageView | undefined, response: MessageView | undefined): void {
    const asked = query !== undefined && query.opt >= 0;
    const answered = response !== undefined && response.opt >= 0;
    if (!asked && !answered) return;
    const w = this.#writer;
    this.#put(EDNS);
    let ecs = false;
    let ede = false;
    if (asked) ecs = (this.#opt(query, EDNS_QUERY) & 1) !== 0;
    if (asked && answered) w.byte(0x2c);
    if (answered) {
      const found = this.#opt(response, EDNS_RESPONSE);
      ecs ||= (found & 1) !== 0;
      ede = (found & 2) !== 0;
    }
    w.byte(0x7d);
    const errors = ede && response !== undefined ? edeValues(response) : [];
    if (errors.length > 0) w.text(`,"ede":${JSON.stringify(errors)}`);
    if (!ecs) return;
    const subnet = (answered ? ecsValue(response) : undefined) ?? (asked ? ecsValue(query) : undefined);
    if (subnet !== undefined) w.text(`,"ecs":${JSON.stringify(subnet)}`);
  }

  /** An OPT record; bit 0: it has a client subnet, bit 1: extended errors. */
  #opt(view: MessageView, open: Chunk): number {
    const w = this.#writer;
    w.room(512);
    const { opt } = view;
    const ttl = view.ttl[opt];
    const at = putUint(w.words, put(w.words, w.length, open), view.class[opt]);
    w.length = put(w.words, at, this.#ednsHeads.get((ttl >>> 16) & 255, ttl & EDNS_DO));
    let found = 0;
    const cursor = this.#cursor.open(view);
    for (let count = 0; cursor.next(); count++) {
      if (count > 0) w.byte(0x2c);
      if (cursor.code === ECS.code) found |= 1;
      else if (cursor.code === EDE.code) found |= 2;
      this.#option(view);
    }
    w.byte(0x5d);
    const rare = ttl & ~(EDNS_DO | 0xff0000);
    if (rare !== 0) w.ascii(rareEdns(rare));
    w.byte(0x7d);
    return found;
  }

  #option(view: MessageView): void {
    const w = this.#writer;
    const { code, at, length } = this.#cursor;
    if (code === OPTION_COOKIE && (length === 8 || (length >= 16 && length <= 40))) {
      w.room(256);
      const from = putHex(w.words, put(w.words, w.length, COOKIE), view.bytes, at, length);
      w.length = put(w.words, from, END_OPTION);
      return;
    }
    const data = JSON.stringify(optionText(code, view.bytes, at, length));
    w.text(`{"code":${code},"name":${JSON.stringify(OPTIONS.name(code))},"data":${data}}`);
  }
}

/** The flags of EDNS besides DO, and the upper bits of the response code. */
function rareEdns(ttl: number): string {
  const z = ttl & 0xffff & ~(EDNS_CO | EDNS_DE);
  return [
    (ttl & EDNS_CO) !== 0 ? ',"co":true' : '',
    (ttl & EDNS_DE) !== 0 ? ',"de":true' : '',
    z !== 0 ? `,"z":${z}` : '',
    ttl >>> 24 !== 0 ? `,"ext_rcode":${ttl >>> 24}` : '',
  ].join('');
}
