import type { Carrier } from '../core/carrier.ts';
import { UserError } from '../core/errors.ts';
import type { MessageSource } from '../core/messages.ts';
import { encodeMessage, type MessageInput, type RecordInput } from '../rr/encode.ts';
import { CLASSES, RCODES, TYPES } from '../wire/iana.ts';
import { type Decoding, MessageListener, type SenderProtocol, type SenderStream, type TlsFiles } from './listener.ts';
import { ProtobufReader } from './protobuf.ts';
import { QueryMemory } from './query-memory.ts';
import { TapCarrier, type TapEnds } from './tap-carrier.ts';

/** Where PowerDNS comes to, as plain data: a TCP port, of which recursor and dnsdist are told as a logger of protobuf. */
export interface PowerDnsInput {
  kind: 'powerdns';
  host?: string | undefined;
  port: number;
  tls?: TlsFiles | undefined;
}

/** Listens for any number of recursors and dnsdists. Throws UserError (exit code 2). */
export async function openPowerDns({ host, port, tls }: PowerDnsInput): Promise<MessageSource> {
  const where = { kind: 'tcp' as const, port, ...(host !== undefined && { host }), ...(tls !== undefined && { tls }) };
  return MessageListener.open(where, POWERDNS);
}

const POWERDNS: SenderProtocol = { name: 'PowerDNS', begin: (deliver) => new PowerDnsDecoder(deliver) };

/** Records of a response that are read; there are a few. */
const MAX_RECORDS = 512;
const A = 1;
const MX = 15;
const AAAA = 28;
const SRV = 33;
/** Kinds of messages, as dnstap numbers them: client's query and response, resolver's query and response. */
const TAP_TYPES = [0, 5, 6, 3, 4];

/** A message of `dnsmessage.proto`, which names the client first, in queries and in responses. */
interface Fields extends TapEnds {
  type: number;
  id: number;
  seconds: number;
  nanos: number;
  identity: string;
  question: { name: string; type: number; class: number };
  response: Response | null;
}

interface Response {
  rcode: number;
  records: RecordInput[];
  seconds: number;
  nanos: number;
}

/**
 * Turns the messages of PowerDNS into DNS messages. They hold no octets of the wire: header, question and the records that
 * the sender exports are written again. A response that tells when its query came yields that query first, unless it was
 * seen.
 */
class PowerDnsDecoder implements Decoding {
  unreadable = 0;
  readonly #tap: TapCarrier;
  readonly #queries = new QueryMemory();
  readonly #outer = new ProtobufReader();
  readonly #inner = new ProtobufReader();
  readonly #record = new ProtobufReader();

  constructor(deliver: (carrier: Carrier) => void) {
    this.#tap = new TapCarrier(deliver);
  }

  stream(): SenderStream {
    return new PowerDnsStream((bytes, at, length) => this.decode(bytes, at, length));
  }

  /** Takes a message; false when it makes no sense. */
  decode(bytes: Uint8Array, at: number, length: number): boolean {
    const fields = this.#read(bytes, at, at + length);
    const isRead = fields !== null && this.#messages(bytes, fields);
    if (!isRead) this.unreadable++;
    return isRead;
  }

  #messages(bytes: Uint8Array, f: Fields): boolean {
    const { response, question } = f;
    const isClient = f.type <= 2;
    const shared: MessageInput = { id: f.id, questions: [questionOf(question)] };
    const query = encoded({ ...shared, flags: isClient ? ['rd'] : [] });
    if (query === null) return false;
    const { carrier } = this.#tap;
    carrier.interfaceId = this.#tap.interfaceOf(f.identity, 'PowerDNS');
    carrier.tapType = TAP_TYPES[f.type];
    if (f.type % 2 === 1) {
      this.#tap.address(bytes, f, false);
      this.#queries.remember(carrier, query, 0, query.length);
      this.#tap.send(query, 0, query.length, f.seconds, f.nanos);
      return true;
    }
    if (response !== null && response.seconds >= 0) {
      this.#tap.address(bytes, f, false);
      if (!this.#queries.forget(carrier, query, 0, query.length))
        this.#tap.send(query, 0, query.length, response.seconds, response.nanos);
    }
    // The recursor tells of a server that did not answer with a code that is none.
    if (response !== null && response.rcode > 0xfff) return true;
    const flags = isClient ? ['qr', 'rd', 'ra'] : ['qr'];
    const answer = answered({ ...shared, flags }, response);
    if (answer === null) return false;
    this.#tap.address(bytes, f, true);
    this.#tap.send(answer, 0, answer.length, f.seconds, f.nanos);
    return true;
  }

  #read(bytes: Uint8Array, at: number, end: number): Fields | null {
    const r = this.#outer;
    const f = noFields();
    r.start(bytes, at, end);
    let isSound = true;
    while (r.next()) {
      switch (r.field) {
        case 1:
          f.type = r.value;
          break;
        case 3:
          f.identity = text(bytes, r.at, Math.min(r.length, 255));
          break;
        case 5:
          f.protocol = r.value;
          break;
        case 6:
          f.queryAddressAt = r.at;
          f.queryAddressLength = r.length;
          break;
        case 7:
          f.responseAddressAt = r.at;
          f.responseAddressLength = r.length;
          break;
        case 9:
          f.seconds = r.value;
          break;
        case 10:
          f.nanos = 1000 * r.value;
          break;
        case 11:
          f.id = r.value & 0xffff;
          break;
        case 12:
          isSound &&= this.#question(bytes, r.at, r.at + r.length, f.question);
          break;
        case 13:
          f.response = this.#response(bytes, r.at, r.at + r.length);
          isSound &&= f.response !== null;
          break;
        case 20:
          f.queryPort = r.value & 0xffff;
          break;
        case 21:
          f.responsePort = r.value & 0xffff;
          break;
      }
    }
    return r.isBroken || !isSound || f.type < 1 || f.type > 4 || f.question.name === '' ? null : f;
  }

  #question(bytes: Uint8Array, at: number, end: number, question: Fields['question']): boolean {
    const r = this.#inner;
    r.start(bytes, at, end);
    while (r.next()) {
      if (r.field === 1) question.name = nameOf(text(bytes, r.at, r.length));
      else if (r.field === 2) question.type = r.value & 0xffff;
      else if (r.field === 3) question.class = r.value & 0xffff;
    }
    return !r.isBroken;
  }

  #response(bytes: Uint8Array, at: number, end: number): Response | null {
    const r = this.#inner;
    const response: Response = { rcode: 0, records: [], seconds: -1, nanos: 0 };
    r.start(bytes, at, end);
    while (r.next()) {
      if (r.field === 1) response.rcode = r.value;
      else if (r.field === 5) response.seconds = r.value;
      else if (r.field === 6) response.nanos = 1000 * r.value;
      else if (r.field === 2 && response.records.length < MAX_RECORDS) {
        const record = this.#rr(bytes, r.at, r.at + r.length);
        if (record === null) return null;
        response.records.push(record);
      }
    }
    return r.isBroken ? null : response;
  }

  #rr(bytes: Uint8Array, at: number, end: number): RecordInput | null {
    const r = this.#record;
    const record = { name: '.', type: 0, class: 1, ttl: 0, dataAt: -1, dataLength: 0 };
    r.start(bytes, at, end);
    while (r.next()) {
      if (r.field === 1) record.name = nameOf(text(bytes, r.at, r.length));
      else if (r.field === 2) record.type = r.value & 0xffff;
      else if (r.field === 3) record.class = r.value & 0xffff;
      else if (r.field === 4) record.ttl = r.value % 2 ** 32;
      else if (r.field === 5) {
        record.dataAt = r.at;
        record.dataLength = r.length;
      }
    }
    if (r.isBroken || record.dataAt < 0) return null;
    return {
      name: record.name,
      type: TYPES.name(record.type),
      class: CLASSES.name(record.class),
      ttl: record.ttl,
      data: dataOf(record.type, bytes.subarray(record.dataAt, record.dataAt + record.dataLength)),
    };
  }
}

/** Messages, each with its length in front (16 bits, network order). */
class PowerDnsStream implements SenderStream {
  /** A sender connects when it starts, and may have nothing to say for long. */
  readonly hasBegun = true;
  readonly isOver = false;
  reason = '';
  offset = 0;
  readonly #decode: (bytes: Uint8Array, at: number, length: number) => boolean;
  #rest = new Uint8Array(0);

  constructor(decode: (bytes: Uint8Array, at: number, length: number) => boolean) {
    this.#decode = decode;
  }

  get isWhole(): boolean {
    return this.#rest.length === 0;
  }

  push(more: Uint8Array): boolean {
    const bytes = this.#rest.length === 0 ? more : Buffer.concat([this.#rest, more]);
    let at = 0;
    while (bytes.length - at >= 2) {
      const length = (bytes[at] << 8) | bytes[at + 1];
      if (bytes.length - at < 2 + length) break;
      const isSound = this.#decode(bytes, at + 2, length);
      // Later ones may be of a kind that is not known; who begins so speaks something else.
      if (!isSound && this.offset === 0) {
        this.reason = 'the stream holds something else than messages of PowerDNS';
        return false;
      }
      at += 2 + length;
      this.offset += 2 + length;
    }
    this.#rest = bytes.slice(at);
    return true;
  }

  missing(): string {
    return this.isWhole ? '' : 'the stream ends within a message';
  }
}

function noFields(): Fields {
  return {
    type: 0,
    protocol: 1,
    id: 0,
    seconds: -1,
    nanos: 0,
    queryAddressAt: -1,
    queryAddressLength: 0,
    responseAddressAt: -1,
    responseAddressLength: 0,
    queryPort: 0,
    responsePort: 0,
    identity: '',
    question: { name: '', type: 0, class: 1 },
    response: null,
  };
}

const utf8 = new TextDecoder();

function text(bytes: Uint8Array, at: number, length: number): string {
  return utf8.decode(bytes.subarray(at, at + length));
}

/** PowerDNS ends names with a dot. */
function nameOf(written: string): string {
  return written.length > 1 ? written.replace(/(?<!\\)\.$/, '') : written;
}

function questionOf({ name, type, class: number }: Fields['question']): { name: string; type: string; class: string } {
  return { name, type: TYPES.name(type), class: CLASSES.name(number) };
}

/** Addresses come as octets, the rest as text; of MX and SRV only the name. */
function dataOf(type: number, data: Uint8Array): string {
  if ((type === A && data.length === 4) || (type === AAAA && data.length === 16)) return addressOf(data);
  const written = text(data, 0, data.length);
  if (type === MX && !written.includes(' ')) return `0 ${written}`;
  if (type === SRV && !written.includes(' ')) return `0 0 0 ${written}`;
  return written;
}

function addressOf(data: Uint8Array): string {
  if (data.length === 4) return data.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => ((data[2 * i] << 8) | data[2 * i + 1]).toString(16));
  return groups.join(':');
}

/** A response with the records that can be written; null when not even its question can. */
function answered(shared: MessageInput, response: Response | null): Uint8Array | null {
  const { rcode = 0, records = [] } = response ?? {};
  const message = { ...shared, rcode: RCODES.name(rcode), ...(rcode > 15 && { edns: {} }) };
  return (
    encoded({ ...message, answers: records }) ??
    encoded({ ...message, answers: records.filter((record) => encoded({ answers: [record] }) !== null) })
  );
}

/** Null for what cannot be written: a name that is too long, data that is none. */
function encoded(message: MessageInput): Uint8Array | null {
  try {
    return encodeMessage(message);
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}
