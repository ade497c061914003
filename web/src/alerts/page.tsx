import '../statistics/pages.css';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Alert, Alerts } from '../../../src/server/schema/alerts.ts';
import type { Views } from '../../../src/server/schema/meta.ts';
import { api, useApi } from '../api.ts';
import { and, term } from '../filter.ts';
import { percent, plain } from '../format.ts';
import { openAlerts } from '../shell/status.ts';
import { link, param, update } from '../state.ts';
import { Choice } from '../statistics/choice.tsx';
import { tableHeight } from '../statistics/columns.ts';
import { Moment } from '../statistics/head.tsx';
import { Answer } from '../statistics/list.tsx';
import { t } from '../text.ts';
import { Kbd, Panel } from '../ui/panel.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Value } from '../ui/value.tsx';
import { ViewLink } from '../ui/view-link.tsx';
import { Severity } from './severity.tsx';

const STATES = ['open', 'acknowledged', 'muted', 'closed', 'false_positive'] as const;
type State = (typeof STATES)[number];

/** The inbox: what was found, the worst and newest first, with its evidence. */
export function Page(): JSX.Element {
  const state: State = STATES.find((one) => one === param('state')) ?? 'open';
  const answer = useApi<Alerts>(api.alerts({ state, limit: 500 }), { follow: true });
  const { data } = answer;
  useEffect(() => {
    if (data !== undefined) openAlerts.value = data.open;
  }, [data]);
  const rows = data?.rows ?? [];
  const selected = rows.find((alert) => alert.id === param('sel'));
  return (
    <div class="page">
      <h1 class="hidden">{t('page.alerts')}</h1>
      <p class="hidden" role="status">
        {data !== undefined && t('alerts.open', { n: data.open })}
      </p>
      <div class={selected === undefined ? '' : 'grid-3'}>
        <Panel
          title={t('page.alerts')}
          note={data === undefined ? undefined : t('alerts.open', { n: data.open })}
          class={selected === undefined ? 'wide-table' : 'wide-table span-2'}
          stale={answer.loading}
          actions={
            <>
              <Choice
                label={t('alerts.state')}
                value={state}
                options={STATES.map((value) => ({ value, title: t(`alerts.state.${value}`) }))}
                onChange={(value) => {
                  update({ state: value === 'open' ? null : value, sel: null });
                }}
              />
              <span class="keys">
                <Kbd>j</Kbd> <Kbd>k</Kbd>
              </span>
            </>
          }
        >
          <Answer answer={answer}>
            {rows.length === 0 ? (
              <Nothing state={state} />
            ) : (
              <Table
                label={t('page.alerts')}
                rows={rows}
                columns={alertColumns()}
                rowKey={({ id }) => id}
                rowHeight={36}
                height={tableHeight(rows.length * 1.3, 240)}
                selected={selected?.id}
                onOpen={({ id }) => {
                  update({ sel: id });
                }}
              />
            )}
          </Answer>
        </Panel>
        {selected !== undefined && <Evidence alert={selected} />}
      </div>
    </div>
  );
}

function alertColumns(): Column<Alert>[] {
  return [
    {
      key: 'severity',
      title: t('alerts.severity'),
      width: '92px',
      render: ({ severity }) => <Severity of={severity} named />,
    },
    { key: 'title', title: t('alerts.title'), render: ({ title }) => <strong>{title}</strong> },
    {
      key: 'about',
      title: t('alerts.about'),
      width: '240px',
      render: ({ client, domain }) => (
        <>
          {domain !== null && <Value kind="domain" value={domain} inRow />}
          {domain !== null && client !== null && ' '}
          {client !== null && <Value kind="client" value={client} class="mute" inRow />}
        </>
      ),
    },
    {
      key: 'detector',
      title: t('alerts.detector'),
      width: '132px',
      render: ({ detector }) => <span class="mute">{detector}</span>,
    },
    {
      key: 'confidence',
      title: t('alerts.confidence'),
      width: '92px',
      align: 'end',
      render: ({ confidence }) => plain(percent(confidence)),
    },
    {
      key: 'time',
      title: t('chart.time'),
      width: '116px',
      align: 'end',
      render: ({ time }) => <Moment at={time} ago />,
    },
  ];
}

/** Why it was raised, in the detector's own numbers, and the way to the transactions. */
function Evidence({ alert }: { alert: Alert }): JSX.Element {
  const about = [
    alert.domain === null ? null : term('domain', alert.domain),
    alert.client === null ? null : term('client', alert.client),
  ];
  const f = about.reduce<string>((all, part) => (part === null ? all : and(all, part)), '');
  return (
    <Panel title={t('alerts.evidence')} note={alert.detector}>
      <p class="sentence">
        <Severity of={alert.severity} named /> <strong>{alert.title}</strong>
      </p>
      <p>{alert.text}</p>
      <p class="buttons">
        <a class="button primary" href={link('/explore', { f: f === '' ? null : f, live: null })}>
          {t('value.log')}
        </a>
        <button
          type="button"
          class="button"
          onClick={() => {
            update({ sel: null });
          }}
        >
          {t('shell.close')}
        </button>
      </p>
    </Panel>
  );
}

/** Nothing found is good news, or no detector has looked: it says which, and what can be hunted by hand. */
function Nothing({ state }: { state: State }): JSX.Element {
  const views = useApi<Views>(api.views());
  const hunts = (views.data?.rows ?? []).filter(({ builtin }) => builtin);
  if (state !== 'open')
    return <p class="quiet mute">{t('alerts.none.state', { state: t(`alerts.state.${state}`) })}</p>;
  return (
    <div class="quiet">
      <strong>{t('alerts.none')}</strong>
      <p>{t('alerts.none.text')}</p>
      {hunts.length > 0 && (
        <>
          <h3>{t('alerts.hunts')}</h3>
          <ul class="cards">
            {hunts.map((view) => (
              <li key={view.name}>
                <ViewLink view={view} />
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
