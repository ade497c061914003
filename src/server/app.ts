import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { compress } from 'hono/compress';
import { randomBytes } from 'node:crypto';
import { Api } from './api.ts';
import type { MetricReading } from '../tracing/metric-values.ts';
import { Exposition, readings } from './exposition.ts';
import { Guards, secure } from './guards.ts';
import { healthEndpoints } from './health-endpoints.ts';
import { isLoopback } from './hosts.ts';
import { listen, type Listening } from './listen.ts';
import { API_ROOT, type Env, mount, refusal } from './mount.ts';
import { spanOfRequest } from './request-span.ts';
import { PageFiles } from './page-files.ts';
import { ProblemError, problemOf, problemResponse } from './problem.ts';
import { ENDPOINTS } from './routes/index.ts';
import type { ServerServices } from './services.ts';

/** The page and the API. */
export interface NametapServer {
  /** Answers a request without a socket, as one that comes from this machine. */
  request(request: Request): Promise<Response>;
  /** Not ready from now on: what balances load sends nothing more. */
  drain(): void;
  /** The metrics and their values now. */
  readings(): Promise<MetricReading[]>;
  /** Ends live tails, finishes what is being answered, stops listening. Twice is once. */
  close(): Promise<void>;
}

/** Makes the server; it does not listen yet. */
export function createServer(services: ServerServices): NametapServer & { listen(): Promise<Listening> } {
  const api = new Api(services);
  const guards = new Guards(services.options, api.sessions, () => services.now());
  const app = createApp(api, guards);
  let listening: Listening | null = null;
  return {
    request: async (request) => app.fetch(request, {}),
    async listen() {
      listening = await listen(services.options, (request, env) => app.fetch(request, env), services.log);
      guards.port = listening.port;
      return listening;
    },
    readings: () => readings(api),
    drain: () => {
      api.draining = true;
    },
    async close() {
      api.draining = true;
      const settled = api.close();
      const open = listening;
      listening = null;
      await open?.close();
      await settled;
    },
  };
}

/**
 * Starts the server. Throws UserError when it may not listen there (no credentials), or cannot (port in use, no
 * certificate).
 */
export async function startServer(services: ServerServices): Promise<NametapServer & Listening> {
  const server = createServer(services);
  try {
    const listening = await server.listen();
    return { ...listening, ...server };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** The app without its socket. */
export function createApp(api: Api, guards: Guards): OpenAPIHono<Env> {
  const { services } = api;
  const isTls = services.options.tls !== null;
  const app = new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw refusal(result.target, result.error);
    },
  });
  // The outermost: everything that is answered is counted and carries the headers.
  app.use(async (c, next) => {
    const started = performance.now();
    c.set('remote', c.env.incoming?.socket.remoteAddress ?? '127.0.0.1');
    c.set('request', randomBytes(6).toString('hex'));
    c.set('route', 'other');
    await next();
    secure(c.res.headers, isTls);
    api.traffic.add(c.var.route, c.res.status, (performance.now() - started) / 1000);
  });
  app.use(spanOfRequest);
  app.use(async (c, next) => {
    guards.admit(c.req.raw, c.var.remote);
    await next();
  });
  const squeeze = compress();
  // On this machine compressing costs more than it saves.
  app.use((c, next) => (isLoopback(c.var.remote) && c.req.path !== '/metrics' ? next() : squeeze(c, next)));
  for (const endpoint of ENDPOINTS) mount(app, endpoint, { api, guards });
  describe(app, services.version);
  healthEndpoints(app, api);
  mountMetrics(app, api, guards);
  mountPage(app, api, guards);
  app.onError((error, c) => failure(error, c, api));
  return app;
}

/** The OpenAPI file, from the schemas that validate. */
function describe(app: OpenAPIHono<Env>, version: string): void {
  for (const [name, scheme] of Object.entries({
    cookie: { type: 'apiKey', in: 'cookie', name: 'nametap_5390', description: 'nametap_ and the port' },
    bearer: { type: 'http', scheme: 'bearer' },
    basic: { type: 'http', scheme: 'basic' },
    key: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
  } as const)) {
    app.openAPIRegistry.registerComponent('securitySchemes', name, scheme);
  }
  const config = {
    openapi: '3.1.0',
    info: {
      title: 'nametap',
      version,
      description:
        'DNS transactions, statistics and passive DNS. Errors are problem+json. Lists are paged by `after`, which is `next` of the page before. Filters are those of `nametap read -Y`.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    security: ['cookie', 'bearer', 'basic', 'key'].map((name): Record<string, string[]> => ({ [name]: [] })),
  };
  let text: string | undefined;
  app.get(`${API_ROOT}/openapi.json`, (c) => {
    c.set('route', `${API_ROOT}/openapi.json`);
    text ??= JSON.stringify(app.getOpenAPI31Document(config));
    return c.body(text, 200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache' });
  });
}

function mountMetrics(app: OpenAPIHono<Env>, api: Api, guards: Guards): void {
  let exposition: Exposition | undefined;
  app.get('/metrics', async (c) => {
    c.set('route', '/metrics');
    const identity = await guards.identify(c.req.raw, c.var.remote);
    if (!guards.mayReadMetrics(identity, c.var.remote)) {
      throw new ProblemError(401, "Metrics are read with a token here: see 'metrics' of layer 'server'.");
    }
    exposition ??= new Exposition(api);
    return exposition.answer(c.req.header('accept') ?? '');
  });
}

function mountPage(app: OpenAPIHono<Env>, api: Api, guards: Guards): void {
  const files = new PageFiles(api.services.page);
  app.get('*', async (c) => {
    const { path } = c.req;
    const isOfApi = path === '/api' || path.startsWith('/api/');
    const token = c.req.query('token');
    if (token !== undefined && !isOfApi) {
      c.set('route', 'page');
      return signedIn(c, token, { api, guards });
    }
    const found = isOfApi ? null : await files.answer(c.req.raw);
    if (found === null) throw new ProblemError(404, `There is nothing at this path.`);
    c.set('route', 'page');
    return found;
  });
  app.all('*', (c) => {
    throw new ProblemError(404, `There is nothing at this path for ${c.req.method}.`);
  });
}

/** `?token=…` of a link: signs in, and takes the token out of the address. */
async function signedIn(
  c: Context<Env>,
  token: string,
  { api, guards }: { api: Api; guards: Guards },
): Promise<Response> {
  const identity = await guards.signInByToken(c.var.remote, token);
  const { cookie, seconds } = api.sessions.open(identity);
  await api.audit.change({
    user: identity.user,
    address: c.var.remote,
    action: 'session.open',
    subject: identity.role,
  });
  const url = new URL(c.req.url);
  url.searchParams.delete('token');
  return new Response(null, {
    status: 303,
    headers: {
      // A path of two slashes would be another host.
      Location: `/${(url.pathname + url.search).replace(/^\/+/, '')}`,
      'Set-Cookie': guards.cookieHeader(cookie, seconds),
      'Cache-Control': 'no-store',
    },
  });
}

/** As others number it in their logs. */
const CLIENT_GONE = 499;

function failure(error: Error, c: Context<Env>, { services }: Api): Response {
  // Nobody waits for the answer any more.
  if (c.req.raw.signal.aborted) return new Response(null, { status: CLIENT_GONE });
  const found = problemOf(error);
  const { request, remote } = c.var;
  if (found.problem.status < 500) return problemResponse(found);
  const fields = { err: error, request, remote, method: c.req.method, path: c.req.path };
  if (found.problem.status === 500) services.log.error(fields, 'a request failed');
  return problemResponse(found, request);
}
