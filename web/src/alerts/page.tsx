import '../statistics/pages.css';
import './page.css';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Alert, AlertAction, AlertDetail, Alerts } from '../../../src/server/schema/alerts.ts';
import type { Blocks } from '../../../src/server/schema/blocks.ts';
import type { Views } from '../../../src/server/schema/meta.ts';
import { api, session, useApi } from '../api.ts';
import { type Binding, useKeys } from '../keys.ts';
import { viewText } from '../said.ts';
import { openAlerts } from '../shell/status.ts';
import { param, update } from '../state.ts';
import { Choice } from '../statistics/choice.tsx';
import { Answer } from '../statistics/list.tsx';
import { t } from '../text.ts';
import { Kbd, Panel } from '../ui/panel.tsx';
import { act } from './act.ts';
import { BlockDialog, targetsOf } from './block.tsx';
import { Ask, type Asked } from './dialogs.tsx';
import { Detail } from './detail.tsx';
import { useAlertEvents } from './events.ts';
import { inOrder, Inbox } from './inbox.tsx';
import { useAlertPages } from './pages.ts';

const STATES = ['open', 'acknowledged', 'muted', 'closed', 'false_positive'] as const;
type State = (typeof STATES)[number];
const NONE: ReadonlySet<string> = new Set();

/** The inbox: what was found, the worst first; beside it what shows the one at hand, and what can be done about it. */
export function Page(): JSX.Element {
  const state: State = STATES.find((one) => one === param('state')) ?? 'open';
  const answer = useAlertPages({ state, q: param('find') });
  const { data } = answer;
  useEffect(() => {
    if (data !== undefined) openAlerts.value = data.open;
  }, [data]);
  const rows = useMemo(() => inOrder(data?.rows ?? []), [data]);
  const at = param('sel') || rows[0]?.id;
  const detail = useApi<AlertDetail>(at === undefined ? null : api.alert(at), { follow: true });
  const blocks = useApi<Blocks>(api.blocks(), { follow: true });
  const reload = (): void => {
    answer.reload();
    detail.reload();
    blocks.reload();
  };
  useAlertEvents(reload);
  const work = useWork(rows, at, detail.data?.alert, reload);
  const shown = detail.data?.alert;
  const canBlock = blocks.data !== undefined && shown !== undefined && mayBlock(shown);
  return (
    <div class="page alerts-page">
      <h1 class="hidden">{t('page.alerts')}</h1>
      <p class="hidden" role="status">
        {data !== undefined && t('alerts.open', { n: data.open })}
      </p>
      <div class={rows.length === 0 && param('sel') === '' ? '' : 'triage'}>
        <Panel
          title={t('page.alerts')}
          class="inbox-panel"
          note={data === undefined ? undefined : t('alerts.open', { n: data.open })}
          actions={<Filters state={state} counts={data?.states} />}
        >
          <Answer answer={answer}>
            {rows.length === 0 ? (
              <Nothing state={state} isSearch={param('find') !== ''} />
            ) : (
              <>
                <Inbox rows={rows} selected={at} ticked={work.ticked} onTick={work.tick} />
                <More of={answer.more} />
                <KeyHelp />
              </>
            )}
          </Answer>
        </Panel>
        {at !== undefined && (
          <div class="side">
            <Answer answer={detail} height={480}>
              {detail.data !== undefined && (
                <Detail
                  detail={detail.data}
                  actions={<Actions work={work} canBlock={canBlock} />}
                  blocks={blocks.data?.rows ?? []}
                  reload={reload}
                />
              )}
            </Answer>
          </div>
        )}
      </div>
      {work.asked === 'block' && canBlock && <BlockDialog of={shown} onDone={reload} onClose={() => work.ask(null)} />}
      {work.asked !== null && work.asked !== 'block' && work.targets.length > 0 && (
        <Ask what={work.asked} of={work.targets} onDone={work.run} onClose={() => work.ask(null)} />
      )}
    </div>
  );
}

function mayBlock(alert: AlertDetail['alert']): boolean {
  return session.value?.role === 'operator' && targetsOf(alert).length > 0;
}

function More({ of }: { of: (() => void) | undefined }): JSX.Element | null {
  if (of === undefined) return null;
  return (
    <button type="button" class="button more" onClick={of}>
      {t('alerts.more')}
    </button>
  );
}

interface Work {
  ticked: ReadonlySet<string>;
  tick(id: string): void;
  /** What actions are about: those that are ticked, else the one at hand. */
  targets: readonly Alert[];
  asked: Asked | 'block' | null;
  ask(what: Asked | 'block' | null): void;
  run(action: AlertAction): void;
}

/** What is at hand and ticked, and what is done with it, by mouse and keyboard. */
function useWork(rows: readonly Alert[], at: string | undefined, shown: Alert | undefined, reload: () => void): Work {
  const [ticked, setTicked] = useState(NONE);
  const [asked, ask] = useState<Work['asked']>(null);
  const chosen = rows.filter(({ id }) => ticked.has(id));
  const one = rows.find(({ id }) => id === at) ?? (shown?.id === at ? shown : undefined);
  const targets = chosen.length > 0 ? chosen : one === undefined ? [] : [one];
  const work: Work = {
    ticked,
    targets,
    asked,
    ask,
    tick: (id) => {
      const next = new Set(ticked);
      if (!next.delete(id)) next.add(id);
      setTicked(next);
    },
    run: (action) => {
      if (targets.length === 0 || session.value?.role !== 'operator') return;
      const ids = targets.map(({ id }) => id);
      // What is handled leaves the list: the next one is at hand then.
      if (LEAVES.has(action.action)) update({ sel: nextOf(rows, ids)?.id ?? null }, { replace: true });
      setTicked(NONE);
      void act(ids, action, reload);
    },
  };
  useKeys(useTriageKeys(rows, at, work));
  return work;
}

const LEAVES: ReadonlySet<string> = new Set(['acknowledge', 'mute', 'false_positive', 'close', 'reopen']);

function nextOf(rows: readonly Alert[], ids: readonly string[]): Alert | undefined {
  const last = rows.findLastIndex(({ id }) => ids.includes(id));
  const isLeft = ({ id }: Alert): boolean => !ids.includes(id);
  return rows.slice(last + 1).find(isLeft) ?? rows.findLast(isLeft);
}

function useTriageKeys(rows: readonly Alert[], at: string | undefined, work: Work): readonly Binding[] {
  const now = useRef({ rows, at, work });
  now.current = { rows, at, work };
  return useMemo(() => {
    const move = (by: number): void => {
      const { rows: all, at: id } = now.current;
      const from = all.findIndex((one) => one.id === id);
      const next = all[Math.max(0, Math.min(all.length - 1, from + by))];
      if (next === undefined) return;
      // The first press takes the one that is shown.
      const target = document.activeElement?.closest('[data-alert]') === null && param('sel') === '' ? all[0] : next;
      update({ sel: target.id }, { replace: true });
      const line = document.querySelector<HTMLElement>(`[data-alert="${target.id}"] a`);
      line?.focus({ preventScroll: true });
      line?.scrollIntoView({ block: 'nearest' });
    };
    const ask = (what: Work['asked']) => () => now.current.work.ask(what);
    return [
      { keys: 'j', title: 'help.rows', run: () => move(1) },
      { keys: 'k', title: 'help.rows', run: () => move(-1) },
      { keys: 'e', title: 'alerts.do.acknowledge', run: () => now.current.work.run({ action: 'acknowledge' }) },
      { keys: 'm', title: 'alerts.do.mute', run: ask('mute') },
      { keys: 'c', title: 'alerts.do.close', run: () => now.current.work.run({ action: 'close' }) },
      { keys: 'n', title: 'alerts.do.note', run: ask('note') },
      { keys: 'b', title: 'alerts.do.block', run: ask('block') },
      { keys: 'f', title: 'alerts.do.false_positive', run: ask('false_positive') },
      { keys: 'u', title: 'alerts.undo', run: () => now.current.work.run({ action: 'undo' }) },
      {
        keys: 'x',
        title: 'alerts.select',
        run: () => {
          if (now.current.at !== undefined) now.current.work.tick(now.current.at);
        },
      },
    ];
  }, []);
}

/** What can be done; who may only look sees that it is so. */
function Actions({ work: { targets, run, ask }, canBlock }: { work: Work; canBlock: boolean }): JSX.Element {
  if (session.value?.role !== 'operator') return <p class="mute small">{t('alerts.viewer')}</p>;
  const isOpen = targets.every(({ state }) => state === 'open');
  const many = targets.length > 1 ? ` (${targets.length})` : '';
  return (
    <div class="buttons actions-bar" role="group" aria-label={t('alerts.actions')}>
      {isOpen ? (
        <button type="button" class="button primary" onClick={() => run({ action: 'acknowledge' })}>
          {t('alerts.do.acknowledge')}
          {many}
        </button>
      ) : (
        <button type="button" class="button" onClick={() => run({ action: 'reopen' })}>
          {t('alerts.do.reopen')}
          {many}
        </button>
      )}
      {(['assign', 'note', 'mute', 'false_positive'] as const).map((what) => (
        <button key={what} type="button" class="button" onClick={() => ask(what)}>
          {t(`alerts.do.${what}`)}
        </button>
      ))}
      <button type="button" class="button" onClick={() => run({ action: 'close' })}>
        {t('alerts.do.close')}
      </button>
      {canBlock && targets.length === 1 && (
        <button type="button" class="button" onClick={() => ask('block')}>
          {t('alerts.do.block')}
        </button>
      )}
    </div>
  );
}

function Filters({ state, counts }: { state: State; counts: Alerts['states'] | undefined }): JSX.Element {
  return (
    <>
      <input
        type="search"
        class="find"
        placeholder={t('alerts.find')}
        aria-label={t('alerts.find')}
        value={param('find')}
        onInput={(event) => {
          update({ find: event.currentTarget.value, sel: null }, { replace: true });
        }}
      />
      <Choice
        label={t('alerts.state')}
        value={state}
        options={STATES.map((value) => {
          const n = counts?.[value] ?? 0;
          return { value, title: n > 0 ? `${t(`alerts.state.${value}`)} ${n}` : t(`alerts.state.${value}`) };
        })}
        onChange={(value) => {
          update({ state: value === 'open' ? null : value, sel: null });
        }}
      />
    </>
  );
}

function KeyHelp(): JSX.Element {
  return (
    <p class="key-help faint small" aria-hidden="true">
      <Kbd>j</Kbd>
      <Kbd>k</Kbd> {t('alerts.key.move')} <Kbd>e</Kbd> {t('alerts.key.ack')} <Kbd>m</Kbd> {t('alerts.key.mute')}{' '}
      <Kbd>x</Kbd> {t('alerts.key.select')} <Kbd>c</Kbd> {t('alerts.key.close')} <Kbd>u</Kbd> {t('alerts.key.undo')}
    </p>
  );
}

/** Nothing found is good news; what can be hunted by hand is beside it. */
function Nothing({ state, isSearch }: { state: State; isSearch: boolean }): JSX.Element {
  const views = useApi<Views>(api.views());
  const hunts = (views.data?.rows ?? []).filter(({ builtin }) => builtin);
  if (state !== 'open' || isSearch)
    return <p class="quiet mute">{t('alerts.none.state', { state: t(`alerts.state.${state}`) })}</p>;
  return (
    <div class="quiet">
      <strong>{t('alerts.none')}</strong>
      <p>{t('alerts.none.text')}</p>
      {hunts.length > 0 && (
        <>
          <h3>{t('alerts.hunts')}</h3>
          <ul class="cards">
            {hunts.map((view) => {
              const { title, summary } = viewText(view);
              return (
                <li key={view.name}>
                  <a href={view.url}>
                    <strong>{title}</strong>
                    {summary !== undefined && <span>{summary}</span>}
                  </a>
                </li>
              );
            })}
          </ul>
        </>
      )}
    </div>
  );
}
