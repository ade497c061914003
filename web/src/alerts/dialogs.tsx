import type { JSX } from 'preact';
import type { Alert, AlertAction } from '../../../src/server/schema/alerts.ts';
import { session } from '../api.ts';
import { t } from '../text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { fieldOf } from '../ui/form.ts';

export type Asked = 'mute' | 'note' | 'assign' | 'false_positive';

/** Seconds; null: until somebody ends it. */
const SPANS = { hour: 3600, shift: 8 * 3600, day: 86_400, week: 7 * 86_400, ever: null } as const;
type Span = keyof typeof SPANS;
const SCOPES = ['key', 'domain', 'client', 'detector'] as const;

interface AskProps {
  what: Asked;
  /** The alerts it is about. */
  of: readonly Alert[];
  onDone: (action: AlertAction) => void;
  onClose: () => void;
}

/** Asks for what an action needs: how long, why, who. */
export function Ask({ what, of, onDone, onClose }: AskProps): JSX.Element {
  return (
    <Dialog title={t(`alerts.ask.${what}`, { n: of.length })} onClose={onClose}>
      <form
        class="ask"
        onSubmit={(event) => {
          event.preventDefault();
          onDone(actionOf(what, new FormData(event.currentTarget)));
          onClose();
        }}
      >
        {of.length === 1 && <p class="mute">{of[0].title}</p>}
        {what === 'mute' && <MuteFields of={of} />}
        {what === 'assign' ? (
          <label>
            {t('alerts.ask.who')}
            <input name="text" maxLength={64} value={session.value?.user ?? ''} autofocus />
          </label>
        ) : (
          <label>
            {t(what === 'note' ? 'alerts.ask.text' : 'alerts.ask.why')}
            <textarea name="text" rows={3} maxLength={2000} required={what !== 'mute'} autofocus={what !== 'mute'} />
          </label>
        )}
        {what === 'false_positive' && <p class="mute small">{t('alerts.ask.false_positive.note')}</p>}
        <p class="buttons">
          <button type="submit" class="button primary">
            {t(`alerts.do.${what}`)}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {t('alerts.ask.cancel')}
          </button>
        </p>
      </form>
    </Dialog>
  );
}

interface SpanProps {
  spans: readonly Span[];
  chosen: Span;
  autofocus?: boolean;
  onChange?: (seconds: number | null) => void;
}

/** How long, as the field `seconds` of a form. */
export function SpanFields({ spans, chosen, autofocus = false, onChange }: SpanProps): JSX.Element {
  return (
    <fieldset>
      <legend>{t('alerts.mute.how_long')}</legend>
      {spans.map((span) => (
        <label key={span} class="radio">
          <input
            type="radio"
            name="seconds"
            value={String(SPANS[span])}
            defaultChecked={span === chosen}
            autofocus={autofocus && span === chosen}
            onChange={() => onChange?.(SPANS[span])}
          />
          {t(`alerts.mute.${span}`)}
        </label>
      ))}
    </fieldset>
  );
}

function MuteFields({ of }: { of: readonly Alert[] }): JSX.Element {
  const [{ domain, client, detector }] = of;
  const scopes = SCOPES.filter((scope) => of.every((one) => isThere(one, scope)));
  const value = { key: '', domain, client, detector };
  return (
    <>
      <SpanFields spans={['hour', 'shift', 'day', 'week', 'ever']} chosen="shift" autofocus />
      <fieldset>
        <legend>{t('alerts.mute.what')}</legend>
        {scopes.map((scope) => (
          <label key={scope} class="radio">
            <input type="radio" name="scope" value={scope} defaultChecked={scope === 'key'} />
            {t(`alerts.mute.scope.${scope}`, { value: of.length === 1 ? (value[scope] ?? '') : '' })}
          </label>
        ))}
      </fieldset>
    </>
  );
}

function isThere(alert: Alert, scope: (typeof SCOPES)[number]): boolean {
  if (scope === 'domain') return alert.domain !== null;
  return scope !== 'client' || alert.client !== null;
}

function actionOf(what: Asked, form: FormData): AlertAction {
  const text = fieldOf(form, 'text').trim();
  if (what === 'note') return { action: 'note', text };
  if (what === 'assign') return { action: 'assign', to: text === '' ? null : text };
  if (what === 'false_positive') return { action: 'false_positive', reason: text };
  const seconds = Number(fieldOf(form, 'seconds'));
  const scope = SCOPES.find((one) => one === fieldOf(form, 'scope')) ?? 'key';
  return { action: 'mute', scope, ...(seconds > 0 && { seconds }), ...(text !== '' && { text }) };
}
