import type { ComponentChildren, JSX } from 'preact';
import type { PdnsRow } from '../../../src/server/schema/pdns.ts';
import { dataKind } from '../domains/history.tsx';
import { defang } from '../format.ts';
import { param, update } from '../state.ts';
import { numeric, tableHeight } from '../statistics/columns.ts';
import { Moment } from '../statistics/head.tsx';
import { Num } from '../statistics/number.tsx';
import { t } from '../text.ts';
import { Mark } from '../ui/icons.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Value } from '../ui/value.tsx';

interface Props {
  label: string;
  rows: readonly PdnsRow[];
  isDefanged: boolean;
  /** Tells why a row is known. */
  onWhy: (row: PdnsRow) => void;
  onEnd?: () => void;
  empty?: ComponentChildren;
  height?: string;
}

/** Rows of passive DNS, sortable; what few names share is marked. */
export function PdnsTable({ label, rows, isDefanged, onWhy, onEnd, empty, height }: Props): JSX.Element {
  const order = param('sort') || '-last';
  return (
    <Table
      label={label}
      rows={inOrder(rows, order)}
      columns={columns(isDefanged, onWhy)}
      rowKey={(row) => `${row.rrname} ${row.rrtype} ${row.rdata} ${row.sensor ?? ''}`}
      height={height ?? tableHeight(rows.length, 330)}
      order={order}
      onSort={(sort) => {
        update({ sort: sort === '-last' ? null : sort }, { replace: true });
      }}
      onOpen={onWhy}
      {...(onEnd === undefined ? {} : { onEnd })}
      empty={empty}
    />
  );
}

function columns(isDefanged: boolean, onWhy: (row: PdnsRow) => void): Column<PdnsRow>[] {
  const text = (value: string): string => (isDefanged ? defang(value) : value);
  return [
    {
      key: 'name',
      title: t('pdns.name'),
      sort: 'name',
      mono: true,
      render: ({ rrname, cnames }) => (
        <>
          <Value kind="name" value={rrname} inRow>
            {text(rrname)}
          </Value>
          {cnames !== undefined && cnames.length > 0 && (
            <span class="faint" title={cnames.map(text).join(' → ')}>
              {' '}
              {t('pdns.via', { n: cnames.length })}
            </span>
          )}
        </>
      ),
    },
    {
      key: 'type',
      title: t('pdns.type'),
      sort: 'type',
      width: '76px',
      render: ({ rrtype }) => <Value kind="type" value={rrtype} inRow />,
    },
    {
      key: 'data',
      title: t('pdns.data'),
      sort: 'data',
      mono: true,
      render: ({ rrtype, rdata }) => (
        <Value kind={dataKind(rrtype)} value={rdata} inRow>
          {text(rdata)}
        </Value>
      ),
    },
    {
      key: 'rare',
      title: <span class="hidden">{t('pdns.rare')}</span>,
      width: '76px',
      render: ({ rare }) =>
        rare ? (
          <span class="attn rare" title={t('pdns.rare.text')}>
            <Mark level="attention" /> {t('pdns.rare')}
          </span>
        ) : null,
    },
    numeric('first', t('pdns.first'), 124, ({ time_first }) => <Moment at={time_first} />, 'first'),
    numeric('last', t('pdns.last'), 124, ({ time_last }) => <Moment at={time_last} ago />, 'last'),
    numeric('count', t('pdns.count'), 84, ({ count }) => <Num value={count} />, 'count'),
    numeric('why', <span class="hidden">{t('pdns.why')}</span>, 56, (row) => <WhyButton row={row} onWhy={onWhy} />),
  ];
}

function WhyButton({ row, onWhy }: { row: PdnsRow; onWhy: (row: PdnsRow) => void }): JSX.Element {
  return (
    <button
      type="button"
      class="link"
      tabIndex={-1}
      aria-label={t('pdns.why.of', { name: row.rrname, data: row.rdata })}
      onClick={(event) => {
        event.stopPropagation();
        onWhy(row);
      }}
    >
      {t('pdns.why')}
    </button>
  );
}

function inOrder(rows: readonly PdnsRow[], order: string): PdnsRow[] {
  const sign = order.startsWith('-') ? -1 : 1;
  const key = order.replace(/^-/, '');
  const value = (row: PdnsRow): string | number => {
    if (key === 'count') return row.count;
    if (key === 'name') return row.rrname.split('.').reverse().join('.');
    if (key === 'type') return row.rrtype;
    if (key === 'data') return row.rdata;
    return key === 'first' ? row.time_first : row.time_last;
  };
  return [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    return x === y ? 0 : x < y ? -sign : sign;
  });
}
