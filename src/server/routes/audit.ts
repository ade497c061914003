import type { AuditRow } from '../schema/meta.ts';
import { endpoint } from '../endpoint.ts';
import { audit as answer, auditQuery } from '../schema/meta.ts';
import { timeOf } from '../times.ts';

/** Who looked at which client, who changed what. */
export const audit = endpoint({
  method: 'get',
  path: '/audit',
  tag: 'meta',
  summary: 'Who looked at which client, and who changed what, newest first',
  access: 'operator',
  query: auditQuery,
  answer,
  async run({ query: { limit, after }, api }) {
    const { records } = api.services.store;
    const page = await api.ask(() =>
      records.list<Omit<AuditRow, 'time'>>('audit', { limit: limit + 1, ...(after !== undefined && { after }) }),
    );
    const rows = page.slice(0, limit);
    return {
      rows: rows.map(({ time, value }) => ({ time: timeOf(time), ...value })),
      next: page.length > limit ? rows[rows.length - 1].id : null,
    };
  },
});
