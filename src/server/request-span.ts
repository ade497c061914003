import type { MiddlewareHandler } from 'hono';
import { traced, within } from '../tracing/spans.ts';
import type { Env } from './mount.ts';

/** Supervisors and scrapers ask every few seconds, and pages are files. */
const UNTRACED = /^\/(?:livez|readyz|healthz|metrics|assets\/)/;

/** A request is a span, part of what its `traceparent` says. Live tails, which go on for hours, are none. */
export const spanOfRequest: MiddlewareHandler<Env> = async (c, next) => {
  const { method, path } = c.req;
  if (UNTRACED.test(path) || path.endsWith('/tail')) return next();
  return within(c.req.raw.headers, () =>
    traced(method, 'server', { 'http.request.method': method, 'url.path': path.slice(0, 256) }, async (span) => {
      await next();
      const { route } = c.var;
      span.updateName(`${method} ${route}`);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': c.res.status });
    }),
  );
};
