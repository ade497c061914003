import type { ComponentType, JSX } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { clock, day, moment, zoneName } from '../format.ts';
import { isRelative, param, range, resolvedRange, resolveTime, setRange, update, zone } from '../state.ts';
import { t } from '../text.ts';
import { fieldOf } from '../ui/form.ts';
import { Icon } from '../ui/icons.tsx';
import { IconButton } from '../ui/panel.tsx';
import { Popover } from '../ui/popover.tsx';

const PRESETS = ['15m', '1h', '6h', '24h', '7d', '30d'] as const;

/** The page's time range: presets, a piece of time, earlier, later, longer; and the zone of all times. */
export function RangePicker(): JSX.Element {
  const [open, setOpen] = useState(false);
  const close = useCallback(() => {
    setOpen(false);
  }, []);
  return (
    <div class="range">
      <button type="button" class="button range-button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="clock" size={14} />
        <span>{rangeText()}</span>
      </button>
      {open && (
        <Popover label={t('range.title')} onClose={close} class="range-popover">
          <Presets onPick={close} />
          <Moves />
          <Around onDone={close} />
          <Absolute onDone={close} />
          <Zone />
        </Popover>
      )}
    </div>
  );
}

/** The timeline comes when the picker opens: charts are no part of the frame's script. */
function Around({ onDone }: { onDone: () => void }): JSX.Element | null {
  const [Timeline, setTimeline] = useState<ComponentType<{ onDone: () => void }> | null>(null);
  useEffect(() => {
    const load = async (): Promise<void> => {
      const loaded = await import('./timeline.tsx');
      setTimeline(() => loaded.Timeline);
    };
    void load();
  }, []);
  return Timeline === null ? null : <Timeline onDone={onDone} />;
}

/** The range in words: Last hour; 24 Nov, 14:00 – 15:00. */
export function rangeText(): string {
  const { from } = range.value;
  const preset = PRESETS.find((span) => from === `-${span}`);
  if (isRelative.value && preset !== undefined) return t('range.last', { span: t(`range.${preset}`) });
  if (isRelative.value && from.startsWith('-')) return t('range.last', { span: from.slice(1) });
  const span = resolvedRange();
  if (Number.isNaN(span.from) || Number.isNaN(span.to)) return `${from} – ${range.value.to}`;
  const seconds = span.to - span.from < 600_000;
  const sameDay = day(span.from) === day(span.to);
  return `${moment(span.from, seconds)} – ${sameDay ? clock(span.to, seconds) : moment(span.to, seconds)}`;
}

function Presets({ onPick }: { onPick: () => void }): JSX.Element {
  return (
    <div class="presets">
      {PRESETS.map((span) => (
        <button
          key={span}
          type="button"
          class="button"
          aria-pressed={isRelative.value && range.value.from === `-${span}`}
          onClick={() => {
            update({ from: `-${span}`, to: null });
            onPick();
          }}
        >
          {t(`range.${span}`)}
        </button>
      ))}
    </div>
  );
}

function Moves(): JSX.Element {
  const by = (from: number, to: number): void => {
    const present = resolvedRange();
    const span = present.to - present.from;
    const end = Math.min(Date.now(), present.to + to * span);
    setRange(Math.min(present.from + from * span, end - span / 2), end);
  };
  return (
    <div class="moves">
      <IconButton icon="left" label={t('range.back')} onClick={() => by(-1, -1)} />
      <IconButton icon="zoom" label={t('range.out')} onClick={() => by(-0.5, 0.5)} />
      <IconButton icon="right" label={t('range.forward')} onClick={() => by(1, 1)} />
    </div>
  );
}

function Absolute({ onDone }: { onDone: () => void }): JSX.Element {
  const [wrong, setWrong] = useState(false);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    const from = parseMoment(fieldOf(form, 'from'));
    const to = parseMoment(fieldOf(form, 'to'));
    if (from === null || to === null || resolveTime(from) >= resolveTime(to)) {
      setWrong(true);
      return;
    }
    update({ from, to });
    onDone();
  };
  return (
    <form class="absolute" onSubmit={submit}>
      {(['from', 'to'] as const).map((name) => (
        <label key={name} class="field">
          <span>{t(`range.${name}`)}</span>
          <input
            name={name}
            class="mono"
            defaultValue={writeMoment(range.value[name])}
            autocomplete="off"
            spellcheck={false}
          />
        </label>
      ))}
      {wrong && (
        <p class="wrong" role="alert">
          {t('range.wrong')}
        </p>
      )}
      <button type="submit" class="button primary">
        {t('range.apply')}
      </button>
    </form>
  );
}

function Zone(): JSX.Element {
  const utc = param('tz') === 'utc';
  return (
    <p class="zone faint small">
      {t('range.zone', { zone: utc ? 'UTC' : `${zone.value} (${zoneName()})` })}
      <button type="button" class="link" onClick={() => update({ tz: utc ? null : 'utc' }, { replace: true })}>
        {t(utc ? 'range.local' : 'range.utc')}
      </button>
    </p>
  );
}

/** A time of the address as one would write it: relative ones as they are, others as local time. */
function writeMoment(text: string): string {
  if (text === 'now' || text.startsWith('-')) return text;
  const ms = resolveTime(text);
  if (Number.isNaN(ms)) return text;
  const offset = param('tz') === 'utc' ? 0 : new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - offset).toISOString().slice(0, 19).replace('T', ' ');
}

/** A time as written, for the address; local unless it says its zone or the page shows UTC. Null = not a time. */
function parseMoment(written: string): string | null {
  const text = written.trim();
  if (Number.isNaN(resolveTime(text))) return null;
  if (text === 'now' || text.startsWith('-')) return text;
  const local = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{1,2}:\d{2}(?::\d{2})?))?$/.exec(text);
  const zoned =
    local !== null && param('tz') === 'utc' ? `${local[1]}T${(local[2] ?? '00:00').padStart(5, '0')}Z` : text;
  const ms = resolveTime(zoned);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
