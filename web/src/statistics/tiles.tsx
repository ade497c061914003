import type { JSX } from 'preact';
import type { NamePage } from '../../../src/server/schema/pages.ts';
import { and } from '../filter.ts';
import { bytes, count, milliseconds, percent } from '../format.ts';
import { link } from '../state.ts';
import { t } from '../text.ts';
import type { Level } from '../ui/icons.tsx';
import { Tile, Tiles } from '../ui/tile.tsx';

type Totals = NamePage['totals'];
type Statistics = NamePage['statistics'];

/** The numbers of one name or client, each leading to its log. `who`: the distinct counts that belong to it. */
export function TotalTiles({
  totals,
  statistics,
  f,
  who,
}: {
  totals: Totals;
  statistics: Statistics;
  f: string;
  who: readonly ('clients' | 'names' | 'servers')[];
}): JSX.Element {
  const log = (extra?: string): string => link('/explore', { f: extra === undefined ? f : and(f, extra), live: null });
  const part = (n: number): number => (totals.transactions === 0 ? 0 : n / totals.transactions);
  const latency = (key: 'p50' | 'p95'): JSX.Element => {
    const value = statistics.latency[key];
    return (
      <Tile
        label={`${t('statistics.latency')} ${key}`}
        shown={value === null ? null : milliseconds(value)}
        note={t('tiles.samples', { n: count(statistics.latency.n) })}
        href={value === null ? undefined : log(`dns.time >= ${(value / 1000).toFixed(9)}`)}
      />
    );
  };
  return (
    <Tiles label={t('tiles.label')}>
      <Tile
        label={t('list.transactions')}
        shown={digits(totals.transactions)}
        note={t('tiles.queries', { n: count(totals.queries) })}
        href={log()}
      />
      {who.map((key) => (
        <Tile key={key} label={t(`list.${key}`)} shown={digits(totals[key])} note={t('tiles.distinct')} href={log()} />
      ))}
      <PartTile
        label={t('list.nxdomain')}
        n={totals.nxdomain}
        ratio={part(totals.nxdomain)}
        href={log('dns.flags.rcode == 3')}
      />
      <PartTile
        label={t('list.unanswered')}
        n={totals.unanswered}
        ratio={part(totals.unanswered)}
        href={log('dns.response_missing')}
      />
      {latency('p50')}
      {latency('p95')}
      <Tile
        label={t('tiles.bytes')}
        shown={bytes(totals.response_bytes)}
        note={t('tiles.bytes.out', { n: `${bytes(totals.query_bytes).text} ${bytes(totals.query_bytes).unit}` })}
        href={log()}
      />
    </Tiles>
  );
}

function PartTile({ label, n, ratio, href }: { label: string; n: number; ratio: number; href: string }): JSX.Element {
  const level: Level = 'none';
  return (
    <Tile
      label={label}
      shown={percent(ratio)}
      note={t('tiles.of', { n: count(n) })}
      level={level}
      href={n === 0 ? undefined : href}
    />
  );
}

function digits(value: number): { text: string; unit: string } {
  return { text: count(value), unit: '' };
}
