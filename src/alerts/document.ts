import type { Evidence, Measure, Proposal, Severity } from '../core/alert.ts';
import type { Entry, Incident, SeverityParts, State } from './incident.ts';

/** A time as RFC 3339 with milliseconds; of seconds since 1970. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? new Date(0).toISOString() : date.toISOString();
}

/** What an incident is, without what shows it. Times are RFC 3339; a value that does not apply is null. */
export interface AlertSummary {
  id: string;
  /** When it was raised. */
  time: string;
  severity: Severity;
  score: number;
  confidence: number;
  detector: string;
  subject: string;
  title: string;
  text: string;
  state: State;
  /** It goes on. */
  active: boolean;
  client: string | null;
  server: string | null;
  domain: string | null;
  /** Transactions that belong to it. */
  count: number;
  /** Findings that a summary stands for; 0 for all others. */
  suppressed: number;
  first_seen: string;
  last_seen: string;
  updated: string;
  resolved: string | null;
  measures: Measure[];
  /** ATT&CK techniques. */
  attack: string[];
  assignee: string | null;
  reason: string | null;
  muted_until: string | null;
  /** Id of the alert that explains it. */
  inhibited_by: string | null;
}

/** An incident as others read it: outputs, API, files. */
export interface AlertDocument extends AlertSummary {
  severity_parts: SeverityParts;
  /** Findings that went into it. */
  findings: number;
  evidence: (Omit<Evidence, 'time'> & { time: string })[];
  proposal: Proposal | null;
  journal: JournalEntry[];
}

/** A step in the life of an alert. */
export interface JournalEntry {
  n: number;
  time: string;
  by: string;
  action: string;
  text: string | null;
  /** It was taken back, and it can be. */
  undone: boolean;
  undoable: boolean;
}

/** An incident in short. */
export function alertSummary(incident: Readonly<Incident>): AlertSummary {
  const { mutedUntil, resolved } = incident;
  return {
    id: incident.id,
    time: timeText(incident.raised),
    severity: incident.severity,
    score: incident.score,
    confidence: incident.confidence,
    detector: incident.detector,
    subject: incident.subject,
    title: incident.title,
    text: incident.text,
    state: incident.state,
    active: resolved === null,
    client: incident.client ?? null,
    server: incident.server ?? null,
    domain: incident.domain ?? null,
    count: incident.count,
    suppressed: incident.suppressed ?? 0,
    first_seen: timeText(incident.firstSeen),
    last_seen: timeText(incident.lastSeen),
    updated: timeText(incident.updated),
    resolved: resolved === null ? null : timeText(resolved),
    measures: [...incident.measures],
    attack: [...incident.attack],
    assignee: incident.assignee,
    reason: incident.reason,
    muted_until: mutedUntil === null ? null : timeText(mutedUntil),
    inhibited_by: incident.inhibitedBy,
  };
}

/** An incident, to be read by others. */
export function alertDocument(incident: Readonly<Incident>): AlertDocument {
  return {
    ...alertSummary(incident),
    severity_parts: incident.parts,
    findings: incident.findings,
    evidence: incident.evidence.map((one) => ({ ...one, time: timeText(one.time) })),
    proposal: incident.proposal ?? null,
    journal: incident.journal.map(journalEntry),
  };
}

function journalEntry({ n, time, by, action, text, before, undone }: Entry): JournalEntry {
  const isUndone = undone === true;
  return {
    n,
    time: timeText(time),
    by,
    action,
    text: text ?? null,
    undone: isUndone,
    undoable: before !== undefined && !isUndone,
  };
}
