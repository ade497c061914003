import { z } from '@hono/zod-openapi';
import type { Records } from '../../store/store.ts';
import { endpoint } from '../endpoint.ts';
import { HUNTS } from '../hunts.ts';
import { ProblemError } from '../problem.ts';
import { type View, view, viewBody, views } from '../schema/meta.ts';

const MOST_VIEWS = 500;

/** Views that were saved, what is none left out. */
async function saved(records: Records): Promise<View[]> {
  const rows = await records.list<object>('views', { limit: MOST_VIEWS });
  return rows.flatMap(({ id, value }) => {
    const read = view.safeParse({ ...value, name: id, builtin: false });
    return read.success ? [read.data] : [];
  });
}

/** Hunts that nametap brings, and what people saved. */
export const listViews = endpoint({
  method: 'get',
  path: '/views',
  tag: 'views',
  summary: 'Saved views: the hunts that nametap brings, and your own',
  answer: views,
  run: async ({ api }) => ({ rows: [...HUNTS, ...(await api.ask(() => saved(api.services.store.records)))] }),
});

/** Saves a view, or replaces it. */
export const saveView = endpoint({
  method: 'post',
  path: '/views',
  tag: 'views',
  summary: 'Saves a view under its name',
  access: 'operator',
  body: viewBody,
  answer: view,
  status: 201,
  async run({ body, api, identity, remote }) {
    const { records } = api.services.store;
    if (HUNTS.some(({ name }) => name === body.name)) {
      throw new ProblemError(409, `'${body.name}' is a view that nametap brings: choose another name.`, {
        parameter: 'name',
      });
    }
    const known = await saved(records);
    if (known.length >= MOST_VIEWS && !known.some(({ name }) => name === body.name)) {
      throw new ProblemError(409, `There are ${MOST_VIEWS} views already: delete one first.`);
    }
    const { name, ...value } = body;
    await records.put('views', value, { id: name });
    await api.audit.change({
      user: identity.user,
      address: remote,
      action: 'view.save',
      subject: name,
      detail: body.url,
    });
    return { ...body, builtin: false };
  },
});

/** Takes a view away. */
export const deleteView = endpoint({
  method: 'delete',
  path: '/views/{name}',
  tag: 'views',
  summary: 'Deletes a saved view',
  access: 'operator',
  params: z.object({ name: z.string().max(64) }),
  async run({ params: { name }, api, identity, remote }) {
    if (HUNTS.some((hunt) => hunt.name === name)) throw new ProblemError(409, `'${name}' belongs to nametap.`);
    if (!(await api.services.store.records.delete('views', name))) {
      throw new ProblemError(404, `There is no saved view '${name}'.`);
    }
    await api.audit.change({ user: identity.user, address: remote, action: 'view.delete', subject: name });
    return new Response(null, { status: 204 });
  },
});
