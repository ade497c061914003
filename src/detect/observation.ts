import { type Evidence } from '../core/alert.ts';
import { DNS } from '../core/carrier.ts';
import { ANSWER_KINDS, idText, NO_KIND, NO_RCODE, OUTCOMES, type TransactionBatch } from '../core/transactions.ts';
import { typeName } from '../rr/registry.ts';
import { MessageView } from '../wire/message.ts';
import { copyName, nameText } from '../wire/name.ts';
import { AnswerAddresses } from '../baseline/answers.ts';
import { type Domain, type Entities, Host } from './entities.ts';

export const ANSWERED = OUTCOMES.indexOf('answered');
const UNANSWERED = OUTCOMES.indexOf('unanswered');
export const ORPHAN = OUTCOMES.indexOf('orphan');
const UNREACHABLE = OUTCOMES.indexOf('unreachable');
export const DATA = ANSWER_KINDS.indexOf('data');
export const NODATA = ANSWER_KINDS.indexOf('nodata');
export const NXDOMAIN = ANSWER_KINDS.indexOf('nxdomain');
export const ERROR = ANSWER_KINDS.indexOf('error');

/** Whether a query stayed without a response. */
export function isUnanswered(outcome: number): boolean {
  return outcome === UNANSWERED || outcome === UNREACHABLE;
}

/** Octets of a message's header. */
export const HEADER = 12;

/** A transaction as detectors see it: one instance, filled again for every row; whoever keeps something copies it. */
export class Observation {
  batch: TransactionBatch;
  row = 0;
  /** Grows with every row: whoever remembers something about it can tell that it is another one. */
  serial = 0;
  /** Seconds since 1970: of the query (orphan: of the response), and of the packet that closed the row. */
  time = 0;
  closed = 0;
  client: Host;
  server: Host;
  /** Registrable domain of the name; null where it has none, or there is no question. */
  domain: Domain | null = null;
  /** The name folded, in wire form, at the start of `name`; 0 long without a question. */
  readonly name: Uint8Array;
  readonly #words = new Int32Array(64);
  nameLength = 0;
  nameHash = 0;
  /** Not seen lately; a name that is not new here is new to nobody. */
  isNewName = false;
  /** Where the registrable domain begins in `name`; −1 without one. Characters of text in front of it, its dot not counted. */
  domainAt = -1;
  subLength = 0;
  type = 0;
  class = 0;
  opcode = 0;
  /** `DNS`, `MDNS` … */
  protocol = DNS;
  /** 17 or 6. */
  transport = 17;
  /** `NO_RCODE` without a response. */
  rcode = NO_RCODE;
  outcome = 0;
  /** `DATA` …, `NO_KIND` without a response. */
  kind = NO_KIND;
  /** Milliseconds from the first query copy to the response; NaN without. */
  latencyMs = Number.NaN;
  queryBytes = 0;
  responseBytes = 0;
  /** Flag bits of query and response (RFC 1035 §4.1.1); 0 without a whole header. */
  queryFlags = 0;
  responseFlags = 0;
  readonly #entities: Entities;
  readonly #response = new MessageView();
  readonly #query = new MessageView();
  readonly #answers = new AnswerAddresses();
  #answersOf = -1;
  #hasResponse = false;
  #hasQuery = false;
  #text: string | undefined;

  constructor(entities: Entities, batch: TransactionBatch) {
    this.#entities = entities;
    this.batch = batch;
    this.name = new Uint8Array(this.#words.buffer);
    this.client = new Host(4, 0, 0, 0, 0);
    this.server = this.client;
  }

  /** Takes row `i`. */
  take(batch: TransactionBatch, i: number): void {
    const c = batch.col;
    this.serial++;
    this.batch = batch;
    this.row = i;
    this.#hasResponse = false;
    this.#hasQuery = false;
    this.#text = undefined;
    const time = c.openSeconds[i] + c.openNanos[i] / 1e9;
    this.time = time;
    this.closed = (c.closeSeconds[i] % 2 ** 40) + c.closeNanos[i] / 1e9;
    const family = c.family[i];
    this.client = this.#entities.host(family, c.client0[i], c.client1[i], c.client2[i], c.client3[i]);
    this.server = this.#entities.host(family, c.server0[i], c.server1[i], c.server2[i], c.server3[i]);
    if (c.outcome[i] !== ORPHAN) this.client.queries++;
    this.type = c.type[i];
    this.class = c.class[i];
    this.opcode = c.opcode[i];
    this.protocol = c.protocol[i];
    this.transport = c.transport[i];
    this.rcode = c.rcode[i];
    this.outcome = c.outcome[i];
    this.kind = c.answerKind[i];
    this.latencyMs = batch.latencyNanos(i) / 1e6;
    this.queryBytes = c.queryBytes[i];
    this.responseBytes = c.responseBytes[i];
    this.queryFlags = flagsOf(batch.arena, c.queryAt[i], c.queryLength[i]);
    this.responseFlags = flagsOf(batch.arena, c.responseAt[i], c.responseLength[i]);
    this.nameHash = c.nameHash[i];
    this.domain = null;
    this.domainAt = -1;
    this.subLength = 0;
    this.isNewName = false;
    this.nameLength = this.#copyName(batch, i);
    if (this.nameLength === 0) return;
    const { name, nameLength: length } = this;
    for (let end = length; (end & 3) !== 0; end++) name[end] = 0;
    const entities = this.#entities;
    this.domain = entities.domain(name, this.#words, length, this.nameHash, time);
    this.domainAt = entities.domainAt;
    this.isNewName = entities.isNewName;
    if (this.domainAt > 0) this.subLength = this.domainAt - 1;
    if (this.outcome !== ORPHAN) this.domain?.noteClient(this.client, time);
  }

  /** The name is the first question's: behind the header of the query, or of the response where there is no query. */
  #copyName(batch: TransactionBatch, i: number): number {
    if (this.nameHash === 0) return 0;
    const c = batch.col;
    const at = c.queryLength[i] >= HEADER ? c.queryAt[i] : c.responseAt[i];
    // A row has this hash only where the first question was found to be sound: it stands right behind the header.
    return copyName(batch.arena, at + HEADER, at, this.name, 0, true);
  }

  /** The first response, read when it is first asked for; null without one. */
  get response(): MessageView | null {
    const c = this.batch.col;
    const i = this.row;
    if (c.responseLength[i] === 0) return null;
    if (!this.#hasResponse) {
      this.#hasResponse = true;
      const { responseAt, responseLength, responseBytes } = c;
      const claimed = Math.max(responseBytes[i], responseLength[i]);
      this.#response.read(this.batch.arena, responseAt[i], responseLength[i], claimed);
    }
    return this.#response;
  }

  /** The addresses of the response's answer section, read when they are first asked for; none without a response. */
  get answers(): AnswerAddresses {
    const answers = this.#answers;
    if (this.#answersOf !== this.serial) {
      this.#answersOf = this.serial;
      const { arena, col } = this.batch;
      answers.read(arena, col.responseAt[this.row], col.responseLength[this.row]);
    }
    return answers;
  }

  /** The first query; null without one. */
  get query(): MessageView | null {
    const c = this.batch.col;
    const i = this.row;
    if (c.queryLength[i] === 0) return null;
    if (!this.#hasQuery) {
      this.#hasQuery = true;
      const { queryAt, queryLength, queryBytes } = c;
      this.#query.read(this.batch.arena, queryAt[i], queryLength[i], Math.max(queryBytes[i], queryLength[i]));
    }
    return this.#query;
  }

  /** The name as escaped text; `.` for the root, empty without a question. */
  get nameText(): string {
    this.#text ??= this.nameLength === 0 ? '' : nameText(this.name, 0, 0);
    return this.#text;
  }

  /** 32 bits for what stands in front of the registrable domain (folded); 0 when nothing does. */
  get subHash(): number {
    return this.subLength === 0 ? 0 : this.nameHash;
  }

  /** This transaction, to be made evidence of when somebody asks. */
  keep(note?: string): Kept {
    return new Kept(this, note);
  }

  /** This transaction as evidence. */
  evidence(note?: string): Evidence {
    return this.keep(note).evidence();
  }
}

function flagsOf(arena: Uint8Array, at: number, length: number): number {
  return length < HEADER ? 0 : (arena[at + 2] << 8) | arena[at + 3];
}

/** What evidence is made of, copied from a transaction. */
export class Kept {
  readonly #idHigh: number;
  readonly #idLow: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly #client: Host;
  readonly #server: Host;
  readonly #name: Uint8Array | null;
  readonly #type: number;
  readonly #protocol: number;
  /** Frame numbers of query and response; 0 without. */
  readonly #queryFrame: number;
  readonly #responseFrame: number;
  readonly #note: string | undefined;

  constructor(seen: Observation, note: string | undefined) {
    const { batch, row, nameLength } = seen;
    this.#idHigh = batch.col.idHigh[row];
    this.#idLow = batch.col.idLow[row];
    this.time = seen.time;
    this.#client = seen.client;
    this.#server = seen.server;
    this.#name = nameLength === 0 ? null : seen.name.slice(0, nameLength);
    this.#type = seen.type;
    this.#protocol = seen.protocol;
    const { query, response } = batch.frames(row);
    this.#queryFrame = query[0] ?? 0;
    this.#responseFrame = response[0] ?? 0;
    this.#note = note;
  }

  evidence(): Evidence {
    const frames = [this.#queryFrame, this.#responseFrame].filter((number) => number > 0);
    const name = this.#name;
    return {
      transaction: idText(this.#idHigh, this.#idLow),
      time: this.time,
      client: this.#client.text,
      server: this.#server.text,
      ...(name !== null && { name: nameText(name, 0, 0), type: typeName(this.#type, this.#protocol) }),
      ...(frames.length > 0 && { frames }),
      ...(this.#note !== undefined && { note: this.#note }),
    };
  }
}
