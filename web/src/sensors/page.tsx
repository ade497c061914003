import '../statistics/pages.css';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Sensor, Sensors } from '../../../src/server/schema/sensors.ts';
import { api, useApi } from '../api.ts';
import { bytes, count, duration, exact, percent, plain, rate } from '../format.ts';
import { quote } from '../filter.ts';
import { link } from '../state.ts';
import { Answer } from '../statistics/list.tsx';
import { privacyText, storeText, tell } from '../said.ts';
import { t } from '../text.ts';
import { Icon, Mark } from '../ui/icons.tsx';
import { Bars } from '../ui/bars.tsx';
import { Empty, Panel } from '../ui/panel.tsx';
import { Tile, Tiles } from '../ui/tile.tsx';
import { sensors as shared } from '../shell/status.ts';
import { CachePanel } from './cache.tsx';
import { causeText } from './causes.ts';
import { FlowDiagram } from './diagram.tsx';
import { isLoss } from './flow.ts';
import { BlockingPanel, TablesPanel } from './kept.tsx';
import { PostgresPanel } from './postgres.tsx';
import { SinksPanel, StorePanel } from './store.tsx';

const POLL_MS = 2000;

/** What came in, where it went, and that it sums. */
export function Page(): JSX.Element {
  const answer = useApi<Sensors>(api.sensors());
  const { data, reload } = answer;
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, POLL_MS);
    return () => {
      clearInterval(timer);
    };
  }, []);
  useEffect(() => {
    if (data !== undefined) shared.value = data;
  }, [data]);
  return (
    <div class="page">
      <h1 class="hidden">{t('sensors.title')}</h1>
      <Answer answer={answer} height={480}>
        {data !== undefined && <Pipeline data={data} />}
      </Answer>
    </div>
  );
}

function Pipeline({ data }: { data: Sensors }): JSX.Element {
  return (
    <>
      <Sentence data={data} />
      <SensorTiles data={data} />
      {data.sensors.length === 0 && (
        <Panel title={t('sensors.title')}>
          <Empty title={t('sensors.none')}>{t('sensors.none.text')}</Empty>
        </Panel>
      )}
      {data.sensors.map((sensor) => (
        <SensorPanel key={sensor.name} sensor={sensor} />
      ))}
      <div class="grid-2">
        <StorePanel store={data.store} />
        <div class="stack">
          {data.store.postgres !== undefined && <PostgresPanel postgres={data.store.postgres} />}
          <SinksPanel sinks={data.sinks} />
          <CachePanel cache={data.cache} />
          <TablesPanel tables={data.tables} />
          <BlockingPanel blocking={data.blocking} />
        </div>
      </div>
    </>
  );
}

/** Frames that were lost: not those that are no DNS, or came broken. */
function lossOf(sensor: Sensor): number {
  return Object.entries(sensor.ledger.frames).reduce(
    (sum, [cause, n]) => (cause !== 'carried' && isLoss(cause) ? sum + n : sum),
    0,
  );
}

function Sentence({ data }: { data: Sensors }): JSX.Element {
  const received = data.sensors.reduce((sum, sensor) => sum + sensor.ledger.received, 0);
  const lost = data.sensors.reduce((sum, sensor) => sum + lossOf(sensor), 0);
  const dropped = Object.entries(data.store.dropped).reduce(
    (sum, [cause, n]) => (cause === 'retention' ? sum : sum + n),
    0,
  );
  const wrong = data.sensors.flatMap((sensor) => sensor.ledger.imbalance);
  return (
    <p class="sentence" role="status">
      {lost === 0 && dropped === 0 ? (
        <>
          <Mark level="good" /> <strong>{t('sensors.whole')}</strong>{' '}
        </>
      ) : (
        <>
          <Mark level="alarm" />{' '}
          <strong>
            {t('sensors.lost', {
              frames: exact(lost),
              percent: plain(percent(received === 0 ? 0 : lost / received)),
              rows: exact(dropped),
            })}
          </strong>{' '}
        </>
      )}
      {wrong.length === 0 ? t('sensors.sums', { n: exact(received) }) : <span class="alarm">{wrong.join('; ')}</span>}{' '}
      {data.store.degraded !== null && <span class="alarm">{storeText(data.store.degraded)}</span>}
    </p>
  );
}

function SensorTiles({ data }: { data: Sensors }): JSX.Element {
  const sum = (pick: (sensor: Sensor) => number): number => data.sensors.reduce((all, sensor) => all + pick(sensor), 0);
  const received = sum((sensor) => sensor.ledger.received);
  const lags = data.sensors.flatMap(({ lag_s }) => (lag_s === null ? [] : [lag_s]));
  const rings = data.sensors.flatMap(({ ring }) => (ring === null ? [] : [ring]));
  // As the first screen has it: what the capture itself dropped.
  const lost = sum(({ ledger: { frames } }) => (frames.kernel ?? 0) + (frames.interface ?? 0));
  const { store } = data;
  return (
    <Tiles label={t('sensors.title')}>
      <Tile
        label={t('sensors.frames')}
        shown={rate(sum((sensor) => sensor.frames_rate))}
        note={t('sensors.frames.all', { n: count(received) })}
      />
      <Tile
        label={t('list.transactions')}
        shown={rate(sum((sensor) => sensor.rate))}
        note={t('sensors.frames.all', { n: count(sum((sensor) => sensor.ledger.transactions)) })}
      />
      <Tile
        label={t('sensors.loss')}
        shown={percent(received === 0 ? 0 : lost / received)}
        note={t('sensors.loss.note', { n: count(lost) })}
        level={lost === 0 ? 'none' : 'alarm'}
      />
      <Tile
        label={t('sensors.ring')}
        shown={rings.length === 0 ? null : percent(Math.max(...rings))}
        note={t('sensors.ring.note')}
      />
      <Tile
        label={t('sensors.lag')}
        shown={
          lags.length === 0
            ? null
            : {
                text: duration(Math.max(...lags)).split(' ')[0],
                unit: duration(Math.max(...lags))
                  .split(' ')
                  .slice(1)
                  .join(' '),
              }
        }
        note={t('sensors.lag.note')}
      />
      <Tile
        label={t('sensors.stored')}
        shown={bytes(store.bytes)}
        note={t('sensors.stored.note', { n: count(store.appended) })}
      />
      <Tile
        label={t('sensors.queue')}
        shown={percent(store.queue.capacity === 0 ? 0 : store.queue.length / store.queue.capacity)}
        note={t('sensors.queue.note', { n: count(store.queue.length), of: count(store.queue.capacity) })}
      />
    </Tiles>
  );
}

function SensorPanel({ sensor }: { sensor: Sensor }): JSX.Element {
  const { ledger } = sensor;
  const messages = Object.entries(ledger.messages).sort((a, b) => b[1] - a[1]);
  return (
    <Panel
      title={
        <>
          <Mark
            level={sensor.running ? 'good' : 'none'}
            label={t(sensor.running ? 'sensors.running' : 'sensors.stopped')}
          />{' '}
          {sensor.name}
        </>
      }
      note={`${tell(sensor.source, sensor.source_said)}${sensor.interface === null ? '' : ` · ${sensor.interface}`} · ${t('sensors.uptime', { span: duration(sensor.uptime_s) })}`}
      actions={
        <>
          <a class="more" href={link('/explore', { f: `sensor == ${quote(sensor.name)}` })}>
            {t('sensors.log')}
          </a>
          <span class="shield" title={privacyText(sensor.privacy)}>
            <Icon name="shield" /> {t('shell.privacy', { level: sensor.privacy.level })}
          </span>
        </>
      }
      class="sensor"
    >
      {sensor.one_in > 1 && (
        <p class="sampled">
          <Mark level="attention" /> {t('sensors.sampled', { n: exact(sensor.one_in) })}
        </p>
      )}
      <FlowDiagram ledger={ledger} />
      <h3>
        {t('sensors.messages', { n: exact(ledger.decoded) })}
        {sensor.open_transactions !== null && (
          <span class="note"> · {t('sensors.open', { n: exact(sensor.open_transactions) })}</span>
        )}
      </h3>
      <Bars
        label={t('sensors.messages', { n: exact(ledger.decoded) })}
        bars={messages.map(([cause, n]) => ({
          key: cause,
          label: causeText(cause),
          value: n,
          text: exact(n),
          level: cause === 'evicted' ? 'alarm' : 'none',
        }))}
      />
    </Panel>
  );
}
