import { Baseline } from '../baseline/baseline.ts';
import { BaselineKeeper } from './baseline-keeper.ts';
import { AlertBook } from '../alerts/book.ts';
import { rulesOf } from '../alerts/settings.ts';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { EXIT, UserError } from '../core/errors.ts';
import { createServer } from '../server/app.ts';
import { openStore } from '../store/open.ts';
import { type ApiClient, localApi } from './api-client.ts';
import type { LoadedConfig } from './config.ts';
import { DataFolder } from './data-folder.ts';
import { LiveTail } from './live-tail.ts';
import { servicesOf, storeOptions } from './services.ts';

/**
 * The API over a store that nobody serves at the moment: opened in this process, without a socket. Throws UserError where
 * there is none.
 */
export async function openLocal(loaded: LoadedConfig, version: string): Promise<ApiClient> {
  const { config } = loaded;
  const data = new DataFolder(config.data);
  const path = data.part('store');
  if (config.store.engine === 'duckdb' && !existsSync(path)) {
    throw new UserError(
      `There is no history in ${data.path}. Record some with nametap serve, or name the folder with --data, or a server with --url.`,
      EXIT.file,
    );
  }
  const store = await openStore(storeOptions(config, path));
  // Nobody judges here; what was found can be looked at, and worked on.
  const alerts = new AlertBook({ rules: rulesOf(config.alerts), records: store.records });
  await alerts.load();
  const baselines = new BaselineKeeper(new Baseline(config.detect.baseline), data.part('baseline'));
  baselines.restore();
  const silent = { info: () => {}, warn: () => {}, error: () => {} };
  const token = randomBytes(24).toString('base64url');
  const services = servicesOf({
    version,
    loaded: { ...loaded, config: { ...config, server: { ...config.server, token: undefined } } },
    store,
    live: new LiveTail(''),
    log: silent,
    token,
    demo: null,
    packetFolder: data.part('packets'),
    sensors: () => [],
    sinks: () => [],
    alerts,
    baselines,
    checks: () => [],
  });
  const server = createServer(services);
  const transport = async (request: Request) => {
    request.headers.set('Host', '127.0.0.1');
    // What a socket would say.
    if (request.body !== null) {
      request.headers.set('Content-Length', String((await request.clone().arrayBuffer()).byteLength));
    }
    return server.request(request);
  };
  return localApi('http://127.0.0.1', token, transport, async () => {
    await server.close();
    await alerts.flush();
    await store.close();
  });
}
