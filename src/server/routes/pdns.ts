import { endpoint } from '../endpoint.ts';
import { fencesOf, matchInput, passiveValue } from '../passive.ts';
import { ImportLines } from '../passive-import.ts';
import { ProblemError } from '../problem.ts';
import { pdnsBatch, pdnsBatchBody, pdnsImport, pdnsImportQuery, pdnsPage, pdnsQuery } from '../schema/pdns.ts';

/** Which records a name had, which names a record. */
export const pdns = endpoint({
  method: 'get',
  path: '/pdns',
  tag: 'passive dns',
  summary: 'Passive DNS of a name, a wildcard, an address, a CIDR block or a range',
  query: pdnsQuery,
  answer: pdnsPage,
  async run({ query, api, now, signal }) {
    const { q, limit, after } = query;
    const page = await api.ask(() =>
      api.services.store.passive(
        { match: matchInput(q, 'q'), ...fencesOf(query, now), limit, ...(after !== undefined && { after }) },
        signal,
      ),
    );
    return { rows: page.rows.map(passiveValue), next: page.next };
  },
});

/** The same for a pasted list. */
export const pdnsMany = endpoint({
  method: 'post',
  path: '/pdns/batch',
  tag: 'passive dns',
  summary: 'Passive DNS of up to 100 names and addresses',
  body: pdnsBatchBody,
  answer: pdnsBatch,
  run: ({ body, api, signal }) =>
    api.ask(async () => {
      const results = [];
      for (const q of body.q) {
        try {
          const page = await api.services.store.passive({ match: matchInput(q, 'q'), limit: body.limit }, signal);
          results.push({ q, rows: page.rows.map(passiveValue) });
        } catch (error) {
          if (!(error instanceof ProblemError)) throw error;
          results.push({ q, rows: [], error: error.message });
        }
      }
      return { results };
    }),
});

/** Learns from elsewhere. */
export const pdnsLearn = endpoint({
  method: 'post',
  path: '/pdns/import',
  tag: 'passive dns',
  summary: 'Imports passive DNS: common output format, Zeek dns.log (JSON or TSV), passivedns log',
  access: 'operator',
  query: pdnsImportQuery,
  raw: true,
  answer: pdnsImport,
  async run({ query: { format }, api, request, identity, remote }) {
    const { store } = api.services;
    const lines = new ImportLines(format, (rows) => api.ask(() => store.importPassive(rows)));
    await lines.read(request.body);
    const { counts } = lines;
    const detail = `${counts.imported} of ${counts.lines} lines`;
    await api.audit.change({ user: identity.user, address: remote, action: 'pdns.import', subject: format, detail });
    return counts;
  },
});
