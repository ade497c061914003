import type { AlertBook } from '../alerts/book.ts';
import { alertSummary } from '../alerts/document.ts';
import { type Incident, type State, STATES } from '../alerts/incident.ts';
import { SEVERITIES } from '../core/alert.ts';
import type { Alert, Alerts, AlertsQuery } from './schema/alerts.ts';

/** Alerts of the store that are looked through for one page, besides those in memory. */
const MOST_OLD = 10_000;
const PAGE = 1000;

/** An incident as a line of the inbox. */
export function alertRow(incident: Incident, explains: number): Alert {
  return { ...alertSummary(incident), explains };
}

/** How many others each incident explains. */
export function explanations(incidents: readonly Incident[]): Map<string, number> {
  const explains = new Map<string, number>();
  for (const { inhibitedBy } of incidents) {
    if (inhibitedBy !== null) explains.set(inhibitedBy, (explains.get(inhibitedBy) ?? 0) + 1);
  }
  return explains;
}

/** Alerts newest first, those that pass the query. */
export async function alertRows(book: AlertBook, query: Partial<AlertsQuery> & { limit: number }): Promise<Alerts> {
  const held = book.incidents();
  const explains = explanations(held);
  const passes = filterOf(query);
  const rows: Alert[] = [];
  // The store's order is not always memory's: what is held has been looked at.
  const known = new Set(held.map(({ id }) => id));
  let next: string | null = null;
  // Newest first; true once there is one more than asked for.
  const take = (incident: Incident): boolean => {
    if (!passes(incident)) return false;
    if (rows.length === query.limit) {
      next = rows[rows.length - 1].id;
      return true;
    }
    rows.push(alertRow(incident, explains.get(incident.id) ?? 0));
    return false;
  };
  const at = query.after === undefined ? held.length : held.findIndex(({ id }) => id === query.after);
  // One that is not held was read from the store: there it goes on.
  const isFull = held.slice(0, Math.max(0, at)).reverse().some(take);
  if (!isFull) {
    const from = at < 0 ? query.after : book.border?.id;
    await takeOld(book, from, (incident) => !known.has(incident.id) && take(incident));
  }
  return { rows, open: book.open, states: statesOf(held), next };
}

/** Goes on with what memory has given up. */
async function takeOld(
  book: AlertBook,
  from: string | undefined,
  take: (incident: Incident) => boolean,
): Promise<void> {
  let after = from;
  for (let scanned = 0; after !== undefined && scanned < MOST_OLD; scanned += PAGE) {
    const page = await book.older(after, PAGE);
    if (page.some(take)) return;
    after = page.length < PAGE ? undefined : page.at(-1)?.id;
  }
}

function filterOf(query: Partial<AlertsQuery>): (incident: Incident) => boolean {
  const { state, severity, detector, client, domain, assignee, explained = '0' } = query;
  const least = severity === undefined ? 0 : SEVERITIES.indexOf(severity);
  const words = (query.q ?? '').toLowerCase().split(/\s+/);
  return (incident) =>
    (state === undefined || incident.state === state) &&
    (explained === '1' || incident.inhibitedBy === null) &&
    SEVERITIES.indexOf(incident.severity) >= least &&
    (detector === undefined || incident.detector === detector) &&
    (client === undefined || incident.client === client) &&
    (domain === undefined || incident.domain === domain) &&
    (assignee === undefined || incident.assignee === assignee) &&
    words.every((word) => textOf(incident).includes(word));
}

function textOf({ title, subject, client = '', domain = '', detector }: Incident): string {
  return `${title} ${subject} ${client} ${domain} ${detector}`.toLowerCase();
}

function statesOf(incidents: readonly Incident[]): Record<State, number> {
  const states = Object.fromEntries(STATES.map((one) => [one, 0])) as Record<State, number>;
  for (const { state, inhibitedBy } of incidents) if (inhibitedBy === null) states[state]++;
  return states;
}
