import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AlertDetail } from '../../../src/server/schema/alerts.ts';
import type { Block, BlockPreview } from '../../../src/server/schema/blocks.ts';
import { api, send, toApiError, useApi } from '../api.ts';
import { duration, exact } from '../format.ts';
import { Moment } from '../statistics/head.tsx';
import { Answer } from '../statistics/list.tsx';
import { t } from '../text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { fieldOf } from '../ui/form.ts';
import { notify } from '../ui/notice.tsx';
import { SpanFields } from './dialogs.tsx';

type Full = AlertDetail['alert'];
type Target = Pick<Block, 'kind' | 'value'>;

const SPANS = ['hour', 'shift', 'day', 'week'] as const;

/** What can be blocked of an alert: what it proposes first. */
export function targetsOf({ proposal, domain, client, server }: Full): Target[] {
  const all: { kind: Block['kind']; value: string | null }[] = [
    ...(proposal === null ? [] : [proposal]),
    { kind: 'domain', value: domain },
    { kind: 'client', value: client },
    { kind: 'address', value: server },
  ];
  const named = all.flatMap(({ kind, value }) => (value === null ? [] : [{ kind, value }]));
  return named.filter((one, i) => named.findIndex((other) => keyOf(other) === keyOf(one)) === i);
}

export function keyOf({ kind, value }: Target): string {
  return `${kind} ${value}`;
}

/** Ends a block and says so. */
export async function unblock({ id, value }: Block, done: () => void): Promise<void> {
  try {
    await send('DELETE', `/blocks/${id}`);
    notify(t('blocks.undone', { value }));
  } catch (thrown) {
    notify(toApiError(thrown).message);
  }
  done();
}

/** Asks what to block, and says beforehand what that would do, or which rule refuses it. */
export function BlockDialog({
  of,
  onDone,
  onClose,
}: {
  of: Full;
  onDone: () => void;
  onClose: () => void;
}): JSX.Element {
  const targets = targetsOf(of);
  const [target, setTarget] = useState(targets[0]);
  const [seconds, setSeconds] = useState(3600);
  const preview = useApi<BlockPreview>(api.blockPreview({ ...target, seconds }));
  const isReady = preview.data?.refused === null && !preview.loading;
  const submit = async (reason: string): Promise<void> => {
    onClose();
    try {
      const made = await send<Block>('POST', '/blocks', { ...target, seconds, reason });
      if (made === undefined) return;
      notify(t('blocks.done', { value: made.value }), {
        label: t('alerts.undo'),
        run: () => void unblock(made, onDone),
      });
    } catch (thrown) {
      notify(toApiError(thrown).message);
    }
    onDone();
  };
  return (
    <Dialog title={t('blocks.ask')} onClose={onClose}>
      <form
        class="ask"
        onSubmit={(event) => {
          event.preventDefault();
          void submit(fieldOf(new FormData(event.currentTarget), 'reason').trim());
        }}
      >
        <TargetFields targets={targets} chosen={target} onChange={setTarget} />
        <SpanFields spans={SPANS} chosen="hour" onChange={(chosen) => setSeconds(chosen ?? 3600)} />
        <div class="preview" aria-live="polite">
          <Answer answer={preview} height={96}>
            {preview.data !== undefined && <Preview of={preview.data} />}
          </Answer>
        </div>
        <label>
          {t('blocks.why')}
          <input name="reason" required maxLength={500} defaultValue={of.title.slice(0, 500)} />
        </label>
        <p class="buttons">
          <button type="submit" class="button primary" disabled={!isReady}>
            {t('blocks.do')}
          </button>
          <button type="button" class="button" onClick={onClose}>
            {t('alerts.ask.cancel')}
          </button>
        </p>
      </form>
    </Dialog>
  );
}

interface TargetProps {
  targets: readonly Target[];
  chosen: Target;
  onChange: (target: Target) => void;
}

function TargetFields({ targets, chosen, onChange }: TargetProps): JSX.Element {
  return (
    <fieldset>
      <legend>{t('blocks.what')}</legend>
      {targets.map((one, i) => (
        <label key={keyOf(one)} class="radio">
          <input
            type="radio"
            name="target"
            checked={keyOf(one) === keyOf(chosen)}
            autofocus={i === 0}
            onChange={() => onChange(one)}
          />
          <bdi class="mono">{one.value}</bdi> <span class="mute">{t(`blocks.kind.${one.kind}`)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Preview({
  of: { value, seconds, refused, block, actions, doubts, clients },
}: {
  of: BlockPreview;
}): JSX.Element {
  if (refused !== null) {
    return (
      <p class="alarm">
        <strong>{t('blocks.refused', { value })}</strong> {refused}
      </p>
    );
  }
  const span = duration(seconds);
  return (
    <>
      <p>
        {actions.length === 0
          ? t('blocks.by_nothing', { span })
          : t('blocks.by', { span, by: actions.map(({ name }) => name).join(', ') })}
      </p>
      {actions.map(({ name, error }) => error !== null && <p key={name} class="alarm">{`${name}: ${error}`}</p>)}
      {clients !== null && <p class="mute">{t('blocks.clients', { n: clients, count: exact(clients) })}</p>}
      {block !== null && (
        <p class="mute">
          {t('blocks.already')} <Moment at={block.until} />
        </p>
      )}
      {doubts.length > 0 && (
        <>
          <p class="mute">{t('blocks.doubts')}</p>
          <ul>
            {doubts.map(({ rule, why }) => (
              <li key={why}>
                {t(`blocks.outcome.${rule}`)}: {why}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
