import { flag, group, span, text, whole } from '../core/settings.ts';

/** Layer `pipeline`: how messages become transactions. */
export const pipelineSettings = group('How messages become transactions.', {
  threads: whole('Worker threads that decode; absent: what pays for the input. 0: none of their own.', {
    most: 64,
    example: 2,
  }),
  timeout: span('A query is unanswered so long after its last copy.', { default: '5s', least: 1, most: 3_600_000 }),
  late: span('A response is late, and no orphan, up to so long after the last copy of its query.', {
    default: '30s',
    least: 1,
    most: 3_600_000,
  }),
  skew: span('A response may be stamped so much earlier than its query.', { default: '1ms', most: 1000 }),
  filter: text('Display filter: only transactions that pass are kept, shown and written.', {
    example: 'dns.flags.rcode != 0',
  }),
  paths: flag("Links what a resolver asks to the client's query that caused it.", { default: true }),
});
