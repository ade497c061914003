import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Overview } from '../../src/server/schema/overview.ts';
import type { Sensors } from '../../src/server/schema/sensors.ts';
import { until } from '../until.ts';
import { serving, type Server, temporaryFolder } from './serving.ts';

test('who captures nothing shows what others kept', async (t) => {
  const data = temporaryFolder();
  const capturing = await serving(t, data, { 'capture-files': 'test/captures/udp.pcap', 'detect-enabled': 'false' });
  const range = 'from=2023-03-04T10:00:00Z&to=2023-03-04T11:00:00Z';
  const counted = `/api/v1/statistics?${range}&measures=transactions`;
  const transactions = async (server: Server) => {
    const { rows } = await server.json<{ rows: { transactions: number }[] }>(counted);
    return rows[0]?.transactions;
  };
  await until(async () => (await transactions(capturing)) === 17, '17 transactions');
  await capturing.stop();

  const showing = await serving(t, data, { 'capture-interfaces': 'none' });
  assert.equal(await transactions(showing), 17);
  assert.deepEqual((await showing.json<Sensors>('/api/v1/sensors')).sensors, []);
  assert.equal((await fetch(`${showing.served.url}/readyz`)).status, 200);
  const { state } = await showing.json<Overview>('/api/v1/overview?from=-1h&to=now');
  assert.notEqual(state.level, 'degraded', JSON.stringify(state));
  const { received } = await showing.stop();
  assert.equal(received, 0);
});
