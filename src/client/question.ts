import { randomBytes } from 'node:crypto';
import { addressWords } from '../core/network.ts';
import { addressText } from '../core/address.ts';
import { UserError } from '../core/errors.ts';
import { isIP } from 'node:net';
import { encodeMessage, type MessageInput } from '../rr/encode.ts';
import type { OptionData } from '../wire/edns.ts';
import { OPTIONS } from '../wire/iana.ts';
import { FOLD } from '../wire/name.ts';

/** What is asked: a name (RFC 1035 §5.1 text, a last dot may stand), a type as mnemonic or `TYPEn`, a class (IN). */
export interface Question {
  name: string;
  type: string;
  class?: string;
}

/** EDNS of a query (RFC 6891). Options given as text are as `optionText` shows them. */
export interface EdnsRequest {
  /** Bytes of UDP the answer may have; 1232 unless told. */
  size?: number;
  /** DNSSEC records are wanted (RFC 3225). */
  do?: boolean;
  version?: number;
  /** Other flag bits, as they are. */
  flags?: number;
  /** `true`: a cookie of our own, with the server's once it gave one (RFC 7873); text: these octets, hexadecimal. */
  cookie?: boolean | string;
  /** Client subnet, such as `192.0.2.0/24`; `0` or `0/0` asks that none be used (RFC 7871 §7.1.2). */
  subnet?: string;
  nsid?: boolean;
  /** Pads the query to a multiple of this many bytes (RFC 8467: 128); `true` is 128. */
  padding?: boolean | number;
  /** RFC 7314. */
  expire?: boolean;
  /** RFC 7828. */
  keepalive?: boolean;
  /** More options, by code. */
  options?: readonly { code: number; data: string }[];
}

/** Everything of a query but its id. */
export interface QueryForm {
  recursionDesired?: boolean;
  /** Header flags besides RD: of `aa ad cd z`. */
  flags?: readonly string[];
  edns?: EdnsRequest | null;
  /** QUERY unless told. */
  opcode?: string;
  /** Sections of NOTIFY (answers), UPDATE (answers, authority) and IXFR (authority). */
  sections?: Pick<MessageInput, 'answers' | 'authority' | 'additional'>;
}

/** Bytes a UDP answer may have, unless told: what passes everywhere without fragments (DNS flag day 2020). */
export const DEFAULT_UDP_SIZE = 1232;
const PADDING_BLOCK = 128;

/** A query's bytes. `cookie`: octets of the option, hexadecimal. Throws `UserError` for what cannot be asked. */
export function encodeQuery(question: Question, form: QueryForm, id: number, cookie?: string): Uint8Array {
  const edns = form.edns ?? null;
  const flags = [...(form.flags ?? []), ...(form.recursionDesired === false ? [] : ['rd'])];
  const message: MessageInput = {
    id,
    flags,
    ...(form.opcode !== undefined && { opcode: form.opcode }),
    questions: [{ name: question.name, type: question.type, class: question.class ?? 'IN' }],
    ...form.sections,
  };
  if (edns === null) return encodeMessage(message);
  const options = ednsOptions(edns, cookie);
  const value = {
    udp_size: edns.size ?? DEFAULT_UDP_SIZE,
    version: edns.version ?? 0,
    do: edns.do === true,
    ...(edns.flags !== undefined && { z: edns.flags }),
    options,
  };
  const block = edns.padding === true ? PADDING_BLOCK : (edns.padding ?? 0);
  if (block === false || block <= 0) return encodeMessage({ ...message, edns: value });
  // RFC 8467 §4.1: the whole message becomes a multiple of the block; the option's own header is four octets.
  const bare = encodeMessage({ ...message, edns: value }).length + 4;
  const pad = (block - (bare % block)) % block;
  return encodeMessage({ ...message, edns: { ...value, options: [...options, option(12, `0*${pad}`)] } });
}

function ednsOptions(edns: EdnsRequest, cookie: string | undefined): OptionData[] {
  const list: OptionData[] = [];
  if (edns.nsid === true) list.push(option(3, ''));
  if (edns.subnet !== undefined) list.push(option(8, subnetText(edns.subnet)));
  if (edns.expire === true) list.push(option(9, ''));
  const given = typeof edns.cookie === 'string' ? edns.cookie : cookie;
  if (given !== undefined) list.push(option(10, given));
  if (edns.keepalive === true) list.push(option(11, ''));
  for (const { code, data } of edns.options ?? []) list.push(option(code, data));
  return list;
}

function option(code: number, data: string): OptionData {
  return { code, name: OPTIONS.name(code), data };
}

/** A client subnet as its option's text: the bits behind the prefix are zero (RFC 7871 §6). Throws `UserError`. */
function subnetText(text: string): string {
  if (text === '0' || text === '0/0' || text === '0.0.0.0/0') return '0.0.0.0/0/0';
  const parts = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text);
  const family = parts === null ? 0 : isIP(parts[1]);
  const size = family === 4 ? 32 : 128;
  const bits = parts?.[2] === undefined ? size : Number(parts[2]);
  if (parts === null || family === 0 || bits > size) {
    throw new UserError(`'${text}' is not a client subnet. Write an address and a prefix, such as 192.0.2.0/24.`);
  }
  const words = addressWords(family === 4 ? 4 : 6, parts[1]).map((word, i) => {
    const kept = Math.max(0, Math.min(32, bits + (family === 4 ? 96 : 0) - i * 32));
    return kept === 0 ? 0 : (word & (kept === 32 ? -1 : ~(0xffffffff >>> kept))) >>> 0;
  });
  return `${addressText(family, words[0], words[1], words[2], words[3])}/${bits}/0`;
}

/** Gives the letters of the question's name random cases, in place (draft-vixie-dnsext-dns0x20). */
export function randomizeCase(query: Uint8Array): void {
  const random = randomBytes(256);
  for (let at = 12; query[at] !== 0; ) {
    const stop = at + query[at];
    while (at < stop) {
      at++;
      const c = FOLD[query[at]];
      if (c >= 97 && c <= 122) query[at] = (random[at & 255] & 1) === 0 ? c : c - 32;
    }
    at++;
  }
}

let ids = new Uint16Array(0);
let nextId = 0;

/** An id nobody can guess (RFC 5452 §9.2). */
export function randomId(): number {
  if (nextId === ids.length) {
    ids = new Uint16Array(randomBytes(2048).buffer.slice(0, 2048));
    nextId = 0;
  }
  return ids[nextId++];
}
