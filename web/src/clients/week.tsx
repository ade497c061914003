import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Statistics } from '../../../src/server/schema/statistics.ts';
import { api, useApi } from '../api.ts';
import { count, exact } from '../format.ts';
import { range, resolvedRange, zone } from '../state.ts';
import { Answer } from '../statistics/list.tsx';
import { language, t } from '../text.ts';
import { Panel } from '../ui/panel.tsx';
import { fullOf, shade, summaryOf, type Week, weekOf, wholeHoursAhead } from './rhythm.ts';

const WEEK_MS = 7 * 86_400_000;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
/** A Monday: names of days are taken from it. */
const MONDAY = Date.UTC(2024, 0, 1);

/** Hour × day: the rhythm of a client over a week at least, in the page's time zone. */
export function RhythmPanel({ f }: { f: string }): JSX.Element {
  const { from, to } = resolvedRange();
  const asked = to - from < WEEK_MS ? { from: '-7d', to: 'now' } : range.value;
  const answer = useApi<Statistics>(
    api.statistics({ ...asked, f, group: ['hour_of_week'], measures: ['transactions'], limit: 168 }),
  );
  const ahead = wholeHoursAhead(zone.value, Date.now());
  const week = useMemo(
    () =>
      weekOf(
        (answer.data?.rows ?? []).flatMap(({ hour_of_week, transactions }) =>
          hour_of_week === null || hour_of_week === undefined
            ? []
            : [{ hour: Number(hour_of_week), count: transactions ?? 0 }],
        ),
        ahead ?? 0,
      ),
    [answer.data, ahead],
  );
  const about = summaryOf(week);
  return (
    <Panel
      title={t('clients.rhythm')}
      note={
        about === null
          ? undefined
          : t('clients.rhythm.note', {
              day: dayName(about.busiest.day),
              hour: `${String(about.busiest.hour).padStart(2, '0')}:00`,
              active: about.active,
              zone: ahead === null ? 'UTC' : zone.value,
            })
      }
      stale={answer.loading}
    >
      <Answer answer={answer}>
        <WeekTable week={week} />
        <p class="note">{t(to - from < WEEK_MS ? 'clients.rhythm.week' : 'clients.rhythm.range')}</p>
      </Answer>
    </Panel>
  );
}

/** A table whose cells are coloured: what the eye reads as a heat map, a screen reader reads as numbers. */
function WeekTable({ week }: { week: Week }): JSX.Element {
  const most = fullOf(week);
  return (
    <div class="scroll-x" tabIndex={0} role="region" aria-label={t('clients.rhythm')}>
      <table class="week">
        <caption class="hidden">{t('clients.rhythm')}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="hidden">{t('clients.day')}</span>
            </th>
            {HOURS.map((hour) => (
              <th key={hour} scope="col">
                {hour % 3 === 0 ? String(hour).padStart(2, '0') : <span class="hidden">{hour}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {week.map((hours, day) => (
            <tr key={day}>
              <th scope="row">{dayName(day)}</th>
              {hours.map((n, hour) => (
                <td
                  key={hour}
                  class={`h${shade(n, most)}`}
                  title={`${dayName(day)} ${String(hour).padStart(2, '0')}:00 · ${exact(n)}`}
                >
                  <span class="hidden">{count(n)}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function dayName(day: number): string {
  return new Intl.DateTimeFormat(language.value, { weekday: 'short', timeZone: 'UTC' }).format(
    MONDAY + day * 86_400_000,
  );
}
