import '../statistics/pages.css';
import './page.css';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { ProbeList, ProbeTarget } from '../../../src/server/schema/probes.ts';
import { api, useApi } from '../api.ts';
import { duration, exact, percent, plain } from '../format.ts';
import { link, param, update } from '../state.ts';
import { latencyText } from '../statistics/figures.ts';
import { Answer } from '../statistics/list.tsx';
import { t } from '../text.ts';
import { Empty, Panel } from '../ui/panel.tsx';
import { Mark } from '../ui/icons.tsx';
import { type Column, rowCount, Table } from '../ui/table.tsx';
import { Detail, Result } from './detail.tsx';
import { Heartbeat } from './strip.tsx';

const POLL_MS = 2000;

/** Names, services and hosts under check, beside what is seen of them. */
export function Page(): JSX.Element {
  const answer = useApi<ProbeList>(api.probes());
  const { data, reload } = answer;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, POLL_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <div class="page">
      <h1 class="hidden">{t('probes.title')}</h1>
      <Answer answer={answer} height={480}>
        {data !== undefined && <Checks data={data} />}
      </Answer>
    </div>
  );
}

function keyOf({ check, target }: ProbeTarget): string {
  return `${check} ${target}`;
}

function Checks({ data }: { data: ProbeList }): JSX.Element {
  const selected = data.targets.find((target) => keyOf(target) === param('target')) ?? data.targets[0];
  return (
    <>
      <Sentence data={data} />
      <Panel title={t('probes.targets')} note={rowCount(data.total)} class="wide-table numbers">
        <Table
          label={t('probes.targets')}
          rows={data.targets}
          columns={columns()}
          rowKey={keyOf}
          rowHeight={32}
          height={`${Math.min(360, 40 + Math.max(2, data.targets.length) * 32)}px`}
          selected={selected === undefined ? undefined : keyOf(selected)}
          onOpen={(target) => update({ target: keyOf(target) }, { replace: true })}
          empty={
            <Empty
              title={t('probes.none')}
              action={
                <a class="button" href={link('/settings')}>
                  {t('probes.none.settings')}
                </a>
              }
            >
              {t('probes.none.text')}
            </Empty>
          }
        />
      </Panel>
      {selected !== undefined && <Detail key={keyOf(selected)} target={selected} />}
    </>
  );
}

function Sentence({ data }: { data: ProbeList }): JSX.Element {
  const checked = data.targets.filter(({ last }) => last !== null);
  const failing = checked.filter(({ last }) => last?.outcome !== 'ok');
  return (
    <p class="sentence" role="status">
      <strong>
        {failing.length === 0
          ? t('probes.all', { n: exact(data.total) })
          : t('probes.failing', { n: failing.length, all: exact(data.total) })}
      </strong>{' '}
      {t('probes.load', { running: exact(data.running), skipped: exact(data.skipped) })}{' '}
      {t('probes.delay', { p99: latencyText(data.loop_delay_ms.p99), max: latencyText(data.loop_delay_ms.max) })}{' '}
      {data.icmp !== null && <span lang="en">ICMP: {data.icmp}.</span>}{' '}
      {data.own > 0 && t('probes.own', { n: exact(data.own) })}
    </p>
  );
}

function columns(): Column<ProbeTarget>[] {
  return [
    {
      key: 'state',
      title: t('probes.state'),
      width: '112px',
      render: ({ last, since }) => {
        if (last === null) return <span class="mute">{t('probes.waiting')}</span>;
        const span = since === null ? '' : duration(Math.max(1, (Date.now() - Date.parse(since)) / 1000));
        return (
          <span>
            <Mark level={last.outcome === 'ok' ? 'good' : 'alarm'} />{' '}
            {last.outcome === 'ok' ? t('probes.ok') : t('probes.fails')} <span class="mute">{span}</span>
          </span>
        );
      },
    },
    { key: 'check', title: t('probes.check'), width: '120px', render: ({ check }) => check },
    { key: 'target', title: t('probes.target'), mono: true, render: ({ target }) => target },
    {
      key: 'beats',
      title: t('probes.last'),
      width: '316px',
      render: ({ beats }) => <Heartbeat beats={beats} />,
    },
    {
      key: 'time',
      title: t('probes.time'),
      width: '88px',
      align: 'end',
      render: ({ last }) => (last === null || last.ms === null ? '–' : latencyText(last.ms)),
    },
    {
      key: 'loss',
      title: t('probes.loss'),
      width: '80px',
      align: 'end',
      render: ({ beats }) => {
        const loss = beats.reduce((sum, beat) => sum + beat.loss, 0) / Math.max(1, beats.length);
        return plain(percent(loss));
      },
    },
    {
      key: 'text',
      title: t('probes.result'),
      width: '220px',
      render: ({ last }) => (last === null ? '' : <Result last={last} />),
    },
  ];
}
