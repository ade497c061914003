import type { Alert, AlertAction } from '../../../src/server/schema/alerts.ts';
import { send, toApiError } from '../api.ts';
import { t } from '../text.ts';
import { notify } from '../ui/notice.tsx';

/** Does the same with some alerts, says so with a way back, and then calls `done`; what fails is said too. */
export async function act(ids: readonly string[], action: AlertAction, done: () => void): Promise<void> {
  const changed: string[] = [];
  try {
    for (const id of ids) {
      await send<Alert>('POST', `/alerts/${id}`, action);
      changed.push(id);
    }
  } catch (thrown) {
    notify(toApiError(thrown).message);
  }
  done();
  if (changed.length === 0) return;
  const text = t(`alerts.did.${action.action}`, { n: changed.length });
  if (action.action === 'undo') return notify(text);
  notify(text, { label: t('alerts.undo'), run: () => void act(changed, { action: 'undo' }, done) });
}
