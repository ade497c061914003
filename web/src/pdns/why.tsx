import type { JSX } from 'preact';
import type { PdnsRow } from '../../../src/server/schema/pdns.ts';
import { and, term } from '../filter.ts';
import { exact } from '../format.ts';
import { link } from '../state.ts';
import { Moment } from '../statistics/head.tsx';
import { t } from '../text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Mark } from '../ui/icons.tsx';

/** Why a row is known: who saw it, how often, when, and the log of it. */
export function WhyDialog({ row, onClose }: { row: PdnsRow; onClose: () => void }): JSX.Element {
  const f = and(term('name', row.rrname) ?? '', term('type', row.rrtype) ?? '');
  return (
    <Dialog title={t('pdns.why.title')} onClose={onClose}>
      <dl class="facts">
        <dt>{t('pdns.name')}</dt>
        <dd class="mono">{row.rrname}</dd>
        {row.cnames?.map((alias) => (
          <>
            <dt>{t('pdns.why.alias')}</dt>
            <dd class="mono">{alias}</dd>
          </>
        ))}
        <dt>{row.rrtype}</dt>
        <dd class="mono">{row.rdata}</dd>
        <dt>{t('pdns.first')}</dt>
        <dd>
          <Moment at={row.time_first} />
        </dd>
        <dt>{t('pdns.last')}</dt>
        <dd>
          <Moment at={row.time_last} ago />
        </dd>
        <dt>{t('pdns.count')}</dt>
        <dd>{t('pdns.why.count', { n: exact(row.count) })}</dd>
        <dt>{t('pdns.sensor')}</dt>
        <dd>{row.sensor ?? t('pdns.why.nosensor')}</dd>
        {row.rare && (
          <>
            <dt>{t('pdns.rare')}</dt>
            <dd>
              <Mark level="attention" /> {t('pdns.rare.text')}
            </dd>
          </>
        )}
      </dl>
      <p class="buttons">
        <a
          class="button primary"
          href={link('/explore', { f, from: row.time_first, to: null, live: null })}
          onClick={onClose}
        >
          {t('pdns.why.log')}
        </a>
        <a class="button" href={link('/pdns', { q: row.rdata })} onClick={onClose}>
          {t('pdns.why.pivot')}
        </a>
      </p>
      <p class="note">{t('pdns.why.note')}</p>
    </Dialog>
  );
}
