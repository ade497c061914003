import { alertRows } from '../alert-rows.ts';
import { endpoint } from '../endpoint.ts';
import { alerts as answer, alertsQuery } from '../schema/alerts.ts';

/** The inbox. */
export const alerts = endpoint({
  method: 'get',
  path: '/alerts',
  tag: 'alerts',
  summary: 'Alerts, newest first',
  query: alertsQuery,
  answer,
  run: ({ query, api }) => api.ask(() => alertRows(api.services.store.records, query)),
});
