import type { HttpBindings } from '@hono/node-server';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { nearest } from '../filter/nearest.ts';
import type { Api } from './api.ts';
import type { Endpoint, ObjectSchema } from './endpoint.ts';
import type { Guards } from './guards.ts';
import { ProblemError } from './problem.ts';
import { problem } from './schema/common.ts';
import type { Identity } from './sessions.ts';

export interface Env {
  /** Absent where a request did not come through a socket. */
  Bindings: Partial<HttpBindings>;
  Variables: { remote: string; request: string; route: string; identity: Identity | null };
}

/** Bytes of a JSON body. */
const MOST_BODY_BYTES = 64 << 10;
const NOBODY: Identity = { user: '', role: 'viewer', isToken: false, csrf: null };
export const API_ROOT = '/api/v1';

/** Adds an endpoint to the app: its checks, its validation, its entry in the OpenAPI file. */
export function mount(app: OpenAPIHono<Env>, endpoint: Endpoint, { api, guards }: { api: Api; guards: Guards }): void {
  const { method, access, body } = endpoint;
  const path = endpoint.root ? endpoint.path : API_ROOT + endpoint.path;
  const route = createRoute({
    method,
    path,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...(access === 'anyone' ? { security: [] } : {}),
    request: requestOf(endpoint),
    responses: responsesOf(endpoint),
    middleware: [
      async (c: Context<Env>, next: () => Promise<void>) => {
        c.set('route', path);
        const { remote } = c.var;
        const identity = access === 'anyone' ? null : await guards.identify(c.req.raw, remote);
        guards.authorize(c.req.raw, access, identity);
        if (identity?.role === 'operator') api.services.blocks?.managedFrom(remote);
        c.set('identity', identity);
        checkParameters(endpoint.query, c.req.raw.url);
        if (body !== null && body !== 'raw') checkLength(c.req.raw.headers);
        await next();
      },
    ],
  });
  app.openapi(route, async (c) => {
    const headers = new Headers();
    const answer = await endpoint.run({
      params: endpoint.params === null ? {} : c.req.valid('param' as never),
      query: endpoint.query === null ? {} : c.req.valid('query' as never),
      body: body === null || body === 'raw' ? undefined : c.req.valid('json' as never),
      api,
      guards,
      identity: c.var.identity ?? NOBODY,
      request: c.req.raw,
      remote: c.var.remote,
      signal: c.req.raw.signal,
      now: api.services.now(),
      headers,
    });
    const renewal = access === 'anyone' ? null : guards.renewal(c.req.raw);
    if (renewal !== null) headers.append('Set-Cookie', renewal);
    if (answer instanceof Response) return withHeaders(answer, headers);
    const isEmpty = endpoint.answer === null;
    if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
    if (!isEmpty) headers.set('Content-Type', 'application/json');
    return new Response(isEmpty ? null : JSON.stringify(answer), { status: endpoint.status, headers });
  });
}

function requestOf({ params, query, body }: Endpoint) {
  return {
    ...(params !== null && { params }),
    ...(query !== null && { query }),
    ...(body !== null &&
      (body === 'raw'
        ? { body: { content: { 'text/plain': { schema: z.string() } }, required: true } }
        : { body: { content: { 'application/json': { schema: body } }, required: true } })),
  };
}

function responsesOf({ answer, media, status, summary }: Endpoint) {
  const content = {
    ...(answer !== null && { 'application/json': { schema: answer } }),
    ...Object.fromEntries(media.map((type) => [type, { schema: z.string() }])),
  };
  return {
    [status]: { description: summary, ...(Object.keys(content).length > 0 && { content }) },
    default: { description: 'What went wrong', content: { 'application/problem+json': { schema: problem } } },
  };
}

/** A parameter that is not known is a mistake, not something to pass over. */
function checkParameters(query: ObjectSchema | null, url: string): void {
  const known = Object.keys(query?.shape ?? {});
  for (const name of new URL(url).searchParams.keys()) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new ProblemError(400, `There is no parameter '${name.slice(0, 80)}' here.`, {
      parameter: name.slice(0, 80),
      ...(near !== undefined && { suggestion: near }),
    });
  }
}

/** A JSON body says how long it is, and is short: it is held in memory. */
function checkLength(headers: Headers): void {
  const length = headers.get('content-length');
  if (length === null) throw new ProblemError(411, 'The request has to carry Content-Length.');
  if (Number(length) > MOST_BODY_BYTES)
    throw new ProblemError(413, `A body may have at most ${MOST_BODY_BYTES} bytes.`);
}

function withHeaders(response: Response, headers: Headers): Response {
  for (const [name, value] of headers) response.headers.append(name, value);
  return response;
}

/** What a request that the schema refuses is answered with. */
export function refusal(target: string, error: z.ZodError): ProblemError {
  const [issue] = error.issues;
  const name = issue.path.map(String).join('.');
  const where = target === 'json' ? `the body${name === '' ? '' : ` at '${name}'`}` : `'${name}'`;
  return new ProblemError(400, `${where}: ${issue.message}.`, name === '' ? {} : { parameter: name });
}
