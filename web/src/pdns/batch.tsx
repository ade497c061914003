import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PdnsBatch, PdnsRow } from '../../../src/server/schema/pdns.ts';
import { type ApiError, send, toApiError } from '../api.ts';
import { exact } from '../format.ts';
import { param } from '../state.ts';
import { download } from '../statistics/csv.ts';
import { t } from '../text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/panel.tsx';
import { BATCH_LIMIT, parseBatch, toCof } from './question.ts';
import { PdnsTable } from './table.tsx';

/** Many questions at once, pasted as they come: lists, mails, defanged. */
export function BatchDialog({ onClose, onWhy }: { onClose: () => void; onWhy: (row: PdnsRow) => void }): JSX.Element {
  const [text, setText] = useState('');
  const [answer, setAnswer] = useState<PdnsBatch>();
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const { questions, refused, more } = parseBatch(text);
  const ask = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      setAnswer(await send<PdnsBatch>('POST', '/pdns/batch', { q: questions }));
    } catch (thrown) {
      setError(toApiError(thrown));
    }
    setBusy(false);
  };
  return (
    <Dialog title={t('pdns.batch.title')} onClose={onClose} wide>
      <label class="field">
        <span>{t('pdns.batch.label', { n: BATCH_LIMIT })}</span>
        <textarea
          class="mono"
          rows={6}
          value={text}
          spellcheck={false}
          onInput={(event) => {
            setText(event.currentTarget.value);
          }}
        />
      </label>
      <p class="mute small" role="status">
        {t('pdns.batch.read', { n: questions.length })}
        {more > 0 && <> · {t('pdns.batch.more', { n: more })}</>}
        {refused.length > 0 && (
          <span class="attn">
            {' '}
            · {t('pdns.batch.refused', { list: refused.slice(0, 3).join(', '), n: refused.length })}
          </span>
        )}
      </p>
      <p class="buttons">
        <button
          type="button"
          class="button primary"
          disabled={busy || questions.length === 0}
          onClick={() => void ask()}
        >
          {t('pdns.look')}
        </button>
        {answer !== undefined && (
          <button
            type="button"
            class="button"
            onClick={() => {
              download('batch.cof.ndjson', toCof(answer.results.flatMap(({ rows }) => rows)), 'application/x-ndjson');
            }}
          >
            {t('pdns.cof')}
          </button>
        )}
      </p>
      {error !== undefined && <Problem error={error} />}
      {answer !== undefined && <BatchResults answer={answer} onWhy={onWhy} />}
    </Dialog>
  );
}

function BatchResults({ answer, onWhy }: { answer: PdnsBatch; onWhy: (row: PdnsRow) => void }): JSX.Element {
  const rows = answer.results.flatMap((result) => result.rows);
  const silent = answer.results.filter((result) => result.rows.length === 0);
  return (
    <>
      {silent.length > 0 && (
        <p class="mute">
          {t('pdns.batch.silent', { n: exact(silent.length) })}{' '}
          <span class="mono">
            {silent.map(({ q, error }) => (error === undefined ? q : `${q} (${error})`)).join(', ')}
          </span>
        </p>
      )}
      <PdnsTable
        label={t('pdns.batch.title')}
        rows={rows}
        isDefanged={param('defang') === '1'}
        onWhy={onWhy}
        height="320px"
      />
    </>
  );
}
