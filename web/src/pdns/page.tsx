import '../statistics/pages.css';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { PdnsPage, PdnsRow } from '../../../src/server/schema/pdns.ts';
import { api, call, fetchJson, toApiError, useApi, type ApiError } from '../api.ts';
import { defang, exact } from '../format.ts';
import type { PageProps } from '../pages.ts';
import { param, resolveTime, update } from '../state.ts';
import { download } from '../statistics/csv.ts';
import { Answer } from '../statistics/list.tsx';
import { t, type TextKey } from '../text.ts';
import { Empty, IconButton, Panel, Problem } from '../ui/panel.tsx';
import { BatchDialog } from './batch.tsx';
import { ImportDialog } from './import.tsx';
import { kindOf, refang, toCof } from './question.ts';
import { PdnsTable } from './table.tsx';
import { WhyDialog } from './why.tsx';

const PAGE = 500;

/** Passive DNS: what was seen to resolve to what, and when. */
export function Page({ rest }: PageProps): JSX.Element {
  const q = param('q') || rest;
  const [dialog, setDialog] = useState<'batch' | 'import' | null>(null);
  const [why, setWhy] = useState<PdnsRow | null>(null);
  const close = (): void => {
    setDialog(null);
  };
  return (
    <div class="page">
      <h1 class="hidden">{t('page.pdns')}</h1>
      <Search
        q={q}
        onBatch={() => {
          setDialog('batch');
        }}
        onImport={() => {
          setDialog('import');
        }}
      />
      {q === '' ? <Start /> : <Results key={q} q={q} onWhy={setWhy} />}
      {dialog === 'batch' && <BatchDialog onClose={close} onWhy={setWhy} />}
      {dialog === 'import' && <ImportDialog onClose={close} />}
      {why !== null && (
        <WhyDialog
          row={why}
          onClose={() => {
            setWhy(null);
          }}
        />
      )}
    </div>
  );
}

const KINDS: Readonly<Record<NonNullable<ReturnType<typeof kindOf>>, TextKey>> = {
  name: 'pdns.kind.name',
  left_wildcard: 'pdns.kind.left',
  right_wildcard: 'pdns.kind.right',
  address: 'pdns.kind.address',
  cidr: 'pdns.kind.cidr',
  range: 'pdns.kind.range',
};
const TYPES = ['', 'A', 'AAAA', 'CNAME', 'NS', 'MX', 'TXT', 'PTR', 'SOA', 'SRV', 'HTTPS', 'SVCB', 'CAA'];

function Search({ q, onBatch, onImport }: { q: string; onBatch: () => void; onImport: () => void }): JSX.Element {
  const [text, setText] = useState(q);
  useEffect(() => {
    setText(q);
  }, [q]);
  const wanted = refang(text);
  const kind = kindOf(wanted);
  const wrong = text.trim() !== '' && kind === null;
  return (
    <form
      class="pdns-search"
      role="search"
      aria-label={t('page.pdns')}
      onSubmit={(event) => {
        event.preventDefault();
        if (kind !== null) update({ q: wanted });
      }}
    >
      <label class="wide">
        <span>{t('pdns.q')}</span>
        <input
          class="mono"
          name="q"
          value={text}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          placeholder={t('pdns.placeholder')}
          aria-invalid={wrong}
          aria-describedby="pdns-kind"
          onInput={(event) => {
            setText(event.currentTarget.value);
          }}
        />
      </label>
      <label>
        <span>{t('pdns.type')}</span>
        <select
          value={param('type')}
          onChange={(event) => {
            update({ type: event.currentTarget.value });
          }}
        >
          {TYPES.map((type) => (
            <option key={type} value={type}>
              {type === '' ? t('pdns.type.all') : type}
            </option>
          ))}
        </select>
      </label>
      <Fence name="first_after" label={t('pdns.first_after')} />
      <Fence name="last_before" label={t('pdns.last_before')} />
      <div class="buttons">
        <button type="submit" class="button primary" disabled={kind === null}>
          {t('pdns.look')}
        </button>
        <button type="button" class="button" onClick={onBatch}>
          {t('pdns.batch')}
        </button>
        <button type="button" class="button" onClick={onImport}>
          {t('pdns.import')}
        </button>
      </div>
      <p id="pdns-kind" class={wrong ? 'alarm small' : 'mute small'} role="status">
        {wrong ? t('pdns.kind.wrong') : kind === null ? t('pdns.hint') : t(KINDS[kind])}
      </p>
    </form>
  );
}

/** A bound of the time fence, as times are written everywhere: a day, a moment, or a span before now. */
function Fence({ name, label }: { name: 'first_after' | 'last_before'; label: string }): JSX.Element {
  const [wrong, setWrong] = useState(false);
  return (
    <label>
      <span>{label}</span>
      <input
        value={param(name)}
        spellcheck={false}
        autocomplete="off"
        placeholder={t('pdns.fence')}
        aria-invalid={wrong}
        title={wrong ? t('range.wrong') : undefined}
        onChange={(event) => {
          const text = event.currentTarget.value.trim();
          const bad = text !== '' && Number.isNaN(resolveTime(text));
          setWrong(bad);
          if (!bad) update({ [name]: text });
        }}
      />
    </label>
  );
}

/** What can be asked, to click on, while nothing is. */
function Start(): JSX.Element {
  const examples: [string, TextKey][] = [
    ['example.com', 'pdns.kind.name'],
    ['*.example.com', 'pdns.kind.left'],
    ['www.example.*', 'pdns.kind.right'],
    ['192.0.2.1', 'pdns.kind.address'],
    ['192.0.2.0/24', 'pdns.kind.cidr'],
    ['192.0.2.1-192.0.2.99', 'pdns.kind.range'],
  ];
  return (
    <Panel title={t('pdns.start')} note={t('pdns.start.note')}>
      <ul class="examples">
        {examples.map(([text, key]) => (
          <li key={text}>
            <button
              type="button"
              class="value mono"
              onClick={() => {
                update({ q: text });
              }}
            >
              {text}
            </button>
            <span class="mute">{t(key)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Results({ q, onWhy }: { q: string; onWhy: (row: PdnsRow) => void }): JSX.Element {
  const fence = { type: param('type'), first_after: param('first_after'), last_before: param('last_before') };
  const first = useApi<PdnsPage>(api.pdns({ q, ...fence, limit: PAGE }));
  const more = useMore(q, fence, first.data);
  const rows = [...(first.data?.rows ?? []), ...more.rows];
  const isDefanged = param('defang') === '1';
  const shown = isDefanged ? defang(q) : q;
  return (
    <Panel
      title={<bdi class="mono">{shown}</bdi>}
      note={<Summary rows={rows} open={more.next !== null} />}
      class="wide-table"
      stale={first.loading}
      actions={<Actions q={q} rows={rows} isDefanged={isDefanged} />}
    >
      <Answer answer={first}>
        <PdnsTable
          label={t('pdns.results', { q: shown })}
          rows={rows}
          isDefanged={isDefanged}
          onWhy={onWhy}
          onEnd={more.load}
          empty={<Empty title={t('pdns.none')}>{t('pdns.none.text')}</Empty>}
        />
        {more.error !== undefined && <Problem error={more.error} retry={more.load} />}
      </Answer>
    </Panel>
  );
}

function Summary({ rows, open }: { rows: readonly PdnsRow[]; open: boolean }): JSX.Element {
  const rare = rows.filter((row) => row.rare).length;
  return (
    <>
      {t('pdns.summary', {
        n: `${exact(rows.length)}${open ? '+' : ''}`,
        names: exact(new Set(rows.map((row) => row.rrname)).size),
        data: exact(new Set(rows.map((row) => row.rdata)).size),
      })}
      {rare > 0 && <> · {t('pdns.summary.rare', { n: rare })}</>}
    </>
  );
}

function Actions({ q, rows, isDefanged }: { q: string; rows: readonly PdnsRow[]; isDefanged: boolean }): JSX.Element {
  return (
    <>
      <label class="check">
        <input
          type="checkbox"
          checked={isDefanged}
          onChange={(event) => {
            update({ defang: event.currentTarget.checked ? 1 : null }, { replace: true });
          }}
        />
        {t('pdns.defang')}
      </label>
      <a class="more" href={`/query/${encodeURIComponent(q)}`} target="_blank" rel="noreferrer">
        {t('pdns.cof.link')}
      </a>
      <IconButton
        icon="download"
        label={t('pdns.cof')}
        onClick={() => {
          download(`${q.replace(/[^\w.-]+/g, '_')}.cof.ndjson`, toCof(rows), 'application/x-ndjson');
        }}
      />
    </>
  );
}

/** Further pages, asked for as the end comes into sight. */
function useMore(
  q: string,
  fence: Readonly<Record<string, string>>,
  first: PdnsPage | undefined,
): { rows: PdnsRow[]; next: string | null; error: ApiError | undefined; load: () => void } {
  const [pages, setPages] = useState<PdnsPage[]>([]);
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    setPages([]);
    setError(undefined);
  }, [first]);
  const next = pages.length > 0 ? pages[pages.length - 1].next : (first?.next ?? null);
  const load = (): void => {
    if (next === null || busy) return;
    setBusy(true);
    const ask = async (after: string): Promise<void> => {
      try {
        const page = await fetchJson(call<PdnsPage>('/pdns', { q, ...fence, limit: PAGE, after }));
        setPages((before) => [...before, page]);
        setError(undefined);
      } catch (thrown) {
        setError(toApiError(thrown));
      }
      setBusy(false);
    };
    void ask(next);
  };
  return { rows: pages.flatMap((page) => page.rows), next, error, load };
}
