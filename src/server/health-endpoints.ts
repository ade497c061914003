import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Api } from './api.ts';
import type { Env } from './mount.ts';

/**
 * What supervisors ask: `/livez` (and `/healthz`) answers while the event loop moves, `/readyz` while everything that has
 * to be there is; `?verbose` says what.
 */
export function healthEndpoints(app: OpenAPIHono<Env>, api: Api): void {
  const plain = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' };
  for (const path of ['/livez', '/healthz']) {
    app.get(path, (c) => {
      c.set('route', path);
      return c.body('ok\n', 200, plain);
    });
  }
  app.get('/readyz', async (c) => {
    c.set('route', '/readyz');
    const checks = [
      { name: 'serving', ok: !api.draining, detail: api.draining ? 'going down' : 'yes' },
      await storeCheck(api),
      ...api.services.checks(),
    ];
    const isReady = checks.every(({ ok, isVital }) => ok || isVital === false);
    const lines = checks.map(({ name, ok, detail }) => `[${ok ? '+' : '-'}] ${name}: ${detail}\n`);
    const verbose = c.req.query('verbose') !== undefined || !isReady;
    return c.body(`${verbose ? lines.join('') : ''}${isReady ? 'ok' : 'not ready'}\n`, isReady ? 200 : 503, plain);
  });
}

async function storeCheck(api: Api): Promise<{ name: string; ok: boolean; detail: string }> {
  try {
    const { degraded } = (await api.health()).status;
    return { name: 'store', ok: degraded === null, detail: degraded ?? 'open' };
  } catch (error) {
    api.services.log.error({ err: error }, 'the store does not say how it is');
    return { name: 'store', ok: false, detail: 'it does not answer' };
  }
}
