import { TYPE_A, TYPE_AAAA } from '../baseline/answers.ts';
import { DNS } from '../core/carrier.ts';
import { numberText, sizeText, spanText } from '../core/figures.ts';
import { group, size, whole } from '../core/settings.ts';
import { ANSWER, type MessageView } from '../wire/message.ts';
import { mix } from '../wire/name.ts';
import { detector } from './detector.ts';
import type { Domain } from './entities.ts';
import type { Records } from './generations.ts';
import type { Kept, Observation } from './observation.ts';
import { Distinct, secretHash } from './tunnel/distinct.ts';
import { Sliding } from './tunnel/sliding.ts';

const ATTACK = ['T1071.004'] as const;
const HOUR = 3600;
const DAY = 86_400;
const STEPS = 12;
const BYTES = 0;
const ANSWERS = 1;
const SHORT = 2;
const BITS = 3;
/** Sub-names that carry nothing out: with them, what comes down is all there is. */
const SHORT_NAME = 20;
const MOST_DOMAINS = 2048;
const MOST_EVIDENCE = 10;
const MOST_SIZE = 255;

const TYPE_CNAME = 5;
/** Types whose answers say what a zone is, in few and stable words, or that validators ask for. */
const ORDINARY = new Set([1, 2, 6, 12, 28, 35, 43, 46, 47, 48, 50, 59, 60, 64, 65, 257]);

class Answers {
  readonly sums = new Sliding(4, HOUR, STEPS);
  readonly evidence: Kept[] = [];
  names = new Distinct();
  day: number;
  firstSeen: number;
  count = 0;
  raised = 0;

  constructor(time: number) {
    this.day = time;
    this.firstSeen = time;
  }
}

export const tunDown = detector({
  id: 'TUN-DOWN',
  title: 'Data comes in answers',
  summary:
    'Counts the bytes of distinct TXT, NULL, CNAME and similar answers under each domain: commands and files that come down while names stay short.',
  attack: ATTACK,
  needs: ['names'],
  rows: ['other_data', 'long_aliases'],
  settings: group('How much in answers is too much.', {
    hour_bytes: size('Bytes of distinct answers under a domain within an hour.', { default: '4096B', least: 256 }),
    answers: whole('Distinct answers that have to be there for either sign.', { default: 10, least: 2 }),
    entropy: whole('Bits an octet of text answers from which, behind short names, they look encoded.', {
      default: 5,
      least: 1,
      most: 8,
    }),
    known_factor: whole('So many times the limit holds for popular domains.', { default: 16, least: 1 }),
  }),
  create: ({ hour_bytes, answers: least, entropy, known_factor }, { entities }) => {
    const firsts = entities.domainRecords(FIRST_NUMBERS);
    const domains = entities.perDomain<Answers>(MOST_DOMAINS);
    return {
      inspect(seen, raise) {
        const { domain, type, closed: now } = seen;
        const isAddress = type === TYPE_A || type === TYPE_AAAA;
        if (domain === null || seen.protocol !== DNS || (!isAddress && ORDINARY.has(type))) return;
        const { response } = seen;
        if (response === null) return;
        if (domains.peek(domain) === undefined && isFirst(firsts, domain, seen, response)) return;
        const state = domains.take(domain, answersOf, firsts);
        // Nothing was kept of one that begins with several.
        if (state.firstSeen === 0) state.day = state.firstSeen = seen.time;
        if (now - state.day > DAY) {
          state.day = now;
          state.names = new Distinct();
        }
        state.sums.advance(now);
        if (!add(state, response, type, seen.subLength <= SHORT_NAME)) return;
        state.count++;
        if (state.evidence.length === MOST_EVIDENCE) state.evidence.splice(MOST_EVIDENCE / 2, 1);
        state.evidence.push(seen.keep());
        const { sums } = state;
        const bytes = sums.sum(BYTES);
        const count = sums.sum(ANSWERS);
        if (count < least || bytes < state.raised * 2) return;
        const bits = sums.sum(BITS) / count;
        const limit = domain.isPopular ? hour_bytes * known_factor : hour_bytes;
        const isEncoded = !domain.isPopular && bits >= entropy && sums.sum(SHORT) / count >= 0.9;
        if (bytes < limit && !isEncoded) return;
        state.raised = bytes;
        const client = seen.client.text;
        raise({
          detector: 'TUN-DOWN',
          key: domain.text,
          severity: bytes >= limit * 4 && !domain.isPopular ? 'high' : 'medium',
          score: Math.min(1, 0.5 + bytes / limit / 8),
          confidence: isEncoded ? 0.7 : 0.6,
          time: now,
          firstSeen: state.firstSeen,
          lastSeen: seen.time,
          count: state.count,
          subject: domain.text,
          client,
          server: seen.server.text,
          domain: domain.text,
          title: `${sizeText(bytes)} of answers under ${domain.text} in ${spanText(Math.max(0.001, seen.time - state.firstSeen))}; ${sizeText(limit)} an hour is the limit`,
          text:
            `${numberText(Math.round(count))} different answers under ${domain.text} have brought ${sizeText(bytes)} of text or ` +
            `names to ${client}, ${numberText(Number(bits.toFixed(1)))} bits of entropy an octet. Commands and files come into a network this way; ` +
            'so do mail policies and keys, which are few and stay the same.',
          measures: [
            { name: 'distinct answer bytes per hour', value: Math.round(bytes), unit: 'B', threshold: limit },
            { name: 'distinct answers', value: Math.round(count), unit: 'answers', threshold: least },
            { name: 'entropy of answers', value: Number(bits.toFixed(2)), unit: 'bit', threshold: entropy },
          ],
          evidence: state.evidence.map((one) => one.evidence()),
          attack: ATTACK,
          proposal: { kind: 'domain', value: domain.text, text: `Block ${domain.text} for an hour` },
        });
      },
    };
  },
});

/** What is kept of a domain that has had one answer only: when it was first seen, and counted; the answer, and what it adds. */
const FIRST_SEEN = 1;
const DAY_BEGAN = 2;
const HASH = 3;
const LENGTH = 4;
const IS_SHORT = 5;
const ENTROPY = 6;
const FIRST_NUMBERS = 8;

/** Whether an answer of one record is the first of its domain, or that one again. */
function isFirst(firsts: Records<Domain>, domain: Domain, seen: Observation, response: MessageView): boolean {
  const record = onlyRecord(response, seen.type);
  if (record < 0) return false;
  const { bytes, rdata, rdlength } = response;
  const [from, length] = [rdata[record], rdlength[record]];
  const { numbers } = firsts;
  const at = firsts.at(domain);
  const hash = hashOf(bytes, from, length);
  if (numbers[at + FIRST_SEEN] === 0) {
    numbers[at + FIRST_SEEN] = numbers[at + DAY_BEGAN] = seen.time;
    numbers[at + HASH] = hash;
    numbers[at + LENGTH] = length;
    numbers[at + IS_SHORT] = seen.subLength <= SHORT_NAME ? 1 : 0;
    numbers[at + ENTROPY] = entropyOf(bytes, from, length);
  } else if (numbers[at + HASH] !== hash) return false;
  // Every day it counts as new once more.
  if (seen.closed - numbers[at + DAY_BEGAN] > DAY) numbers[at + DAY_BEGAN] = seen.closed;
  return true;
}

/** The record that carries something, if there is but one; −1 else. */
function onlyRecord({ records, section, type }: MessageView, wanted: number): number {
  let found = -1;
  for (let i = 0; i < records; i++) {
    if (section[i] !== ANSWER || (type[i] !== wanted && type[i] !== TYPE_CNAME)) continue;
    if (found >= 0) return -1;
    found = i;
  }
  return found;
}

/** Goes on from the first answer, if one was kept. */
function answersOf(domain: Domain, firsts: Records<Domain>): Answers {
  const { numbers } = firsts;
  const at = firsts.at(domain);
  const state = new Answers(numbers[at + FIRST_SEEN]);
  if (numbers[at + FIRST_SEEN] > 0) {
    const { sums, names } = state;
    state.day = numbers[at + DAY_BEGAN];
    sums.advance(state.day);
    names.insert(numbers[at + HASH], Math.min(numbers[at + LENGTH], MOST_SIZE), 0);
    sums.add(BYTES, numbers[at + LENGTH]);
    sums.add(ANSWERS, 1);
    sums.add(SHORT, numbers[at + IS_SHORT]);
    sums.add(BITS, numbers[at + ENTROPY]);
    state.count = 1;
  }
  firsts.clear(domain);
  return state;
}

/** Adds what the answer holds; false when all of it was known. */
function add({ sums, names }: Answers, response: MessageView, type: number, isShort: boolean): boolean {
  let isNew = false;
  for (let i = 0; i < response.records; i++) {
    if (response.section[i] !== ANSWER) continue;
    const isAlias = response.type[i] === TYPE_CNAME;
    if (response.type[i] !== type && !isAlias) continue;
    const at = response.rdata[i];
    const length = response.rdlength[i];
    const hash = hashOf(response.bytes, at, length);
    if (!names.isSampled(hash) || names.find(hash) >= 0) continue;
    const { weight } = names;
    names.insert(hash, Math.min(length, MOST_SIZE), 0);
    sums.add(BYTES, length * weight);
    sums.add(ANSWERS, weight);
    if (isShort) sums.add(SHORT, weight);
    sums.add(BITS, entropyOf(response.bytes, at, length) * weight);
    isNew = true;
  }
  return isNew;
}

function hashOf(bytes: Uint8Array, at: number, length: number): number {
  let h = 0x811c9dc5;
  for (let i = at; i < at + length; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  return secretHash(bytes, at, at + length, mix(h));
}

const counts = new Uint16Array(256);

/** Bits an octet takes, of those seen. Short data cannot show more than log2 of its length. */
function entropyOf(bytes: Uint8Array, at: number, length: number): number {
  if (length === 0) return 0;
  for (let i = at; i < at + length; i++) counts[bytes[i]]++;
  let bits = 0;
  for (let i = at; i < at + length; i++) {
    const count = counts[bytes[i]];
    if (count > 0) bits -= (count / length) * Math.log2(count / length);
    counts[bytes[i]] = 0;
  }
  return bits;
}
