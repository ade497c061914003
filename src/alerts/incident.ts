import { createHash } from 'node:crypto';
import { type Evidence, type Finding, MOST_EVIDENCE, type Severity } from '../core/alert.ts';
import type { Mute } from './mutes.ts';

/** What people have made of an incident. Whether it goes on is told apart from it, by `resolved`. */
export const STATES = ['open', 'acknowledged', 'muted', 'closed', 'false_positive'] as const;
export type State = (typeof STATES)[number];

/** What a severity was made of. */
export interface SeverityParts {
  /** What the detector said, for an ordinary host. */
  detector: Severity;
  score: number;
  confidence: number;
  /** Of the asset it is about; 1 for an ordinary one. */
  weight: number;
  /** Product of the three. */
  risk: number;
}

/** What a step of the journal changed, as it was before: what undoing it restores. */
export interface Before {
  state: State;
  assignee: string | null;
  reason: string | null;
  mute: string | null;
  mutedUntil: number | null;
}

/** A step in the life of an incident. */
export interface Entry {
  /** Counts up within an incident. */
  n: number;
  /** Seconds since 1970. */
  time: number;
  /** A user, or `nametap`. */
  by: string;
  action: EntryAction;
  text?: string;
  /** Only of what people did: it can be undone. */
  before?: Before;
  /** A mute that it made, and one that it lifted. */
  made?: string;
  lifted?: Mute;
  undone?: true;
}

export const ACTIONS = ['acknowledge', 'assign', 'note', 'mute', 'false_positive', 'close', 'reopen', 'undo'] as const;
export type ActionKind = (typeof ACTIONS)[number];
export type EntryAction =
  | ActionKind
  | 'raised'
  | 'worsened'
  | 'again'
  | 'resolved'
  | 'inhibited'
  | 'released'
  | 'unmuted';

/** One incident: findings with the same detector and key, for as long as they keep coming. Plain data; times on the packets' clock. */
export interface Incident extends Omit<Finding, 'time'> {
  /** 16 hex digits, made of detector, key and the time it was raised: a replay gives the same. */
  id: string;
  raised: number;
  /** When the last finding came. */
  updated: number;
  /** Since when it is quiet; null while it goes on. */
  resolved: number | null;
  /** Findings that went into it. */
  findings: number;
  parts: SeverityParts;
  state: State;
  assignee: string | null;
  /** Why it is no incident. */
  reason: string | null;
  /** Id of the mute that silences it, and until when (null: until it is lifted). */
  mute: string | null;
  mutedUntil: number | null;
  /** Id of the incident that explains it: nobody is told of it. */
  inhibitedBy: string | null;
  /** When outputs were last told; null when they never were. */
  told: number | null;
  /** Findings that it stands for: only of a summary. */
  suppressed?: number;
  journal: Entry[];
}

/** Steps kept of an incident, and characters of what people write. */
export const MOST_ENTRIES = 200;
export const MOST_TEXT = 2000;

/** The id of an incident. */
export function incidentId(detector: string, key: string, time: number): string {
  return createHash('sha256')
    .update(`${detector}\0${key}\0${Math.round(time * 1000)}`)
    .digest('hex')
    .slice(0, 16);
}

/** An incident as its first finding makes it. */
export function incidentOf({ time, ...finding }: Finding, severity: Severity, parts: SeverityParts): Incident {
  return {
    ...finding,
    id: incidentId(finding.detector, finding.key, time),
    severity,
    parts,
    evidence: finding.evidence.slice(0, MOST_EVIDENCE),
    raised: time,
    updated: time,
    resolved: null,
    findings: 1,
    state: 'open',
    assignee: null,
    reason: null,
    mute: null,
    mutedUntil: null,
    inhibitedBy: null,
    told: null,
    journal: [{ n: 1, time, by: 'nametap', action: 'raised' }],
  };
}

/** Takes what a later finding adds; severity is the caller's. */
export function grow(incident: Incident, { time, ...finding }: Finding): void {
  const { firstSeen, lastSeen, count, score, evidence, severity } = incident;
  Object.assign(incident, finding, {
    severity,
    firstSeen: Math.min(firstSeen, finding.firstSeen),
    lastSeen: Math.max(lastSeen, finding.lastSeen),
    count: Math.max(count, finding.count),
    score: Math.max(score, finding.score),
    evidence: mergedEvidence(evidence, finding.evidence),
    updated: Math.max(incident.updated, time),
    findings: incident.findings + 1,
  });
}

/** The first ones show how it began, the last ones how it goes on. */
function mergedEvidence(old: readonly Evidence[], fresh: readonly Evidence[]): Evidence[] {
  const all = new Map([...old, ...fresh].map((one) => [one.transaction, one]));
  const rows = [...all.values()];
  if (rows.length <= MOST_EVIDENCE) return rows;
  return [...rows.slice(0, MOST_EVIDENCE / 2), ...rows.slice(-MOST_EVIDENCE / 2)];
}

/** Writes a step down; the first one, and the newest, are kept. */
export function note(incident: Incident, entry: Omit<Entry, 'n'>): void {
  const { journal } = incident;
  const n = (journal.at(-1)?.n ?? 0) + 1;
  journal.push({ n, ...entry });
  if (journal.length > MOST_ENTRIES) journal.splice(1, journal.length - MOST_ENTRIES);
}
