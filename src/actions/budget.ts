import type { Finding } from '../core/alert.ts';
import type { BlockKind } from '../core/block.ts';

const MINUTE_MS = 60_000;
/** So many may be blocked whatever their share: in a small network one domain is already some per cent. */
const ALWAYS_ALLOWED = 20;

export interface BudgetSettings {
  new_per_minute: number;
  /** Per cent. */
  most_share: number;
}

/** How much detectors may block: what goes beyond is no attack any more, but a mistake. */
export class Budget {
  readonly #settings: () => BudgetSettings;
  #recent: number[] = [];

  /** `settings` are those of now: they may change. */
  constructor(settings: () => BudgetSettings) {
    this.#settings = settings;
  }

  /** Why one more is too many, in a sentence; undefined when it fits. `active`: blocked of the kind, and used in the last hour. */
  excess(kind: BlockKind, active: { blocked: number; used: number }, now: number): string | undefined {
    const { new_per_minute: perMinute, most_share: share } = this.#settings();
    this.#recent = this.#recent.filter((time) => now - time < MINUTE_MS);
    if (this.#recent.length >= perMinute) return `More than ${perMinute} new blocks in a minute.`;
    const most = Math.max(ALWAYS_ALLOWED, (active.used * share) / 100);
    if (active.blocked + 1 <= most) return undefined;
    const what = kind === 'client' ? 'clients' : kind === 'domain' ? 'domains' : 'addresses';
    return `More than ${Math.floor(most)} ${what} would be blocked: ${share} % of those of the last hour.`;
  }

  spend(now: number): void {
    this.#recent.push(now);
  }
}

/** What people are told when detectors may block nothing more. `time`: seconds since 1970, of the packets. */
export function breakerFinding(why: string, time: number): Finding {
  return {
    detector: 'BLOCK-BREAKER',
    key: 'breaker',
    severity: 'high',
    score: 1,
    confidence: 1,
    time,
    firstSeen: time,
    lastSeen: time,
    count: 1,
    subject: 'automatic blocking',
    title: 'Automatic blocking has stopped itself',
    text: `${why} Detectors only say what they would have blocked, until somebody has looked and resumes it: nametap block resume.`,
    measures: [],
    evidence: [],
    attack: [],
  };
}
