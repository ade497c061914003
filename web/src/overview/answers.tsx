import type { JSX } from 'preact';
import type { Share } from '../../../src/server/schema/common.ts';
import type { StatisticsRow } from '../../../src/server/schema/statistics.ts';
import { api, useApi } from '../api.ts';
import { percent, plain } from '../format.ts';
import { link, resolvedRange, scope } from '../state.ts';
import { t } from '../text.ts';
import { Bars } from '../ui/bars.tsx';
import { Empty, Panel } from '../ui/panel.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import { Value } from '../ui/value.tsx';
import { Ledger } from './ledger.tsx';

const TYPES = 6;
const RCODES = 5;
const POINTS = 30;

/** What is asked for and what comes back: shares, each with its course over the range. */
export function Answers({ types, rcodes }: { types: readonly Share[]; rcodes: readonly Share[] }): JSX.Element {
  return (
    <Panel class="answers" title={t('overview.answers')}>
      {types.length + rcodes.length === 0 && <Empty title={t('chart.none')} />}
      {types.length > 0 && <h3>{t('overview.types')}</h3>}
      <Shares kind="type" label={t('overview.types')} shares={types.slice(0, TYPES)} />
      {rcodes.length > 0 && <h3>{t('overview.rcodes')}</h3>}
      <Shares kind="rcode" label={t('overview.rcodes')} shares={rcodes.slice(0, RCODES)} />
      <Ledger />
    </Panel>
  );
}

function Shares(props: { kind: 'type' | 'rcode'; label: string; shares: readonly Share[] }): JSX.Element {
  const { kind, shares } = props;
  const range = resolvedRange();
  const step = Math.max(60, Math.ceil((range.to - range.from) / POINTS / 60_000) * 60);
  const wanted = api.statistics({ ...scope.value, group: [kind], step, measures: ['transactions'], limit: 1000 });
  const { data } = useApi(wanted, { follow: true });
  return (
    <Bars
      label={props.label}
      bars={shares.map(({ key, count, ratio, f }) => ({
        key,
        label: <Value kind={kind} value={key} f={f ?? undefined} />,
        value: count,
        aside: <Sparkline values={courseOf(data?.rows ?? [], kind, key)} color={sparkOf(key)} />,
        level: levelOf(key),
        text: (
          <a class="number-link" href={f === null ? link('/explore') : link('/explore', { f })}>
            {ratio === null ? '–' : plain(percent(ratio))}
          </a>
        ),
      }))}
    />
  );
}

/** One key's counts, by time. */
function courseOf(rows: readonly StatisticsRow[], kind: 'type' | 'rcode', key: string): number[] {
  const at = new Map<string, number>();
  for (const row of rows) {
    if (row.time === undefined) continue;
    at.set(row.time, (at.get(row.time) ?? 0) + (row[kind] === key ? (row.transactions ?? 0) : 0));
  }
  return [...at.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, n]) => n);
}

function levelOf(key: string): 'attention' | 'alarm' | 'none' {
  if (key === 'NXDOMAIN') return 'attention';
  return key === 'SERVFAIL' || key === 'REFUSED' || key === 'FORMERR' || key === 'NOTIMP' ? 'alarm' : 'none';
}

function sparkOf(key: string): 'signal' | 'attn' | 'alarm' {
  const level = levelOf(key);
  return level === 'attention' ? 'attn' : level === 'alarm' ? 'alarm' : 'signal';
}
