import type { JSX } from 'preact';
import type { Alert } from '../../../src/server/schema/alerts.ts';
import type { Overview } from '../../../src/server/schema/overview.ts';
import { Severity } from '../alerts/severity.tsx';
import { clock, moment, plain } from '../format.ts';
import { tell } from '../said.ts';
import { link } from '../state.ts';
import { t } from '../text.ts';
import { Icon, type Level, Mark } from '../ui/icons.tsx';
import { Panel } from '../ui/panel.tsx';
import { Value } from '../ui/value.tsx';
import { withScope } from './sentence.tsx';
import { expectedText, shownOf } from './tiles.tsx';

const DAY_MS = 86_400_000;
/** Up to so many lines leave room for what is watched. */
const FEW = 3;

/** What wants a person: open alerts, and what is unusual right now. */
export function AlertInbox({ data: { alerts, state, tiles } }: { data: Overview }): JSX.Element {
  const early = tiles.every(({ expected }) => expected === null);
  const isQuiet = alerts.top.length === 0 && state.reasons.length === 0;
  return (
    <Panel
      class="alerts"
      title={t('overview.alerts')}
      note={alerts.open > 0 ? t('overview.alerts.open', { n: alerts.open }) : undefined}
      actions={<a href={link('/alerts')}>{t('overview.alerts.all')}</a>}
    >
      {isQuiet && (
        <div class="all-well">
          <Icon name="check" />
          <p>
            <b>{t('overview.alerts.none')}</b>
            <span class="why">{t(early ? 'overview.alerts.none.early' : 'overview.alerts.none.text')}</span>
          </p>
        </div>
      )}
      <div class="inbox">
        <ul>
          {alerts.top.map((alert) => (
            <AlertLine key={alert.id} alert={alert} />
          ))}
          {(alerts.top.length === 0 ? state.reasons : []).map(({ key, text, said, level, link: to }) => (
            <li key={key} class="alert">
              <Mark level={level === 'degraded' ? 'alarm' : 'attention'} label={t(`state.${level}`)} />
              <p>{tell(text, said)}</p>
              <span class="faint">{t('overview.alerts.now')}</span>
              {to !== null && (
                <div class="acts">
                  <a href={withScope(to)}>{t('overview.alerts.look')}</a>
                </div>
              )}
            </li>
          ))}
        </ul>
        {alerts.top.length + (isQuiet ? 0 : 1) <= FEW && <Watched tiles={tiles} early={early} />}
      </div>
    </Panel>
  );
}

/** What is compared with what is usual, line by line. */
function Watched({ tiles, early }: { tiles: Overview['tiles']; early: boolean }): JSX.Element {
  return (
    <table class="plain watched">
      <caption class="hidden">{t('overview.alerts.watched')}</caption>
      <tbody>
        {tiles.map((tile) => {
          const { key, value, expected, anomalous } = tile;
          const show = (number: number): string => plain(shownOf(tile, number));
          const level: Level = anomalous ? 'attention' : expected === null ? 'none' : 'good';
          return (
            <tr key={key}>
              <th scope="row">
                <Mark level={level} />
                {t(`tile.${key}`)}
              </th>
              <td class="end">{value === null ? '–' : show(value)}</td>
              {!early && <td class="end faint">{expected === null ? t('tile.none') : expectedText(tile, expected)}</td>}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function AlertLine({ alert }: { alert: Alert }): JSX.Element {
  const { id, time, title, severity, confidence, text, client, domain } = alert;
  const at = Date.parse(time);
  return (
    <li class="alert">
      <Severity of={severity} />
      <p lang="en">
        <b>{title}</b>
      </p>
      <time class="faint" dateTime={time} title={moment(at, true)}>
        {Date.now() - at < DAY_MS ? clock(at) : moment(at)}
      </time>
      {text !== '' && (
        <p class="why" lang="en">
          {text}
        </p>
      )}
      <div class="acts">
        <a href={link('/alerts', { sel: id })}>{t('overview.alerts.evidence')}</a>
        {client !== null && <Value kind="client" value={client} class="mono" />}
        {domain !== null && <Value kind="name" value={domain} class="mono" />}
        <span class="faint">{t('overview.confidence', { value: Math.round(confidence * 100) })}</span>
      </div>
    </li>
  );
}
