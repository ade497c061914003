import type { z } from '@hono/zod-openapi';
import type { Api } from './api.ts';
import type { Guards } from './guards.ts';
import type { Identity } from './sessions.ts';

/** What a handler is given. */
export interface Call<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  api: Api;
  guards: Guards;
  /** Who asks; only endpoints for anyone are called without. */
  identity: Identity;
  request: Request;
  /** Address of the client. */
  remote: string;
  /** Aborts when the client goes away. */
  signal: AbortSignal;
  /** Milliseconds since 1970 at which the request came. */
  now: number;
  /** Response headers to add. */
  headers: Headers;
}

/** Whom an endpoint is for: everyone, those who have signed in, those who may change things. */
export type Access = 'anyone' | 'viewer' | 'operator';

type Schema = z.ZodType;
export type ObjectSchema = z.ZodObject;

/** An endpoint as data: the request is validated by it, the OpenAPI file written from it. */
export interface Endpoint {
  method: 'get' | 'post' | 'delete';
  /** Such as `/transactions/{id}`, behind `/api/v1` unless `root`. */
  path: string;
  root: boolean;
  tag: string;
  summary: string;
  access: Access;
  params: ObjectSchema | null;
  query: ObjectSchema | null;
  /** JSON; a `raw` body is read by the handler, which bounds it. */
  body: Schema | 'raw' | null;
  /** JSON; null = nothing (204). */
  answer: Schema | null;
  /** Other kinds of content it can answer with. */
  media: readonly string[];
  status: number;
  run(call: Call<unknown, unknown, unknown>): Promise<unknown>;
}

interface Definition<P extends ObjectSchema, Q extends ObjectSchema, B extends Schema, A extends Schema> {
  method: Endpoint['method'];
  path: string;
  root?: boolean;
  tag: string;
  summary: string;
  access?: Access;
  params?: P;
  query?: Q;
  body?: B;
  raw?: boolean;
  answer?: A;
  media?: readonly string[];
  status?: number;
  run(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<z.input<A> | Response> | z.input<A> | Response;
}

/** Makes an endpoint of its definition, with the types of its schemas. */
export function endpoint<P extends ObjectSchema, Q extends ObjectSchema, B extends Schema, A extends Schema>(
  definition: Definition<P, Q, B, A>,
): Endpoint {
  const { params, query, body, raw, answer, media = [], access = 'viewer', root = false } = definition;
  return {
    method: definition.method,
    path: definition.path,
    root,
    tag: definition.tag,
    summary: definition.summary,
    access,
    params: params ?? null,
    query: query ?? null,
    body: raw === true ? 'raw' : (body ?? null),
    answer: answer ?? null,
    media,
    status: definition.status ?? (answer === undefined && media.length === 0 ? 204 : 200),
    // The schemas have made the values what the types say.
    run: async (call) => definition.run(call as Call<z.output<P>, z.output<Q>, z.output<B>>),
  };
}
