import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { addressWords } from '../core/network.ts';
import { UserError } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { CLASSES, TYPES } from '../wire/iana.ts';
import type { EdnsRequest, Question } from './question.ts';
import { parseServer, type ServerText, type TransportName } from './server.ts';
import { plusOption } from './words-plus.ts';

export type OutputName = 'pretty' | 'dig' | 'short' | 'json' | 'dns-json' | 'yaml';

/** What dig's words ask for. */
export interface QueryWords {
  servers: ServerText[];
  questions: Question[];
  transport: TransportName;
  port: number | undefined;
  path: string | undefined;
  httpGet: boolean;
  recursionDesired: boolean;
  /** Header flags of `aa ad cd z`. */
  flags: Set<string>;
  edns: EdnsRequest | null;
  timeoutMs: number | undefined;
  tries: number | undefined;
  fallbackToTcp: boolean;
  ednsFallback: boolean;
  caseRandom: boolean;
  opcode: string | undefined;
  useSearch: boolean;
  /** Ask for names nobody has, too. */
  checkRewriting: boolean;
  trace: boolean;
  allServers: boolean;
  tls: { verify: boolean; ca?: string; name?: string; pin?: string };
  /** IXFR: what is known already. */
  serial: number | undefined;
  output: OutputName | undefined;
  show: ShowParts;
  /** 4 or 6 where only one family may be used. */
  family: 4 | 6 | undefined;
}

/** Parts of dig's text. */
export interface ShowParts {
  cmd: boolean;
  comments: boolean;
  question: boolean;
  answer: boolean;
  authority: boolean;
  additional: boolean;
  stats: boolean;
}

const ALL_PARTS: ShowParts = {
  cmd: true,
  comments: true,
  question: true,
  answer: true,
  authority: true,
  additional: true,
  stats: true,
};

/** Nothing said yet: what dig does without options. */
export function noWords(): QueryWords {
  return {
    servers: [],
    questions: [],
    transport: 'udp',
    port: undefined,
    path: undefined,
    httpGet: false,
    recursionDesired: true,
    flags: new Set(['ad']),
    edns: { cookie: true },
    timeoutMs: undefined,
    tries: undefined,
    fallbackToTcp: true,
    ednsFallback: true,
    caseRandom: false,
    opcode: undefined,
    useSearch: false,
    checkRewriting: false,
    trace: false,
    allServers: false,
    tls: { verify: true },
    serial: undefined,
    output: undefined,
    show: { ...ALL_PARTS },
    family: undefined,
  };
}

/** Names and options that came as options of the command, not as words. */
export interface GivenWords {
  names?: readonly string[];
  types?: readonly string[];
  reverse?: readonly string[];
  class?: string | undefined;
}

/**
 * Reads dig's words in any order: `@SERVER`, `+OPTION`, a type, a class, and else names. Several names or types are asked
 * one after another; no name is the root's NS. Throws `UserError` for an option nobody knows.
 */
export function readWords(words: readonly string[], given: GivenWords = {}, into: QueryWords = noWords()): QueryWords {
  const names = [...(given.names ?? [])];
  const types = (given.types ?? []).map((type) => typeWord(type, into) ?? unknownType(type));
  let questionClass = given.class === undefined ? undefined : classOf(given.class);
  for (const word of words) {
    if (word.startsWith('@')) into.servers.push(parseServer(word.slice(1)));
    else if (word.startsWith('+')) plusOption(word.slice(1), into);
    else {
      const type = typeWord(word, into);
      if (type !== undefined) types.push(type);
      else if (/^(?:IN|CH|HS|CHAOS|CLASS\d+)$/i.test(word)) questionClass = classOf(word);
      else names.push(word);
    }
  }
  const scheme = into.servers.find(({ transport }) => transport !== undefined)?.transport;
  if (scheme !== undefined) into.transport = scheme;
  const common = questionClass === undefined ? {} : { class: questionClass };
  for (const address of given.reverse ?? []) {
    for (const type of types.length > 0 ? types : ['PTR'])
      into.questions.push({ name: reverseName(address), type, ...common });
  }
  if (names.length === 0 && into.questions.length === 0) names.push('.');
  const otherwise = names[0] === '.' && names.length === 1 ? 'NS' : 'A';
  for (const name of names) {
    for (const type of types.length > 0 ? types : [otherwise])
      into.questions.push({ name: asciiName(name), type, ...common });
  }
  return into;
}

/** A type's mnemonic, `TYPEn`, or `IXFR=serial`; undefined when the word is none (plain digits are a name). */
function typeWord(word: string, into: QueryWords): string | undefined {
  const transfer = /^IXFR=(\d{1,10})$/i.exec(word);
  if (transfer !== null) {
    into.serial = Number(transfer[1]) >>> 0;
    return 'IXFR';
  }
  if (/^IXFR=/i.test(word)) throw new UserError(`'${plainText(word)}': IXFR wants a serial, such as IXFR=2026112501.`);
  if (!/^[A-Z*][A-Z0-9*-]*$/i.test(word)) return undefined;
  const number = TYPES.number(word);
  return number < 0 ? undefined : TYPES.name(number);
}

function unknownType(word: string): never {
  throw new UserError(`'${plainText(word)}' is not an RR type. Write a mnemonic such as AAAA, or TYPE65280.`);
}

function classOf(word: string): string {
  const number = CLASSES.number(word.toUpperCase() === 'CHAOS' ? 'CH' : word);
  if (number < 0) throw new UserError(`'${plainText(word)}' is not a class: IN, CH and HS are.`);
  return CLASSES.name(number);
}

/** Name under which an address has its PTR (RFC 1035 §3.5, RFC 3596 §2.5); other text stays a name, as in dig. */
export function reverseName(text: string): string {
  const family = isIP(text);
  if (family === 0) {
    const partial = /^\d{1,3}(?:\.\d{1,3}){0,2}$/.test(text);
    return partial ? `${text.split('.').reverse().join('.')}.in-addr.arpa` : text;
  }
  if (family === 4) return `${text.split('.').reverse().join('.')}.in-addr.arpa`;
  const hex = addressWords(6, text).map((word) => (word >>> 0).toString(16).padStart(8, '0'));
  return `${hex.join('').split('').reverse().join('.')}.ip6.arpa`;
}

/** A name as it is asked: international labels in their ASCII form (RFC 5891); what has none stays as it is. */
function asciiName(name: string): string {
  if (/^[\x00-\x7f]*$/.test(name)) return name;
  const ascii = domainToASCII(name);
  return ascii === '' ? name : ascii;
}
