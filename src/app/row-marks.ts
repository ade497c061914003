import type { Incident } from '../alerts/incident.ts';
import type { Observation } from '../detect/observation.ts';
import { typeName } from '../rr/registry.ts';

/** A transaction as it can be found again in its file. */
export interface MarkedRow {
  /** Seconds since 1970. */
  time: number;
  client: string;
  /** Folded, escaped text. */
  name: string;
  /** Mnemonic. */
  type: string;
  /** Registrable domain of the name. */
  domain: string | null;
}

/** Rules may mark everything: beyond, they are counted. */
const MOST_MARKS = 2_000_000;
/** An incident's domain is marked so long after its last finding, in seconds. */
const AFTER = 3600;

interface Span {
  from: number;
  to: number;
  reason: string;
}

/** Which transactions of a file belong to an incident or were marked by a rule, and why. */
export class RowMarks {
  readonly #rows = new Map<string, string>();
  readonly #domains = new Map<string, Span[]>();
  /** Marks that memory had no room for. */
  lost = 0;

  /** Rules without a condition mark single transactions. */
  markSeen(seen: Observation, rules: readonly string[]): void {
    const type = typeName(seen.type, seen.protocol);
    this.#mark(keyOf(seen.time, seen.client.text, seen.nameText, type), rules.join(', '));
  }

  /** The evidence of incidents, and all that was asked for under their domains while they went on. */
  markIncidents(incidents: readonly Readonly<Incident>[]): void {
    for (const { detector, title, domain, evidence, firstSeen, lastSeen } of incidents) {
      const reason = `${detector}: ${title}`;
      for (const { time, client, name = '', type = '' } of evidence)
        this.#mark(keyOf(time, client, name, type), reason);
      if (domain === undefined) continue;
      const spans = this.#domains.get(domain) ?? [];
      spans.push({ from: firstSeen, to: lastSeen + AFTER, reason });
      this.#domains.set(domain, spans);
    }
  }

  /** Why a transaction is suspicious; empty when it is not. */
  reasonFor({ time, client, name, type, domain }: MarkedRow): string {
    const reasons = new Set<string>();
    const own = this.#rows.get(keyOf(time, client, name, type));
    if (own !== undefined) reasons.add(own);
    for (const { from, to, reason } of this.#domains.get(domain ?? '') ?? []) {
      if (time >= from && time <= to && name !== domain && own?.includes(reason) !== true) reasons.add(reason);
    }
    return [...reasons].join('; ');
  }

  #mark(key: string, reason: string): void {
    const before = this.#rows.get(key);
    if (before === undefined && this.#rows.size >= MOST_MARKS) this.lost++;
    else if (before === undefined) this.#rows.set(key, reason);
    else if (!before.includes(reason)) this.#rows.set(key, `${before}; ${reason}`);
  }
}

function keyOf(time: number, client: string, name: string, type: string): string {
  return `${Math.round(time * 1000)} ${client} ${type} ${name}`;
}
