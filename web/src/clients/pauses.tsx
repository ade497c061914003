import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { TransactionsPage } from '../../../src/server/schema/transactions.ts';
import { api, useApi } from '../api.ts';
import { and, term } from '../filter.ts';
import { duration, exact } from '../format.ts';
import { range } from '../state.ts';
import { Answer } from '../statistics/list.tsx';
import { Num } from '../statistics/number.tsx';
import { t } from '../text.ts';
import { Bars } from '../ui/bars.tsx';
import { Empty, Panel } from '../ui/panel.tsx';
import { Value } from '../ui/value.tsx';
import { beats, INTERVAL_EDGES, intervalHistogram } from './intervals.ts';

const SAMPLE = 1000;
const SHOWN = 5;

/** Pauses between a client's questions, and domains that it asks like a clock. */
export function IntervalsPanel({ f }: { f: string }): JSX.Element {
  const answer = useApi<TransactionsPage>(api.transactions({ ...range.value, f, limit: SAMPLE }));
  const events = useMemo(
    () =>
      (answer.data?.rows ?? []).map(({ time, registrable_domain, name }) => ({
        domain: registrable_domain ?? name ?? '',
        time: Date.parse(time),
      })),
    [answer.data],
  );
  const counts = useMemo(() => intervalHistogram(events.map(({ time }) => time)), [events]);
  const found = useMemo(() => beats(events.filter(({ domain }) => domain !== '')), [events]);
  const used = counts.flatMap((n, i) => (n === 0 ? [] : [i]));
  return (
    <Panel
      title={t('clients.pauses')}
      note={
        answer.data && t(answer.data.next ? 'clients.pauses.sample' : 'clients.pauses.all', { n: exact(events.length) })
      }
      stale={answer.loading}
    >
      <Answer answer={answer}>
        <div class="halves">
          {used.length === 0 ? (
            <Empty title={t('clients.pauses.none')} />
          ) : (
            <Bars
              label={t('clients.pauses')}
              bars={INTERVAL_EDGES.slice(used[0], used[used.length - 1] + 1).map((edge, i) => ({
                key: edge === 0 ? `< ${duration(INTERVAL_EDGES[1])}` : `≥ ${duration(edge)}`,
                value: counts[used[0] + i],
                text: exact(counts[used[0] + i]),
              }))}
            />
          )}
          <div>
            <h3>{t('clients.beats')}</h3>
            {found.length === 0 ? (
              <p class="mute">{t('clients.beats.none')}</p>
            ) : (
              <ul class="lines">
                {found.slice(0, SHOWN).map(({ domain, period, rounds }) => (
                  <li key={domain}>
                    <Value kind="domain" value={domain} class="clip" />
                    <span class="end">
                      {t('clients.beats.every', { span: duration(period) })} ·{' '}
                      <Num value={rounds} f={and(f, term('domain', domain) ?? '')} whole>
                        {t('clients.beats.rounds', { n: rounds })}
                      </Num>
                    </span>
                  </li>
                ))}
              </ul>
            )}
            <p class="note">{t('clients.beats.note')}</p>
          </div>
        </div>
      </Answer>
    </Panel>
  );
}
