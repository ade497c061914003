import type { JSX } from 'preact';
import type { Overview, Tile as TileData } from '../../../src/server/schema/overview.ts';
import { between, count, milliseconds, percent, plain, rate, type Shown } from '../format.ts';
import { and } from '../filter.ts';
import { filter, link } from '../state.ts';
import { t } from '../text.ts';
import type { Level } from '../ui/icons.tsx';
import { Tile, Tiles } from '../ui/tile.tsx';
import { gauge } from './gauge.ts';

/** Where tiles lead that no filter counts. */
const PAGES: Readonly<Partial<Record<TileData['key'], string>>> = {
  latency_p50: '/latency',
  latency_p95: '/latency',
  latency_p99: '/latency',
  clients: '/clients',
  new_domains: '/domains',
  capture_loss: '/sensors',
};

/** The numbers of the first screen, each beside what it usually is. */
export function OverviewTiles({ tiles }: { tiles: Overview['tiles'] }): JSX.Element {
  return (
    <Tiles label={t('overview.tiles')}>
      {tiles.map((tile) => (
        <OneTile key={tile.key} tile={tile} />
      ))}
    </Tiles>
  );
}

function OneTile({ tile }: { tile: TileData }): JSX.Element {
  const { key, value, expected, previous, anomalous } = tile;
  const show = (number: number): string => plain(shownOf(tile, number));
  const title = [
    expected && expectedText(tile, expected),
    previous !== null && t('tile.before', { value: show(previous) }),
  ];
  return (
    <Tile
      label={t(`tile.${key}`)}
      shown={value === null ? null : shownOf(tile, value)}
      note={noteOf(tile)}
      level={levelOf(tile, anomalous)}
      href={hrefOf(tile)}
      title={title.filter(Boolean).join(' · ')}
    >
      {expected !== null && value !== null && <Gauge value={value} expected={expected} anomalous={anomalous} />}
    </Tile>
  );
}

/** The usual band on a line, and where the value stands. */
function Gauge(props: { value: number; expected: { low: number; high: number }; anomalous: boolean }): JSX.Element {
  const { low, high, at } = gauge(props.value, props.expected);
  return (
    <span class={`gauge ${props.anomalous ? 'off' : ''}`} aria-hidden="true">
      <i class="usual" style={{ left: `${low}%`, width: `${high - low}%` }} />
      <i class="at" style={{ left: `${at}%` }} />
    </span>
  );
}

/** A tile's number as people read it. */
export function shownOf({ unit }: { unit: string }, value: number): Shown {
  if (unit === '1/s') return rate(value);
  if (unit === 'ratio') return percent(value);
  if (unit === 'ms') return milliseconds(value);
  return { text: count(value), unit: '' };
}

/** What it usually is. */
export function expectedText(tile: { unit: string }, { low, high }: { low: number; high: number }): string {
  return t('tile.expected', { range: between(shownOf(tile, low), shownOf(tile, high)) });
}

/** How it compares with the period before, and whether that is as usual. */
export function noteOf({ key, unit, value, previous, delta, expected, anomalous }: TileData): string {
  if (key === 'capture_loss' && value === 0) return t('tile.lossless');
  if (value === null) return '';
  const change = previous === null || delta === null ? '' : changeText(unit, previous, delta);
  if (anomalous) return change === '' ? t('tile.unusual') : change;
  if (expected !== null)
    return change === '' || change === t('tile.same') ? t('tile.usual') : `${change}, ${t('tile.usual')}`;
  return change;
}

function changeText(unit: string, previous: number, delta: number): string {
  const sign = delta < 0 ? '−' : '+';
  if (unit === 'ratio') {
    const points = Math.abs(delta) * 100;
    return points < 0.05 ? t('tile.same') : t('tile.points', { sign, value: points.toFixed(points < 10 ? 1 : 0) });
  }
  if (previous === 0) return delta === 0 ? t('tile.same') : t('tile.new');
  const ratio = delta / previous;
  if (ratio >= 1) return t('tile.times', { value: (ratio + 1).toFixed(ratio < 9 ? 1 : 0) });
  const part = Math.round(Math.abs(ratio) * 100);
  return part === 0 ? t('tile.same') : t('tile.change', { sign, value: part });
}

/** What is lost or far outside is an alarm; other unusual numbers want attention. */
function levelOf({ key, value, expected }: TileData, anomalous: boolean): Level {
  if (key === 'capture_loss') return value !== null && value > 0 ? 'alarm' : 'none';
  if (!anomalous || value === null || expected === null) return 'none';
  return value > expected.high + 2 * (expected.high - expected.low) ? 'alarm' : 'attention';
}

function hrefOf({ key, f }: TileData): string | undefined {
  const page = PAGES[key];
  if (f !== null) return link('/explore', { f });
  return page === undefined ? link('/explore', { f: and(filter.value, '') || null }) : link(page);
}
