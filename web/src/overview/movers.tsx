import type { JSX } from 'preact';
import type { Mover, Overview } from '../../../src/server/schema/overview.ts';
import { count } from '../format.ts';
import { link } from '../state.ts';
import { t } from '../text.ts';
import { Empty, Panel } from '../ui/panel.tsx';
import { Value } from '../ui/value.tsx';

const SHOWN = 5;

/** Domains and clients whose share of the work changed: change, not volume. */
export function Movers({ movers: { domains, clients } }: { movers: Overview['movers'] }): JSX.Element {
  const isEmpty = domains.length === 0 && clients.length === 0;
  return (
    <Panel class="movers" title={t('overview.movers')} note={t('overview.movers.note')}>
      {isEmpty ? (
        <Empty title={t('overview.movers.none')}>{t('overview.movers.none.text')}</Empty>
      ) : (
        <>
          <MoverTable title={t('overview.movers.domains')} kind="domain" rows={domains} />
          <MoverTable title={t('overview.movers.clients')} kind="client" rows={clients} />
        </>
      )}
    </Panel>
  );
}

function MoverTable(props: { title: string; kind: 'domain' | 'client'; rows: readonly Mover[] }): JSX.Element {
  return (
    <table class="plain">
      <thead>
        <tr>
          <th scope="col">{props.title}</th>
          <th scope="col" class="end number">
            {t('overview.movers.now')}
          </th>
          <th scope="col" class="end number">
            {t('overview.movers.usual')}
          </th>
          <th scope="col" class="end change">
            {t('overview.movers.change')}
          </th>
        </tr>
      </thead>
      <tbody>
        {props.rows.slice(0, SHOWN).map(({ key, now, usual, change, f }) => (
          <tr key={key}>
            <td>
              <Value kind={props.kind} value={key} f={f} class={props.kind === 'client' ? 'mono' : ''} />
            </td>
            <td class="end">
              <a class="number-link" href={link('/explore', { f })}>
                {count(now)}
              </a>
            </td>
            <td class="end mute">{count(usual)}</td>
            <td class="end">
              <Change change={change} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How many times as much as usual, with an arrow; new where there was none. */
function Change({ change }: { change: number | null }): JSX.Element {
  if (change === null) return <b class="attn">{t('tile.new')}</b>;
  const times = change + 1;
  const text = `${times >= 9.95 ? Math.round(times) : times.toFixed(1)}×`;
  return change >= 0 ? <b class="attn">▲ {text}</b> : <span class="mute">▼ {text}</span>;
}
