import { DNS } from '../core/carrier.ts';
import { group, span } from '../core/settings.ts';
import { ANSWER, type MessageView } from '../wire/message.ts';
import { equalNames, nameText, skipName } from '../wire/name.ts';
import { TYPE_A, TYPE_AAAA, TYPE_CNAME } from '../baseline/answers.ts';
import { Bounded } from './bounded.ts';
import { detector } from './detector.ts';

const TYPE_NS = 2;
const TYPE_SOA = 6;
const TYPE_MX = 15;
const TYPE_SRV = 33;
const TYPE_DNAME = 39;
const TYPE_SVCB = 64;
const TYPE_HTTPS = 65;
const ADDITIONAL = 3;
const MOST_RECORDS = 64;
const MOST_KEYS = 2048;

/** Where rdata of a type has the name of a host whose addresses belong into the additional section. */
const TARGET_AT: Readonly<Record<number, number>> = {
  [TYPE_NS]: 0,
  [TYPE_CNAME]: 0,
  [TYPE_SOA]: 0,
  [TYPE_DNAME]: 0,
  [TYPE_MX]: 2,
  [TYPE_SRV]: 6,
  [TYPE_SVCB]: 2,
  [TYPE_HTTPS]: 2,
};

/** Records out of bailiwick (POPS, USENIX Security 2025; RFC 5452 §6, RFC 2181 §5.4.1). */
export const poisBail = detector({
  id: 'POIS-BAIL',
  title: 'Records that do not belong into the answer',
  summary:
    'A response brings name servers or addresses of names that have nothing to do with what was asked: an old way to poison a cache.',
  attack: ['T1557'],
  rows: 'additions',
  settings: group('Limits.', {
    quiet: span('The same domain is spoken of again after this time.', { default: '30m', least: 1000 }),
  }),
  create: ({ quiet }) => {
    const told = new Bounded<string, { until: number }>(MOST_KEYS);
    return {
      inspect(seen, raise) {
        if (seen.protocol !== DNS || seen.opcode !== 0 || seen.responseBytes === 0 || seen.nameLength === 0) return;
        const { response, time } = seen;
        if (response === null || response.questions === 0 || response.authorityCount + response.additionalCount < 1)
          return;
        const stray = strayRecord(response);
        if (stray < 0) return;
        const owner = nameText(response.bytes, response.owner[stray], response.start).toLowerCase();
        const key = `${owner} ${seen.server.text}`;
        const last = told.take(key, () => ({ until: Number.NEGATIVE_INFINITY }));
        if (time < last.until) return;
        last.until = time + quiet / 1000;
        const what = response.type[stray] === TYPE_NS ? 'name servers' : 'an address';
        raise({
          detector: 'POIS-BAIL',
          key,
          severity: response.type[stray] === TYPE_NS ? 'high' : 'medium',
          score: 0.9,
          confidence: 0.7,
          time,
          firstSeen: time,
          lastSeen: time,
          count: 1,
          subject: owner,
          client: seen.client.text,
          server: seen.server.text,
          ...(seen.domain !== null && { domain: seen.domain.text }),
          title: `${seen.server.text} gave ${what} of ${owner} to a question about ${seen.nameText}`,
          text: `The response of ${seen.server.text} about ${seen.nameText} also brings ${what} of ${owner}, which lies outside of what was asked. A resolver that believes it sends its users where the sender wants. Resolvers of today ignore such records; see whether that server is yours, and whether the answer was forged.`,
          measures: [],
          evidence: [seen.evidence(`${what} of ${owner}`)],
          attack: poisBail.attack,
        });
      },
    };
  },
});

/** The first record that has no business in the response; −1 when all of them belong there. */
function strayRecord(view: MessageView): number {
  const { bytes, start, records, section, type, owner, rdata } = view;
  const last = Math.min(records, MOST_RECORDS);
  const question = view.questionName[0];
  for (let i = 0; i < last; i++) {
    const isServer = type[i] === TYPE_NS && section[i] !== ANSWER;
    const isAddress = section[i] === ADDITIONAL && (type[i] === TYPE_A || type[i] === TYPE_AAAA);
    if (!isServer && !isAddress) continue;
    if (isRelated(view, owner[i], question)) continue;
    let isWanted = false;
    for (let k = 0; k < last && !isWanted; k++) {
      if (k === i) continue;
      const at = TARGET_AT[type[k]];
      // Rdata has not been looked into yet.
      const end = view.rdata[k] + view.rdlength[k];
      if (at === undefined || view.rdlength[k] <= at || skipName(bytes, rdata[k] + at, start, end) < 0) continue;
      // Addresses of hosts that another record names, and name servers of where an alias leads.
      isWanted = isAddress
        ? equalNames(bytes, owner[i], start, bytes, rdata[k] + at, start)
        : type[k] === TYPE_CNAME && isRelated(view, owner[i], rdata[k]);
    }
    if (!isWanted) return i;
  }
  return -1;
}

/** Whether `owner` is the name asked, or a zone above it: the delegation that leads to it. */
function isRelated({ bytes, start }: MessageView, owner: number, name: number): boolean {
  let skip = labelsOf(bytes, name, start) - labelsOf(bytes, owner, start);
  if (skip < 0) return false;
  let at = resolve(bytes, name, start);
  for (; skip > 0; skip--) at = resolve(bytes, at + bytes[at] + 1, start);
  return equalNames(bytes, at, start, bytes, owner, start);
}

function resolve(bytes: Uint8Array, at: number, start: number): number {
  while (bytes[at] >= 0xc0) at = start + (((bytes[at] & 0x3f) << 8) | bytes[at + 1]);
  return at;
}

function labelsOf(bytes: Uint8Array, at: number, start: number): number {
  let labels = 0;
  for (at = resolve(bytes, at, start); bytes[at] !== 0; at = resolve(bytes, at + bytes[at] + 1, start)) labels++;
  return labels;
}
