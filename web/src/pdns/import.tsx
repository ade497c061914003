import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PdnsImport } from '../../../src/server/schema/pdns.ts';
import { type ApiError, session, toApiError, upload } from '../api.ts';
import { exact } from '../format.ts';
import { Choice } from '../statistics/choice.tsx';
import { t } from '../text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/panel.tsx';

const FORMATS = ['cof', 'zeek', 'passivedns'] as const;
type Format = (typeof FORMATS)[number];

/** Takes over what another passive DNS has seen; operators only. */
export function ImportDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const [format, setFormat] = useState<Format>('cof');
  const [file, setFile] = useState<File>();
  const [answer, setAnswer] = useState<PdnsImport>();
  const [error, setError] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const isOperator = session.value?.role === 'operator';
  const start = async (chosen: File): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      setAnswer(await upload<PdnsImport>(`/pdns/import?format=${format}`, chosen));
    } catch (thrown) {
      setError(toApiError(thrown));
    }
    setBusy(false);
  };
  return (
    <Dialog title={t('pdns.import.title')} onClose={onClose}>
      <p class="mute">{t('pdns.import.text')}</p>
      <Choice
        label={t('pdns.import.format')}
        value={format}
        options={FORMATS.map((value) => ({ value, title: t(`pdns.import.${value}`) }))}
        onChange={setFormat}
      />
      <label class="field">
        <span>{t('pdns.import.file')}</span>
        <input
          type="file"
          onChange={(event) => {
            setFile(event.currentTarget.files?.[0]);
          }}
        />
      </label>
      {!isOperator && <p class="attn">{t('pdns.import.operator')}</p>}
      <p class="buttons">
        <button
          type="button"
          class="button primary"
          disabled={busy || file === undefined || !isOperator}
          onClick={() => {
            if (file !== undefined) void start(file);
          }}
        >
          {t(busy ? 'pdns.import.busy' : 'pdns.import.start')}
        </button>
      </p>
      {error !== undefined && <Problem error={error} />}
      {answer !== undefined && <ImportResult answer={answer} />}
    </Dialog>
  );
}

function ImportResult({ answer }: { answer: PdnsImport }): JSX.Element {
  return (
    <div role="status">
      <p>
        <strong>{t('pdns.import.done', { n: exact(answer.imported), lines: exact(answer.lines) })}</strong>
        {answer.skipped > 0 && <> {t('pdns.import.skipped', { n: exact(answer.skipped) })}</>}
      </p>
      <ul class="lines">
        {Object.entries(answer.reasons).map(([reason, n]) => (
          <li key={reason}>
            <span>{reason}</span>
            <span class="end">{exact(n)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
