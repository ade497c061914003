import { endpoint } from '../endpoint.ts';
import { config as answer } from '../schema/meta.ts';

/** The configuration; only for those who may change things: it tells how the machine is set up. */
export const config = endpoint({
  method: 'get',
  path: '/config',
  tag: 'meta',
  summary: 'The configuration as it is in force, secrets masked',
  access: 'operator',
  answer,
  run: ({ api }) => api.services.configuration(),
});
