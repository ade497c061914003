import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { NamePage } from '../../../src/server/schema/pages.ts';
import type { Statistics } from '../../../src/server/schema/statistics.ts';
import { api, type Resource, useApi } from '../api.ts';
import { term } from '../filter.ts';
import { count, exact } from '../format.ts';
import { link, range } from '../state.ts';
import { numeric } from '../statistics/columns.ts';
import { Answer } from '../statistics/list.tsx';
import { Num, Ratio } from '../statistics/number.tsx';
import { openLog } from '../statistics/series.tsx';
import { t } from '../text.ts';
import { Chart } from '../ui/chart.tsx';
import { Bars } from '../ui/bars.tsx';
import { Empty, Panel } from '../ui/panel.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { Value } from '../ui/value.tsx';
import type { KnownRecords } from './history.tsx';
import { type Bucket, type LabelShape, labelShape } from './labels.ts';
import { growth } from './timeline.ts';
import { type NameNode, type NameRow, nameTree, treeRows } from './tree.ts';

/** Names looked at: the most asked. */
const MOST = 1000;
/** Children of a node drawn at once. */
const CHILDREN = 50;

/** What is below a name: as a tree, how it grows, and what its labels look like. */
export function NamesPanels({ page, known }: { page: NamePage; known: KnownRecords }): JSX.Element {
  const names = useApi<Statistics>(
    api.statistics({
      ...range.value,
      f: page.f,
      group: ['name'],
      measures: ['transactions', 'clients', 'nxdomain'],
      order: '-transactions',
      limit: MOST,
    }),
  );
  const rows = useMemo(
    () =>
      (names.data?.rows ?? []).flatMap(({ name, transactions, clients }) =>
        name === null || name === undefined ? [] : [{ name, transactions: transactions ?? 0, clients: clients ?? 0 }],
      ),
    [names.data],
  );
  const shape = useMemo(
    () =>
      labelShape(
        page.name,
        rows.map(({ name }) => name),
      ),
    [rows, page.name],
  );
  return (
    <div class="grid-3 names">
      <TreePanel page={page} names={names} rows={rows} />
      <div class="stack">
        <GrowthPanel page={page} known={known} />
        <ShapePanel shape={shape} page={page} />
      </div>
    </div>
  );
}

function TreePanel({
  page,
  names,
  rows,
}: {
  page: NamePage;
  names: Resource<Statistics>;
  rows: Parameters<typeof nameTree>[1];
}): JSX.Element {
  const [chosen, setOpen] = useState<ReadonlySet<string>>();
  const tree = useMemo(() => nameTree(page.name, rows), [page.name, rows]);
  // A tree of few branches is shown opened.
  const open = chosen ?? new Set(tree.children.length <= 3 ? tree.children.map(({ name }) => name) : []);
  const shown = treeRows(tree, open, CHILDREN);
  const toggle = (name: string): void => {
    const next = new Set(open);
    if (!next.delete(name)) next.add(name);
    setOpen(next);
  };
  return (
    <Panel
      title={t('domains.tree')}
      note={rows.length < MOST ? t('domains.tree.note', { n: tree.names }) : t('domains.tree.most', { n: MOST })}
      class="span-2 wide-table"
      stale={names.loading}
    >
      <Answer answer={names}>
        <Table
          label={t('domains.tree')}
          rows={shown.rows}
          columns={treeColumns(tree, open, toggle)}
          rowKey={({ node }) => node.name}
          height={`${Math.min(480, 40 + Math.max(3, shown.rows.length) * 28)}px`}
          empty={<Empty title={t('domains.tree.none')} />}
        />
        {shown.hidden > 0 && <p class="note">{t('domains.tree.hidden', { n: exact(shown.hidden) })}</p>}
      </Answer>
    </Panel>
  );
}

function treeColumns(root: NameNode, open: ReadonlySet<string>, toggle: (name: string) => void): Column<NameRow>[] {
  const below = (node: NameNode): string | null => term(node.children.length === 0 ? 'name' : 'domain', node.name);
  return [
    {
      key: 'name',
      title: t('domains.tree.name'),
      render: ({ node, depth }) => (
        <span class="branch" style={{ paddingInlineStart: `${depth * 16}px` }}>
          {node.children.length === 0 ? (
            <i class="leaf" />
          ) : (
            <button
              type="button"
              class={`fold ${open.has(node.name) ? 'open' : ''}`}
              tabIndex={-1}
              aria-expanded={open.has(node.name)}
              aria-label={t('domains.tree.open', { name: node.name })}
              onClick={() => {
                toggle(node.name);
              }}
            />
          )}
          <Value kind={node.children.length === 0 ? 'name' : 'domain'} value={node.name} inRow>
            {node.label}
          </Value>
        </span>
      ),
    },
    {
      key: 'share',
      title: <span class="hidden">{t('domains.tree.part')}</span>,
      width: '120px',
      render: ({ node }) => (
        <span class="track" aria-hidden="true">
          <i style={{ width: `${(node.transactions / Math.max(1, root.transactions)) * 100}%` }} />
        </span>
      ),
    },
    numeric('transactions', t('list.transactions'), 100, ({ node }) => (
      <Num value={node.transactions} f={below(node)} whole inRow />
    )),
    numeric('part', t('domains.tree.part'), 72, ({ node }) => (
      <Ratio part={node.transactions} all={root.transactions} f={below(node)} whole inRow />
    )),
    numeric('names', t('list.names'), 72, ({ node }) => <Num value={node.names} f={below(node)} whole inRow />),
    numeric('clients', t('list.clients'), 72, ({ node }) => (
      <Num value={node.clients} f={below(node)} whole inRow>
        {node.names > 1 ? `≥ ${count(node.clients)}` : count(node.clients)}
      </Num>
    )),
  ];
}

/** Distinct names asked in each bucket, and names ever seen with an answer: one that only grows is worth a look. */
function GrowthPanel({ page, known }: { page: NamePage; known: KnownRecords }): JSX.Element {
  const time = page.series.time.map((at) => Date.parse(at));
  const firsts = useMemo(() => {
    const first = new Map<string, number>();
    for (const { rrname, time_first } of known.rows) {
      const at = Date.parse(time_first);
      first.set(rrname, Math.min(at, first.get(rrname) ?? at));
    }
    return [...first.values()];
  }, [known.rows]);
  const grown = growth(firsts, time, page.series.step * 1000);
  const added = grown.length === 0 ? 0 : grown[grown.length - 1] - firsts.filter((at) => at < time[0]).length;
  return (
    <Panel title={t('domains.growth')} note={t('domains.growth.note', { n: exact(Math.max(0, added)) })}>
      <Chart
        label={t('domains.growth')}
        time={time}
        step={page.series.step}
        height={132}
        format={count}
        onOpen={(span) => {
          openLog(span, page.f);
        }}
        series={[
          { label: t('domains.growth.asked'), values: page.series.names, color: 'info', area: true },
          { label: t('domains.growth.known'), values: grown, color: 'signal', dash: [5, 3] },
        ]}
      />
      {known.isBounded && <p class="note">{t('domains.growth.bounded', { n: exact(known.rows.length) })}</p>}
    </Panel>
  );
}

function ShapePanel({ shape, page }: { shape: LabelShape; page: NamePage }): JSX.Element {
  return (
    <Panel title={t('domains.shape')} note={t('domains.shape.note', { n: exact(shape.names) })}>
      {shape.names === 0 ? (
        <Empty title={t('domains.tree.none')} />
      ) : (
        <>
          <div class="halves">
            <Histogram
              label={t('domains.length')}
              buckets={shape.length}
              text={({ from, to }) => `${from}–${to - 1}`}
              page={page}
            />
            <Histogram
              label={t('domains.entropy')}
              buckets={shape.entropy}
              text={({ from }) => `${from} +`}
              page={page}
            />
          </div>
          {shape.longest !== null && (
            <p class="note">
              {t('domains.longest', { n: shape.longest.octets })}{' '}
              <Value kind="name" value={shape.longest.name} class="mono clip" />
            </p>
          )}
        </>
      )}
    </Panel>
  );
}

function Histogram({
  label,
  buckets,
  text,
  page,
}: {
  label: string;
  buckets: readonly Bucket[];
  text: (bucket: Bucket) => string;
  page: NamePage;
}): JSX.Element {
  const used = buckets.filter(({ names }) => names > 0);
  return (
    <div>
      <h3>{label}</h3>
      <Bars
        label={label}
        bars={used.map((bucket) => ({
          key: text(bucket),
          value: bucket.names,
          text: (
            <a
              class="num"
              href={link('/explore', { f: term('name', bucket.example ?? page.name) })}
              title={bucket.example ?? ''}
            >
              {count(bucket.names)}
            </a>
          ),
        }))}
      />
    </div>
  );
}
