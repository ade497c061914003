import { z } from '@hono/zod-openapi';
import { alertDocument } from '../../alerts/document.ts';
import type { Incident } from '../../alerts/incident.ts';
import type { Action } from '../../alerts/lifecycle.ts';
import { UserError } from '../../core/errors.ts';
import { alertRow, alertRows, explanations } from '../alert-rows.ts';
import type { Api } from '../api.ts';
import { endpoint } from '../endpoint.ts';
import { ProblemError } from '../problem.ts';
import { alert, alertAction, type AlertDetail, alertDetail, alerts as answer, alertsQuery } from '../schema/alerts.ts';
import { readTime } from '../times.ts';

const params = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/, { message: 'expected 16 hex digits' }) });

/** The inbox. */
export const alerts = endpoint({
  method: 'get',
  path: '/alerts',
  tag: 'alerts',
  summary: 'Alerts, newest first',
  query: alertsQuery,
  answer,
  run: ({ query, api }) => api.ask(() => alertRows(api.services.alerts, query)),
});

/** Changes of the inbox as they come. */
export const alertEvents = endpoint({
  method: 'get',
  path: '/alerts/events',
  tag: 'alerts',
  summary: 'Changes of alerts as server-sent events: alert, and alive every ten seconds',
  media: ['text/event-stream'],
  run: ({ api }) => api.alerts.stream(),
});

/** An alert with its evidence. */
export const oneAlert = endpoint({
  method: 'get',
  path: '/alerts/{id}',
  tag: 'alerts',
  summary: 'An alert: what moved, the transactions that show it, what was done about it',
  params,
  answer: alertDetail,
  async run({ params: { id }, api, identity, remote }) {
    const incident = await api.services.alerts.get(id);
    if (incident === null) throw new ProblemError(404, `There is no alert ${id}, or not any more.`);
    const detail = await api.ask(() => detailOf(api, incident));
    if (incident.client !== undefined) {
      const { client } = incident;
      await api.audit.look({ user: identity.user, address: remote, action: 'alert.view', subject: client, detail: id });
    }
    return detail;
  },
});

/** What people do with an alert. */
export const actOnAlert = endpoint({
  method: 'post',
  path: '/alerts/{id}',
  tag: 'alerts',
  summary: 'Acknowledges, assigns, mutes, closes an alert, or takes the last step back',
  access: 'operator',
  params,
  body: alertAction,
  answer: alert,
  async run({ params: { id }, body, api, identity, remote, now }) {
    const book = api.services.alerts;
    let incident: Incident | null;
    try {
      incident = await book.act(id, actionOf(body, now), { by: identity.user, time: now / 1000 });
    } catch (error) {
      if (error instanceof UserError) throw new ProblemError(409, error.message);
      throw error;
    }
    if (incident === null) throw new ProblemError(404, `There is no alert ${id}, or not any more.`);
    const last = incident.journal.at(-1);
    await api.audit.change({
      user: identity.user,
      address: remote,
      action: `alert.${body.action}`,
      subject: id,
      ...(last?.text !== undefined && { detail: last.text }),
    });
    return alertRow(incident, explanations(book.incidents()).get(id) ?? 0);
  },
});

function actionOf(body: z.output<typeof alertAction>, now: number): Action {
  const { action } = body;
  if (action === 'mute') {
    const { scope, seconds, text } = body;
    const until = body.until === null ? null : readTime(body.until, now, 'until') / 1000;
    return { kind: action, scope, until: seconds === undefined ? until : now / 1000 + seconds, text };
  }
  if (action === 'assign') return { kind: action, to: body.to };
  if (action === 'note') return { kind: action, text: body.text };
  if (action === 'false_positive') return { kind: action, reason: body.reason };
  if (action === 'close') return { kind: action, text: body.text };
  return { kind: action };
}

async function detailOf(api: Api, incident: Incident): Promise<AlertDetail> {
  const { store, alerts: book } = api.services;
  const held = book.incidents();
  const explains = explanations(held);
  const row = (one: Incident) => alertRow(one, explains.get(one.id) ?? 0);
  const { inhibitedBy, evidence } = incident;
  const cause = inhibitedBy === null ? null : await book.get(inhibitedBy);
  const found = await Promise.all(evidence.map(({ transaction }) => store.transaction(transaction)));
  const { severity_parts, findings, proposal, evidence: shown, journal } = alertDocument(incident);
  return {
    alert: { ...row(incident), severity_parts, findings, proposal, evidence: shown, journal },
    transactions: found.flatMap((one) => (one === null ? [] : [one.record])),
    explained: held.filter((one) => one.inhibitedBy === incident.id).map(row),
    cause: cause === null ? null : row(cause),
  };
}
