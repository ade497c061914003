import type { JSX } from 'preact';
import { count } from '../format.ts';
import { link } from '../state.ts';
import { t } from '../text.ts';
import { Mark } from '../ui/icons.tsx';
import { Empty, Panel } from '../ui/panel.tsx';
import { Value } from '../ui/value.tsx';
import { dataKind, type KnownRecords } from './history.tsx';

const MOST = 12;

/** Where to go on from here: what the name points at, first what few other names share. */
export function PivotsPanel({ name, known }: { name: string; known: KnownRecords }): JSX.Element {
  const places = new Map<string, { type: string; data: string; rare: boolean; count: number }>();
  for (const { rrtype, rdata, rare, count: n } of known.rows) {
    if (dataKind(rrtype) === 'data' && rrtype !== 'MX') continue;
    const data = rrtype === 'MX' ? rdata.replace(/^\d+\s+/, '') : rdata;
    const before = places.get(data);
    places.set(data, {
      type: rrtype,
      data,
      rare: rare === true || before?.rare === true,
      count: n + (before?.count ?? 0),
    });
  }
  const pivots = [...places.values()].sort((a, b) => Number(b.rare) - Number(a.rare) || b.count - a.count);
  return (
    <Panel
      title={t('domains.pivots')}
      note={t('domains.pivots.note', { n: pivots.filter(({ rare }) => rare).length })}
      actions={
        <a class="more" href={link('/pdns', { q: name })}>
          {t('page.pdns')}
        </a>
      }
    >
      {pivots.length === 0 ? (
        <Empty title={t('domains.records.none')} />
      ) : (
        <ul class="lines">
          {pivots.slice(0, MOST).map(({ type, data, rare, count: n }) => (
            <li key={data}>
              <span class="faint type">{type}</span>
              <Value kind={type === 'A' || type === 'AAAA' ? 'address' : 'name'} value={data} class="mono clip" />
              {rare && (
                <span class="attn rare" title={t('pdns.rare.text')}>
                  <Mark level="attention" /> {t('pdns.rare')}
                </span>
              )}
              <a class="num end" href={link('/pdns', { q: data })} title={t('domains.pivots.go', { data })}>
                {count(n)} ›
              </a>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
