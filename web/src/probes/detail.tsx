import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { ProbeHistory, ProbeLast, ProbeTarget } from '../../../src/server/schema/probes.ts';
import type { Statistics } from '../../../src/server/schema/statistics.ts';
import { api, useApi } from '../api.ts';
import { duration, moment } from '../format.ts';
import { link, range, resolvedRange } from '../state.ts';
import { latencyText } from '../statistics/figures.ts';
import { Answer } from '../statistics/list.tsx';
import { Legend, openLog } from '../statistics/series.tsx';
import { t, type TextKey } from '../text.ts';
import { Chart } from '../ui/chart.tsx';
import { Empty, Fact, Panel } from '../ui/panel.tsx';
import { smokeOf, stepOf } from './series.ts';
import { LossBand } from './strip.tsx';

const BUCKETS = 120;
const PHASES = ['resolve', 'connect', 'tls', 'first_byte', 'transfer'] as const;

/** All of one target: where its last time went, how it has been, and what was seen of the same on the wire. */
export function Detail({ target }: { target: ProbeTarget }): JSX.Element {
  return (
    <div class="grid-3">
      <SmokePanel target={target} />
      <div class="stack">
        <Waterfall last={target.last} />
        <FactsPanel target={target} />
      </div>
    </div>
  );
}

function SmokePanel({ target }: { target: ProbeTarget }): JSX.Element {
  const { from, to } = resolvedRange();
  const step = stepOf(to - from, BUCKETS);
  const { passive } = target;
  const history = useApi<ProbeHistory>(
    api.probeHistory({ ...range.value, check: target.check, target: target.target }),
    { follow: true },
  );
  const seen = useApi<Statistics>(
    passive === null
      ? null
      : api.statistics({ ...range.value, f: passive.f, step, measures: ['latency'], limit: 1000 }),
    { follow: true },
  );
  const { data } = history;
  const smoke = useMemo(
    () => (data === undefined ? null : smokeOf(data.beats, Date.parse(data.from), Date.parse(data.to), step * 1000)),
    [data, step],
  );
  const medians = useMemo(() => {
    const at = new Map((seen.data?.rows ?? []).map((row) => [Date.parse(row.time ?? ''), row.latency?.p50 ?? null]));
    return smoke?.time.map((time) => at.get(time) ?? null) ?? [];
  }, [seen.data, smoke]);
  const legend: [string, string, string][] = [['signal', t('probes.active'), 'solid']];
  if (passive !== null) legend.push(['info', t('probes.passive'), 'dashed']);
  legend.push(['mute', t('probes.max'), 'dotted']);
  return (
    <Panel
      title={t('probes.smoke')}
      note={t('probes.smoke.note', { span: duration(step) })}
      class="span-2"
      stale={history.loading}
      actions={
        passive !== null && (
          <a class="more" href={link('/explore', { f: passive.f })}>
            {t('probes.log')}
          </a>
        )
      }
    >
      <Answer answer={history} height={330}>
        {smoke !== null && (
          <>
            <Chart
              label={t('probes.smoke')}
              time={smoke.time}
              step={step}
              height={280}
              format={latencyText}
              band={{ low: smoke.low, high: smoke.high }}
              {...(passive !== null && { onOpen: (span) => openLog(span, passive.f) })}
              series={[
                { label: t('probes.max'), values: smoke.max, color: 'mute', dash: [2, 3] },
                ...(passive === null
                  ? []
                  : [{ label: t('probes.passive'), values: medians, color: 'info' as const, dash: [5, 3] }]),
                { label: t('probes.active'), values: smoke.median, color: 'signal' },
              ]}
            />
            <LossBand time={smoke.time} loss={smoke.loss} />
            <Legend items={legend} />
          </>
        )}
      </Answer>
    </Panel>
  );
}

/** Parts of the last check, one behind the other. */
function Waterfall({ last }: { last: ProbeLast | null }): JSX.Element {
  const parts = PHASES.flatMap((phase) => {
    const ms = last?.phases[phase];
    return ms === undefined ? [] : [{ phase, ms }];
  });
  const all = parts.reduce((sum, { ms }) => sum + ms, 0);
  let before = 0;
  return (
    <Panel title={t('probes.waterfall')} note={last === null ? undefined : moment(Date.parse(last.time), true)}>
      {all === 0 ? (
        <Empty title={t('probes.waterfall.none')} />
      ) : (
        <ol class="waterfall">
          {parts.map(({ phase, ms }) => {
            const left = before;
            before += ms;
            return (
              <li key={phase}>
                <span>{t(`probes.${phase}`)}</span>
                <i>
                  <b style={{ left: `${(left / all) * 100}%`, width: `${Math.max(0.5, (ms / all) * 100)}%` }} />
                </i>
                <span class="num">{latencyText(ms)}</span>
              </li>
            );
          })}
        </ol>
      )}
    </Panel>
  );
}

function FactsPanel({ target }: { target: ProbeTarget }): JSX.Element {
  const { last } = target;
  return (
    <Panel title={t('probes.facts')}>
      <dl class="facts">
        <Fact title={t('probes.result')}>{last === null ? '–' : <Result last={last} />}</Fact>
        <Fact title={t('probes.every')}>{duration(target.every_s)}</Fact>
        {last?.address !== null && last !== null && <Fact title={t('probes.address')}>{last.address}</Fact>}
        {Object.entries(last?.facts ?? {}).map(([key, value]) => (
          <Fact key={key} title={<span lang="en">{key.replaceAll('_', ' ')}</span>}>
            <span lang="en">{factText(key, value)}</span>
          </Fact>
        ))}
      </dl>
    </Panel>
  );
}

/** Outcome in the page's language, and the words of the check, which are English. */
export function Result({ last: { outcome, text } }: { last: ProbeLast }): JSX.Element {
  return (
    <>
      {outcome !== 'ok' && `${t(`probes.outcome.${outcome}` as TextKey)}: `}
      <span lang="en" title={text}>
        {text}
      </span>
    </>
  );
}

function factText(key: string, value: number | string | boolean): string {
  if (typeof value !== 'number') return String(value);
  if (key === 'certificate_expires' || key === 'last_modified') return moment(value * 1000);
  return key === 'jitter' || key === 'spread' ? latencyText(value) : String(value);
}
