import type { ComponentChildren, JSX } from 'preact';
import type { Transaction } from '../../../../src/server/schema/transactions.ts';
import { clock, milliseconds, moment, preciseClock } from '../../format.ts';
import { exactMs } from '../ladder/events.ts';
import { t, type TextKey } from '../../text.ts';
import { Mark } from '../../ui/icons.tsx';
import type { Column } from '../../ui/table.tsx';
import { Value } from '../../ui/value.tsx';

type Cell = (row: Transaction) => ComponentChildren;
interface Definition {
  key: string;
  title: TextKey;
  width?: string;
  align?: 'end';
  mono?: boolean;
  cell: Cell;
}

/** Every column that the log can show, in order. */
const COLUMNS: readonly Definition[] = [
  {
    key: 'time',
    title: 'explore.col.time',
    width: '112px',
    mono: true,
    cell: ({ time }) => (
      <time title={time} dateTime={time}>
        {preciseClock(exactMs(time))}
      </time>
    ),
  },
  {
    key: 'clock',
    title: 'explore.col.clock',
    width: '76px',
    mono: true,
    cell: ({ time }) => clock(exactMs(time), true),
  },
  {
    key: 'date',
    title: 'explore.col.date',
    width: '150px',
    mono: true,
    cell: ({ time }) => moment(exactMs(time), true),
  },
  {
    key: 'client',
    title: 'explore.col.client',
    width: '150px',
    mono: true,
    cell: (row) => (
      <Value kind="client" value={row.client} inRow>
        {row.client_name ?? row.client}
      </Value>
    ),
  },
  {
    key: 'name',
    title: 'explore.col.name',
    mono: true,
    cell: ({ name }) => (name === undefined ? <span class="faint">–</span> : <Value kind="name" value={name} inRow />),
  },
  {
    key: 'type',
    title: 'explore.col.type',
    width: '72px',
    mono: true,
    cell: ({ type }) => type && <Value kind="type" value={type} inRow />,
  },
  {
    key: 'answer',
    title: 'explore.col.answer',
    mono: true,
    cell: (row) => [<Fault key="fault" row={row} />, <Answer key="answer" row={row} />],
  },
  {
    key: 'rcode',
    title: 'explore.col.rcode',
    width: '96px',
    mono: true,
    cell: ({ rcode }) => rcode && <Value kind="rcode" value={rcode} class={rcodeClass(rcode)} inRow />,
  },
  {
    key: 'latency',
    title: 'explore.col.latency',
    width: '84px',
    align: 'end',
    mono: true,
    cell: ({ latency_ms: ms }) => {
      if (ms === undefined) return <span class="faint">–</span>;
      const { text, unit } = milliseconds(ms);
      return (
        <>
          {text} <span class="faint">{unit}</span>
        </>
      );
    },
  },
  {
    key: 'server',
    title: 'explore.col.server',
    width: '150px',
    mono: true,
    cell: ({ server }) => <Value kind="server" value={server} inRow />,
  },
  {
    key: 'transport',
    title: 'explore.col.transport',
    width: '56px',
    mono: true,
    cell: ({ transport }) => <Value kind="transport" value={transport} inRow />,
  },
  {
    key: 'domain',
    title: 'explore.col.domain',
    width: '180px',
    mono: true,
    cell: ({ registrable_domain: domain }) => domain && <Value kind="domain" value={domain} inRow />,
  },
  { key: 'outcome', title: 'explore.col.outcome', width: '104px', cell: ({ outcome }) => outcome.replace('_', ' ') },
  { key: 'flags', title: 'explore.col.flags', width: '110px', mono: true, cell: ({ flags }) => flags.join(' ') },
  {
    key: 'query_bytes',
    title: 'explore.col.query_bytes',
    width: '76px',
    align: 'end',
    mono: true,
    cell: (row) => row.query_bytes,
  },
  {
    key: 'response_bytes',
    title: 'explore.col.response_bytes',
    width: '76px',
    align: 'end',
    mono: true,
    cell: (row) => row.response_bytes,
  },
  { key: 'ttl', title: 'explore.col.ttl', width: '76px', align: 'end', mono: true, cell: (row) => row.ttl_min },
  {
    key: 'answers',
    title: 'explore.col.answers',
    width: '72px',
    align: 'end',
    mono: true,
    cell: (row) => row.answers?.length,
  },
  { key: 'copies', title: 'explore.col.copies', width: '64px', align: 'end', mono: true, cell: (row) => row.queries },
  { key: 'leg', title: 'explore.col.leg', width: '80px', cell: (row) => row.leg },
  { key: 'role', title: 'explore.col.role', width: '96px', cell: (row) => row.role },
  { key: 'cnames', title: 'explore.col.cnames', width: '200px', mono: true, cell: ({ cnames }) => cnames?.join(' → ') },
  {
    key: 'ede',
    title: 'explore.col.ede',
    width: '180px',
    cell: ({ ede }) => ede?.map(({ code, text }) => `${code} ${text}`).join(', '),
  },
  {
    key: 'ecs',
    title: 'explore.col.ecs',
    width: '140px',
    mono: true,
    cell: ({ ecs }) => ecs && `${ecs.address}/${ecs.source}`,
  },
  {
    key: 'id',
    title: 'explore.col.id',
    width: '72px',
    mono: true,
    cell: ({ id }) => <Value kind="id" value={String(id)} inRow>{`0x${id.toString(16).padStart(4, '0')}`}</Value>,
  },
  {
    key: 'client_port',
    title: 'explore.col.client_port',
    width: '72px',
    align: 'end',
    mono: true,
    cell: (row) => row.client_port,
  },
  { key: 'sensor', title: 'explore.col.sensor', width: '96px', cell: (row) => row.sensor },
  { key: 'interface', title: 'explore.col.interface', width: '96px', cell: (row) => row.interface },
  { key: 'vlan', title: 'explore.col.vlan', width: '56px', align: 'end', mono: true, cell: (row) => row.vlan },
  { key: 'rules', title: 'explore.col.rules', width: '160px', cell: ({ rules }) => rules?.join(', ') },
];

const USUAL = ['time', 'client', 'name', 'type', 'answer', 'latency', 'server'];
/** Beside the details of a row. */
const BESIDE = ['time', 'name', 'type', 'answer', 'latency'];
const NARROW = ['clock', 'name', 'answer'];

/** What can be shown: key and title of each column. */
export function columnChoices(): { key: string; title: string }[] {
  return COLUMNS.map(({ key, title }) => ({ key, title: t(title) }));
}

/** Keys of the columns wanted, as in the address; those that do not exist are left out. */
export function shownColumns(
  cols: string,
  { narrow, beside = false }: { narrow: boolean; beside?: boolean },
): string[] {
  const wanted = cols.split(',').filter((key) => COLUMNS.some((column) => column.key === key));
  return wanted.length > 0 ? wanted : narrow ? NARROW : beside ? BESIDE : USUAL;
}

/** The address of a choice; the usual one needs none. */
export function columnsParam(keys: readonly string[]): string | null {
  const ordered = COLUMNS.map(({ key }) => key).filter((key) => keys.includes(key));
  return ordered.join() === USUAL.join() ? null : ordered.join(',');
}

/** With few columns the name gets the room that the answer leaves. */
const NARROW_ANSWER = '132px';

export function logColumns(keys: readonly string[]): Column<Transaction>[] {
  return COLUMNS.filter(({ key }) => keys.includes(key)).map(({ title, cell, ...column }) => ({
    ...column,
    title: t(title),
    ...(column.key === 'answer' && keys.includes('clock') && { width: NARROW_ANSWER }),
    render: (row) => cell(row),
  }));
}

/** What was answered: the last record's data and how many there are besides, else why there is none. */
function Answer({ row }: { row: Transaction }): JSX.Element | null {
  const { answers = [], rcode, outcome } = row;
  if (outcome === 'unanswered' || outcome === 'unreachable')
    return <span class="alarm">{t(`explore.outcome.${outcome}`)}</span>;
  if (rcode === undefined) return <span class="faint">{outcome.replace('_', ' ')}</span>;
  if (rcode !== 'NOERROR') return <Value kind="rcode" value={rcode} class={rcodeClass(rcode)} inRow />;
  const last = answers.at(-1);
  if (last === undefined)
    return (
      <span class="mute">
        {row.flags.includes('tc') ? t('explore.truncated') : t(`explore.kind.${row.answer_kind ?? 'nodata'}`)}
      </span>
    );
  const isAddress = last.type === 'A' || last.type === 'AAAA';
  return (
    <>
      {last.type !== row.type && <span class="faint">{last.type} </span>}
      {isAddress ? <Value kind="address" value={last.data} inRow /> : <Value kind="data" value={last.data} inRow />}
      {answers.length > 1 && <span class="faint"> +{answers.length - 1}</span>}
    </>
  );
}

/** A message that is not as it should be has a mark. */
function Fault({ row: { fault } }: { row: Transaction }): JSX.Element | null {
  if (fault === undefined) return null;
  return (
    <>
      <Mark level="alarm" label={t('explore.fault', { cause: fault.cause, place: fault.in })} />{' '}
    </>
  );
}

function rcodeClass(rcode: string): string {
  if (rcode === 'NOERROR') return '';
  return rcode === 'NXDOMAIN' ? 'attn' : 'alarm';
}
