import '../statistics/pages.css';
import './explore.css';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Transaction } from '../../../src/server/schema/transactions.ts';
import { session } from '../api.ts';
import { type Binding, useKeys } from '../keys.ts';
import type { PageProps } from '../pages.ts';
import { filter, go, live, param, range, update } from '../state.ts';
import { Choice } from '../statistics/choice.tsx';
import { t } from '../text.ts';
import { Empty, Panel, Problem, Waiting } from '../ui/panel.tsx';
import { Table } from '../ui/table.tsx';
import { capture } from './capture/capture.ts';
import { CaptureHead } from './capture/overview.tsx';
import { Detail } from './detail/detail.tsx';
import { FilterEditor } from './editor/editor.tsx';
import { Groups, groupsOf } from './groups.tsx';
import { MOST_TRANSACTIONS } from './ladder/events.ts';
import { LadderView } from './ladder/view.tsx';
import { logColumns, shownColumns } from './log/columns.tsx';
import { Log } from './log/log.ts';
import { history, type RowSource } from './log/source.ts';
import { useTail } from './log/tail.ts';
import { Told } from './log/told.tsx';
import { showAs, Tools } from './tools.tsx';

type View = 'log' | 'groups' | 'ladder';

/** Everything that was asked and answered: found, grouped, drawn, opened. `/explore/file` shows a capture read here. */
export function Page({ rest }: PageProps): JSX.Element {
  const isFile = rest === 'file';
  const narrow = useNarrow();
  const file = capture.value;
  const source = isFile ? (file?.opened ? file.source : null) : history;
  const groups = groupsOf(param('group'));
  const view: View = groups.length > 0 ? 'groups' : param('view') === 'ladder' ? 'ladder' : 'log';
  return (
    <div class={`explore${param('sel') === '' ? '' : ' with-detail'}`}>
      <h1 class="hidden">{t('page.explore')}</h1>
      {isFile && <CaptureHead capture={file} />}
      {source !== null && (
        <>
          <Bar isFile={isFile} narrow={narrow} view={view} />
          {view === 'groups' ? (
            <Groups source={source} groups={groups} />
          ) : (
            <Rows source={source} view={view} narrow={narrow} />
          )}
        </>
      )}
    </div>
  );
}

function Bar({ isFile, narrow, view }: { isFile: boolean; narrow: boolean; view: View }): JSX.Element {
  return (
    <div class="explore-bar">
      <FilterEditor
        value={filter.value}
        frames={!isFile && session.value?.features.pcapng === true}
        onApply={(f) => update({ f, sel: null })}
      />
      <div class="explore-line">
        <Choice
          label={t('explore.show')}
          value={view}
          options={(['log', 'groups', 'ladder'] as const).map((value) => ({
            value,
            title: t(`explore.show.${value}`),
          }))}
          onChange={(next) => go(showAs(next))}
        />
        <Tools isFile={isFile} narrow={narrow} />
      </div>
    </div>
  );
}

/** The log of the filter, or its diagram, with the details of the row that is open beside it. */
function Rows({ source, view, narrow }: { source: RowSource; view: View; narrow: boolean }): JSX.Element {
  const { from, to } = range.value;
  const f = filter.value;
  const [round, setRound] = useState(0);
  const log = useMemo(() => new Log(source, { from, to, f }), [source, from, to, f, round]);
  useEffect(() => {
    log.start();
    return () => log.close();
  }, [log]);
  const rows = log.rows.value;
  const search = log.search.value;
  const sel = param('sel');
  const open = (id: string): void => update({ sel: id }, { replace: sel !== '' });
  const close = (): void => {
    // Escape closes one thing at a time.
    if (document.querySelector('.popover, .menu') === null) update({ sel: null, tab: null });
  };
  const box = useRef<HTMLDivElement>(null);
  const following = useTail(source.hasHistory && live.value && view === 'log' ? f : null, log, box);
  const marks = useMarks(log, box);
  useRowsKeys({ mark: marks.toggle, draw: () => go(showAs('ladder')), close });
  const { marked } = marks;
  const drawn = useMemo(
    () => (marked.size > 0 ? [...marked.values()] : rows.slice(0, MOST_TRANSACTIONS)),
    [marked, rows],
  );
  return (
    <>
      <Told {...{ log, search, source, following }} found={rows.length} onAgain={() => setRound(round + 1)} />
      {search.error !== null && <Problem error={search.error} retry={() => log.resume()} />}
      {marked.size > 0 && <Marked count={marked.size} view={view} onClear={marks.clear} />}
      <div class="explore-main">
        {view === 'ladder' ? (
          <Panel title={t('explore.ladder.title')}>
            {rows.length === 0 && search.running ? (
              <Waiting height={240} />
            ) : (
              <LadderView transactions={drawn} onOpen={open} selected={sel} />
            )}
          </Panel>
        ) : (
          <div class="panel log" ref={box}>
            <Table
              label={t('explore.rows')}
              rows={rows}
              columns={logColumns(shownColumns(param('cols'), { narrow, beside: sel !== '' }))}
              rowKey={({ transaction }) => transaction}
              height="var(--log-height)"
              selected={sel}
              rowClass={({ transaction }) => (marked.has(transaction) ? 'marked' : '')}
              onOpen={({ transaction }) => open(transaction)}
              onEnd={() => log.more()}
              empty={search.running ? undefined : <Nothing filtered={f !== ''} hidden={search.error !== null} />}
            />
          </div>
        )}
        {sel !== '' && <Detail source={source} id={sel} onClose={close} onOpen={open} />}
      </div>
    </>
  );
}

interface Marks {
  marked: ReadonlyMap<string, Transaction>;
  /** Marks the row that has the focus, or unmarks it. */
  toggle(): void;
  clear(): void;
}

function useMarks(log: Log, box: { current: HTMLElement | null }): Marks {
  const [marked, setMarked] = useState<ReadonlyMap<string, Transaction>>(new Map());
  useEffect(() => setMarked(new Map()), [log]);
  const toggle = (): void => {
    const row = focusedRow(box.current, log.rows.value);
    if (row === undefined) return;
    const next = new Map(marked);
    if (!next.delete(row.transaction)) next.set(row.transaction, row);
    setMarked(next);
  };
  return { marked, toggle, clear: () => setMarked(new Map()) };
}

function Marked({ count, view, onClear }: { count: number; view: View; onClear: () => void }): JSX.Element {
  return (
    <p class="marked-line small">
      {t('explore.marked', { n: count })}
      {view === 'log' && (
        <a class="more" href={showAs('ladder')}>
          {t('explore.marked.draw')}
        </a>
      )}
      <button type="button" class="link" onClick={onClear}>
        {t('explore.marked.clear')}
      </button>
    </p>
  );
}

function Nothing({ filtered, hidden }: { filtered: boolean; hidden: boolean }): JSX.Element | null {
  if (hidden) return null;
  return <Empty title={t(filtered ? 'explore.found.none' : 'explore.found.empty')}>{t('explore.found.hint')}</Empty>;
}

function focusedRow(box: HTMLElement | null, rows: readonly Transaction[]): Transaction | undefined {
  const focused = document.activeElement?.closest<HTMLElement>('tr[data-index]');
  if (!focused || box?.contains(focused) !== true) return undefined;
  return rows[Number(focused.dataset.index)];
}

function useRowsKeys(actions: { mark: () => void; draw: () => void; close: () => void }): void {
  const now = useRef(actions);
  now.current = actions;
  const bindings = useMemo<Binding[]>(
    () => [
      { keys: 'x', title: 'explore.key.mark', run: () => now.current.mark() },
      { keys: 'm', title: 'explore.key.ladder', run: () => now.current.draw() },
      { keys: 'Escape', title: 'explore.key.close', run: () => now.current.close() },
    ],
    [],
  );
  useKeys(bindings);
}

/** Phone width. */
function useNarrow(): boolean {
  const query = useMemo(() => matchMedia('(max-width: 760px)'), []);
  const [narrow, setNarrow] = useState(query.matches);
  useEffect(() => {
    const changed = (): void => setNarrow(query.matches);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, [query]);
  return narrow;
}
