import { UserError } from '../core/errors.ts';
import { type Before, type Entry, type Incident, MOST_TEXT, note, type State } from './incident.ts';
import type { Scope } from './mutes.ts';

/** What people do with an incident. */
export type Action =
  | { kind: 'acknowledge' }
  | { kind: 'assign'; to: string | null }
  | { kind: 'note'; text: string }
  /** `until` in seconds since 1970; null = until it is undone. */
  | { kind: 'mute'; scope: Scope; until: number | null; text?: string | undefined }
  | { kind: 'false_positive'; reason: string }
  | { kind: 'close'; text?: string | undefined }
  | { kind: 'reopen' }
  | { kind: 'undo' };

/** Who did it, and when (seconds since 1970). */
export interface Deed {
  by: string;
  time: number;
}

const NEXT_STATE: Partial<Record<Action['kind'], State>> = {
  acknowledge: 'acknowledged',
  mute: 'muted',
  false_positive: 'false_positive',
  close: 'closed',
  reopen: 'open',
};

function beforeOf({ state, assignee, reason, mute, mutedUntil }: Incident): Before {
  return { state, assignee, reason, mute, mutedUntil };
}

/** Does what people want with an incident, and writes it down. Throws UserError for what makes no sense. */
export function apply(incident: Incident, action: Exclude<Action, { kind: 'undo' }>, { by, time }: Deed): void {
  const { kind } = action;
  const next = NEXT_STATE[kind];
  if (next !== undefined && next === incident.state && kind !== 'mute') {
    throw new UserError(`The alert is ${incident.state.replace('_', ' ')} already.`);
  }
  const before = beforeOf(incident);
  const text = textOf(action);
  if (kind === 'assign') incident.assignee = action.to;
  // Whoever takes it has seen it.
  if (kind === 'acknowledge') incident.assignee ??= by;
  if (next !== undefined) {
    incident.state = next;
    incident.reason = kind === 'false_positive' ? action.reason.trim() : null;
    // Who acknowledges or closes what is muted does not lift the mute.
    if (kind === 'reopen') Object.assign(incident, { mute: null, mutedUntil: null });
    if (kind === 'mute') incident.mutedUntil = action.until;
  }
  note(incident, { time, by, action: kind, ...(text !== undefined && { text }), before });
}

function textOf(action: Exclude<Action, { kind: 'undo' }>): string | undefined {
  const { kind } = action;
  let written: string | undefined;
  if (kind === 'note' || kind === 'close' || kind === 'mute') written = action.text;
  else if (kind === 'false_positive') written = action.reason;
  else if (kind === 'assign') return action.to ?? undefined;
  const text = written?.trim();
  if ((text === undefined || text === '') && (kind === 'note' || kind === 'false_positive')) {
    throw new UserError(kind === 'note' ? 'A note needs a text.' : 'Say why it is a false positive.');
  }
  if (text !== undefined && text.length > MOST_TEXT) {
    throw new UserError(`A text may have at most ${MOST_TEXT} characters.`);
  }
  return text === '' ? undefined : text;
}

/** The step that `undo` would take back; undefined when there is none. */
export function lastDeed({ journal }: Pick<Incident, 'journal'>): Entry | undefined {
  return journal.findLast(({ before, undone }) => before !== undefined && undone !== true);
}

/** Takes back the last thing that people did; gives it. Throws UserError when there is nothing. */
export function undo(incident: Incident, { by, time }: Deed): Entry {
  const entry = lastDeed(incident);
  if (entry?.before === undefined) throw new UserError('There is nothing to undo.');
  Object.assign(incident, entry.before);
  entry.undone = true;
  note(incident, { time, by, action: 'undo', text: entry.action });
  return entry;
}
