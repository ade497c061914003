import type { JSX } from 'preact';
import type { Alert } from '../../../src/server/schema/alerts.ts';
import { count } from '../format.ts';
import { here } from '../state.ts';
import { Moment } from '../statistics/head.tsx';
import { t } from '../text.ts';
import { levelOf, Severity } from './severity.tsx';

const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;

/** The worst first; of one severity what goes on first, then the newest. */
export function inOrder(rows: readonly Alert[]): Alert[] {
  const rank = (one: Alert): number => SEVERITIES.indexOf(one.severity) * 2 + (one.active ? 0 : 1);
  return [...rows].sort((a, b) => rank(a) - rank(b) || Date.parse(b.updated) - Date.parse(a.updated));
}

interface InboxProps {
  /** In order. */
  rows: readonly Alert[];
  selected: string | undefined;
  ticked: ReadonlySet<string>;
  onTick: (id: string) => void;
}

/** The alerts by severity; each is a link to what shows it. */
export function Inbox({ rows, selected, ticked, onTick }: InboxProps): JSX.Element {
  return (
    <div class="inbox-list">
      {SEVERITIES.map((severity) => {
        const group = rows.filter((one) => one.severity === severity);
        if (group.length === 0) return null;
        return (
          <section key={severity} aria-label={t(`alerts.severity.${severity}`)}>
            <h3>
              <Severity of={severity} named />
              <span class="faint">{group.length}</span>
            </h3>
            <ul>
              {group.map((alert) => (
                <Line
                  key={alert.id}
                  alert={alert}
                  isSelected={alert.id === selected}
                  isTicked={ticked.has(alert.id)}
                  onTick={onTick}
                />
              ))}
            </ul>
          </section>
        );
      })}
    </div>
  );
}

function Line({
  alert,
  isSelected,
  isTicked,
  onTick,
}: {
  alert: Alert;
  isSelected: boolean;
  isTicked: boolean;
  onTick: (id: string) => void;
}): JSX.Element {
  const { id, title, detector, domain, client, server, updated, active, explains, assignee, suppressed } = alert;
  const about = [domain, client, server].filter((one) => one !== null);
  return (
    <li class={`${levelOf(alert.severity)}${isSelected ? ' on' : ''}${active ? '' : ' over'}`} data-alert={id}>
      <input
        type="checkbox"
        checked={isTicked}
        aria-label={t('alerts.tick', { title })}
        onChange={() => {
          onTick(id);
        }}
      />
      <a href={here({ sel: id })} aria-current={isSelected ? 'true' : undefined}>
        <strong>{title}</strong>
        <span class="what">
          <span class="detector">{detector}</span>
          {about.length > 0 && <bdi class="mono">{about.join(' · ')}</bdi>}
        </span>
      </a>
      <span class="when">
        <Moment at={updated} ago />
        <span class="faint">
          {[
            active ? null : t('alerts.over'),
            suppressed > 0 ? t('alerts.suppressed', { n: count(suppressed) }) : null,
            explains > 0 ? t('alerts.explains', { n: explains }) : null,
            assignee,
          ]
            .filter((one) => one !== null)
            .join(' · ')}
        </span>
      </span>
    </li>
  );
}
