import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { AlertBook } from '../../src/alerts/book.ts';
import { Notifier } from '../../src/alerts/notifier.ts';
import { type AlertConfig, alertSettings } from '../../src/alerts/settings.ts';
import { schemaOf } from '../../src/app/config-schema.ts';

/** A folder of its own, gone with the test. */
export function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nametap-alerts-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The value of `alerts:` as the configuration would give it. */
export function alertConfig(written: object): AlertConfig {
  return schemaOf(alertSettings).parse(written) as AlertConfig;
}

/** A book with outputs as the configuration would give them. */
export function notified(t: TestContext, outputs: Record<string, object>, { folder = folderOf(t), page = '' } = {}) {
  const said: string[] = [];
  const notifier = new Notifier(alertConfig({ outputs, ...(page !== '' && { page }) }), {
    folder,
    sensor: 'office',
    version: '1.2.3',
    pauses: { firstMs: 10, longestMs: 40 },
    log: (_, __, message) => said.push(message),
  });
  const book = new AlertBook();
  book.subscribe(notifier.take);
  t.after(() => notifier.close());
  return { book, notifier, said, folder };
}
