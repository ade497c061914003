import { ANSWER, AUTHORITY } from '../../wire/message.ts';
import type { DomainName } from '../domain-name.ts';
import { type CanonicalRecord, type RecordSet, recordSets, targetOf, TYPE } from './canonical.ts';
import { Denial, MOST_ITERATIONS, type Proof } from './denial.ts';
import {
  algorithmName,
  delegationSigner,
  type DelegationSigner,
  digestName,
  type DnsKey,
  isDigestOf,
  isKnownAlgorithm,
  isKnownDigest,
  zoneKey,
} from './keys.ts';
import { MOST_ALIASES } from '../alias.ts';
import { Budget, checkSet, MOST_DIGESTS, readSignature } from './signatures.ts';
import { typeName } from '../../rr/registry.ts';

/** RFC 4035 §4.3. */
export type Security = 'secure' | 'insecure' | 'bogus';

/** What is known of a zone's keys, and why. */
export interface Trust {
  zone: DomainName;
  state: Security;
  reason: string;
  keys: readonly DnsKey[];
}

/** What a parent says about the keys of a child. */
export type Delegation =
  | { kind: 'signed'; signers: readonly DelegationSigner[]; reason: string }
  | { kind: Exclude<Security, 'secure'>; reason: string }
  /** Neither a DS nor a proof that there is none. */
  | { kind: 'silent' };

export interface Verdict {
  state: Security;
  reason: string;
}

/**
 * Follows the chain of trust from parent to child (RFC 4035 §5), from responses that somebody else has asked for. `now`:
 * seconds since 1970.
 */
export class Validator {
  readonly #now: number;
  readonly #budget = new Budget();

  constructor(now: number) {
    this.#now = now;
  }

  /** Takes the DNSKEY response of a zone whose DS records are known and trusted. */
  keysOf(zone: DomainName, signers: readonly DelegationSigner[], records: readonly CanonicalRecord[]): Trust {
    const trust = (state: Security, reason: string, keys: readonly DnsKey[] = []): Trust => ({
      zone,
      state,
      reason,
      keys,
    });
    const usable = signers.filter((one) => isKnownAlgorithm(one.algorithm) && isKnownDigest(one.digestType));
    if (usable.length === 0) {
      // RFC 4035 §5.2: to us it is as if it were not signed.
      const [{ algorithm, digestType }] = signers;
      return trust(
        'insecure',
        `its DS is of ${algorithmName(algorithm)} and ${digestName(digestType)}, not known here`,
      );
    }
    const set = recordSets(records).find(({ name, type }) => type === TYPE.DNSKEY && name.is(zone));
    if (set === undefined) return trust('bogus', 'it has a DS at its parent, but no DNSKEY');
    const keys = set.records.map(zoneKey).filter((key) => key !== null);
    const budget = this.#budget;
    const entries = keys.filter((key) => usable.some((signer) => isDigestOf(signer, zone, key, budget)));
    if (entries.length === 0) {
      const why = budget.isOutOfDigests
        ? `more than ${MOST_DIGESTS} keys would have to be compared with its DS`
        : `none of its keys (${tagsOf(keys)}) is the one of its DS (${tagsOf(usable)})`;
      return trust('bogus', why);
    }
    const verdict = checkSet(set, zone, entries, this.#now, this.#budget);
    if (!verdict.isSound) return trust('bogus', `DNSKEY of ${zone.text}: ${verdict.reason}`);
    const { tag, algorithm } = verdict.signature;
    return trust('secure', `key ${tag} (${algorithmName(algorithm)}) is the one of its DS`, keys);
  }

  /** What a referral, or an answer to a question for the DS, says about a child. */
  delegation(parent: Trust, child: DomainName, records: readonly CanonicalRecord[]): Delegation {
    const { zone, keys } = parent;
    const sets = recordSets(records);
    const set = sets.find(({ name, type }) => type === TYPE.DS && name.is(child));
    if (set !== undefined) {
      const verdict = checkSet(set, zone, keys, this.#now, this.#budget);
      if (!verdict.isSound) return { kind: 'bogus', reason: `DS of ${child.text}: ${verdict.reason}` };
      const signers = set.records.map(delegationSigner).filter((one) => one !== null);
      if (signers.length === 0) return { kind: 'bogus', reason: `DS of ${child.text} cannot be read` };
      const tags = signers.map(({ tag, digestType }) => `${tag} (${digestName(digestType)})`).join(', ');
      return { kind: 'signed', signers, reason: `DS ${tags} signed by ${zone.text}` };
    }
    const denial = this.#denial(parent, sets);
    if ('reason' in denial) return { kind: 'bogus', reason: denial.reason };
    if (denial.isTooCostly) return { kind: 'insecure', reason: tooCostly(zone, denial) };
    if (denial.isEmpty) return { kind: 'silent' };
    const proof = denial.noSigner(child);
    if (!proof.isProven) return { kind: 'bogus', reason: `no DS for ${child.text}, and ${proof.reason}` };
    const how = proof.isOptOut ? 'lies in a span of unsigned delegations (opt-out)' : 'has no DS';
    return { kind: 'insecure', reason: `${zone.text} proves that ${child.text} ${how}` };
  }

  /** Checks an authoritative answer to (name, type) from a zone of this trust. */
  answer(trust: Trust, name: DomainName, type: number, records: readonly CanonicalRecord[], rcode: number): Verdict {
    if (trust.state !== 'secure') return { state: trust.state, reason: trust.reason };
    const bogus = (reason: string): Verdict => ({ state: 'bogus', reason });
    const sets = recordSets(records);
    const denial = this.#denial(trust, sets);
    if ('reason' in denial) return bogus(denial.reason);
    const answers = sets.filter((set) => set.records[0].section === ANSWER);
    let reason = '';
    for (const set of answers) {
      if (isMadeByDname(set, answers)) continue;
      const what = `${typeName(set.type)} of ${set.name.text}`;
      const verdict = checkSet(set, trust.zone, trust.keys, this.#now, this.#budget);
      if (!verdict.isSound) return bogus(`${what}: ${verdict.reason}`);
      reason ||= `${what} is signed with key ${verdict.signature.tag} of ${trust.zone.text}`;
      if (verdict.wildcard === null) continue;
      const proof = denial.noCloser(set.name, verdict.wildcard);
      if (!proof.isProven) return bogus(`${what} comes from ${verdict.wildcard.text}, but ${proof.reason}`);
    }
    const aliases = aliasesOf(name, type, answers);
    const end = aliases[aliases.length - 1];
    // An alias at the end is one that leads back: there is nothing to be absent.
    const isAnswered = answers.some(
      (set) => set.name.is(end) && (set.type === type || set.type === TYPE.CNAME || type === 255),
    );
    if (isAnswered || !end.isWithin(trust.zone)) return { state: 'secure', reason };
    if (denial.isTooCostly) return { state: 'insecure', reason: tooCostly(trust.zone, denial) };
    const proof: Proof = rcode === 3 ? denial.noName(end) : denial.noType(end, type);
    const what = rcode === 3 ? `that ${end.text} is not there` : `that ${end.text} has no ${typeName(type)}`;
    if (!proof.isProven) return bogus(`nothing proves ${what}: ${proof.reason}`);
    if (proof.isOptOut) return { state: 'insecure', reason: `${what}: only that it is not signed (opt-out)` };
    return { state: 'secure', reason: `${trust.zone.text} proves ${what}` };
  }

  /** The denials of existence in a response, each checked; a reason when one is not sound. */
  #denial({ zone, keys }: Trust, sets: readonly RecordSet[]): Denial | { reason: string } {
    const sound: CanonicalRecord[] = [];
    for (const set of sets) {
      if ((set.type !== TYPE.NSEC && set.type !== TYPE.NSEC3) || set.records[0].section !== AUTHORITY) continue;
      const verdict = checkSet(set, zone, keys, this.#now, this.#budget);
      if (!verdict.isSound) return { reason: `${typeName(set.type)} of ${set.name.text}: ${verdict.reason}` };
      sound.push(...set.records);
    }
    return new Denial(zone, sound);
  }
}

/** Tags as a list, which an attacker may make long. */
function tagsOf(of: readonly { tag: number }[]): string {
  const tags = of.slice(0, 8).map(({ tag }) => tag);
  return `${tags.join(', ')}${of.length > tags.length ? ' …' : ''}`;
}

function tooCostly(zone: DomainName, { iterations }: Denial): string {
  return `${zone.text} hashes names ${iterations} times (NSEC3); more than ${MOST_ITERATIONS} count as not signed`;
}

/** A CNAME that a DNAME of the same answer makes has no signature of its own (RFC 6672 §5.3.1). */
function isMadeByDname(set: RecordSet, answers: readonly RecordSet[]): boolean {
  if (set.type !== TYPE.CNAME || set.signatures.length > 0) return false;
  return answers.some(({ type, name }) => type === TYPE.DNAME && set.name.isWithin(name) && !set.name.is(name));
}

/** The names that the aliases of an answer lead through, the asked one first; where they lead back, that name again. */
export function aliasesOf(name: DomainName, type: number, answers: readonly RecordSet[]): DomainName[] {
  const names = [name];
  if (type === TYPE.CNAME) return names;
  const seen = new Set([name.key]);
  // One more than is followed, so that whoever counts sees it.
  while (names.length <= MOST_ALIASES + 1) {
    const at = names[names.length - 1];
    const alias = answers.find((set) => set.type === TYPE.CNAME && set.name.is(at));
    const target = alias === undefined ? null : targetOf(alias.records[0]);
    if (target === null) break;
    names.push(target);
    if (seen.has(target.key)) break;
    seen.add(target.key);
  }
  return names;
}

/** The zone that signed a response, where it lies below `zone`: its servers serve a zone for which they gave no referral. */
export function signerBelow(
  zone: DomainName,
  name: DomainName,
  records: readonly CanonicalRecord[],
): DomainName | null {
  for (const record of records) {
    if (record.type !== TYPE.RRSIG) continue;
    const signer = readSignature(record)?.signer;
    if (signer !== undefined && signer.labels > zone.labels && signer.isWithin(zone) && name.isWithin(signer))
      return signer;
  }
  return null;
}
