import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { finding } from '../alerts/findings.ts';
import { folderOf, notified } from '../alerts/notifier.ts';
import { freePort } from '../../scripts/services/free-port.ts';

interface Shown {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  generatorURL: string;
}

test('a real Alertmanager shows what goes on, in its present severity, and not what is over', async (t) => {
  const folder = folderOf(t);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder, 'am.yml');
  writeFileSync(config, 'route: {receiver: none}\nreceivers: [{name: none}]\n');
  const child = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  t.after(() => child.kill('SIGKILL'));
  const active = async (): Promise<Shown[]> =>
    (await (await fetch(`${url}/api/v2/alerts?active=true`)).json()) as Shown[];
  const eventually = async (holds: (shown: Shown[]) => boolean): Promise<Shown[]> => {
    let shown: Shown[] = [];
    for (let i = 0; i < 150; i++) {
      shown = await active().catch(() => []);
      if (holds(shown)) return shown;
      await sleep(100);
    }
    return assert.fail(`Alertmanager shows ${JSON.stringify(shown)}`);
  };
  // It is still starting: the first attempts are in vain.
  const { book } = notified(t, { am: { type: 'alertmanager', url } }, { folder, page: 'https://nametap.example.net' });
  const time = Date.now() / 1000;
  book.raise(finding({ time, severity: 'medium' }));
  const [first] = await eventually(({ length }) => length === 1);
  const [{ id }] = book.incidents();
  assert.equal(first.labels.alertname, 'TUN-BYTES');
  assert.equal(first.labels.incident, id);
  assert.equal(first.annotations.summary, finding().title);
  assert.equal(first.generatorURL, `https://nametap.example.net/alerts?sel=${id}`);
  book.raise(finding({ time: time + 0.5, severity: 'critical' }));
  await eventually(({ length, 0: one }) => length === 1 && one.labels.severity === 'critical');
  await book.act(id, { kind: 'close' }, { by: 'ada', time: time + 1 });
  await eventually(({ length }) => length === 0);
});
