import type { JSX } from 'preact';
import type { Alerts } from '../../../src/server/schema/alerts.ts';
import { api, useApi } from '../api.ts';
import { link } from '../state.ts';
import { Answer } from '../statistics/list.tsx';
import { Moment } from '../statistics/head.tsx';
import { t } from '../text.ts';
import { Empty, Panel } from '../ui/panel.tsx';
import { Severity } from './severity.tsx';

/** Alerts about a domain or a client. */
export function RelatedAlerts({ of, value }: { of: 'domain' | 'client'; value: string }): JSX.Element {
  const answer = useApi<Alerts>(api.alerts({ [of]: value, limit: 100 }));
  const rows = answer.data?.rows ?? [];
  return (
    <Panel title={t('alerts.related')} note={rows.length === 0 ? undefined : String(rows.length)}>
      <Answer answer={answer} height={96}>
        {rows.length === 0 ? (
          <Empty title={t('alerts.related.none')} />
        ) : (
          <ul class="lines">
            {rows.slice(0, 8).map((alert) => (
              <li key={alert.id}>
                <Severity of={alert.severity} />
                <a href={link('/alerts', { sel: alert.id })}>{alert.title}</a>
                <span class="end mute">
                  <Moment at={alert.time} ago />
                </span>
              </li>
            ))}
          </ul>
        )}
      </Answer>
    </Panel>
  );
}
