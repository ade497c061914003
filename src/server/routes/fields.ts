import { FIELDS } from '../../filter/fields/registry.ts';
import { endpoint } from '../endpoint.ts';
import { fields as answer, type Fields } from '../schema/meta.ts';

let value: Fields | undefined;

/** What filters can ask for. */
export const fields = endpoint({
  method: 'get',
  path: '/fields',
  tag: 'meta',
  summary: 'Fields of the filter language, for completion',
  answer,
  run({ headers }) {
    headers.set('Cache-Control', 'private, max-age=3600');
    value ??= { rows: FIELDS.map(fieldValue) };
    return value;
  },
});

function fieldValue({
  name,
  title,
  group,
  type,
  kind,
  folds,
  stored,
  names,
}: (typeof FIELDS)[number]): Fields['rows'][number] {
  const values = names?.entries.map(([number, text]) => ({ number, text }));
  return { name, title, group, type, kind, folds, stored, ...(values !== undefined && { values }) };
}
