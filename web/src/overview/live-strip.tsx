import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { TailState } from '../../../src/server/schema/overview.ts';
import { answerOf } from '../answer.ts';
import { count, preciseClock } from '../format.ts';
import { type Binding, useKeys } from '../keys.ts';
import { Tail, type TailEntry } from '../live.ts';
import { toggleLive } from '../shell/actions.ts';
import { freshness, state } from '../shell/status.ts';
import { filter, link, live, param } from '../state.ts';
import { t } from '../text.ts';
import { menuIsOpen } from '../ui/menu.tsx';
import { IconButton, Kbd, Panel } from '../ui/panel.tsx';
import { Value } from '../ui/value.tsx';

/** Rows in sight. */
const SHOWN = 14;
/** Slow enough to read; Explore shows more. */
const RATE = 10;

/** What comes in right now; stands still while one points at it. `slow`: latency (ms) from which a row is marked. */
export function LiveStrip({ slow }: { slow: number | null }): JSX.Element {
  const on = live.value;
  const f = filter.value;
  const rate = Number(param('rate')) || RATE;
  const tail = useMemo(
    () => (on ? new Tail({ f: f || undefined, rate, capacity: 100, onState: learnState }) : null),
    [on, f, rate],
  );
  useEffect(() => () => tail?.close(), [tail]);
  return tail === null ? <Still /> : <Following key={`${rate} ${f}`} tail={tail} rate={rate} slow={slow} />;
}

function learnState(fresh: TailState): void {
  state.value = fresh;
  freshness.value = fresh.freshness;
}

function Still(): JSX.Element {
  return (
    <Panel
      class="live"
      title={t('overview.live')}
      note={t('overview.live.still')}
      actions={
        <button type="button" class="button" onClick={toggleLive}>
          {t('overview.live.follow')}
        </button>
      }
    >
      {null}
    </Panel>
  );
}

function Following({ tail, rate, slow }: { tail: Tail; rate: number; slow: number | null }): JSX.Element {
  const held = useSignal(false);
  const toggle = (): void => {
    held.value = !held.value;
  };
  useKeys(useMemo<Binding[]>(() => [{ keys: 'p', title: 'overview.live.pause', run: toggle }], [tail]));
  const inside = useSignal(false);
  const enter = (): void => {
    inside.value = true;
  };
  const leave = (): void => {
    inside.value = false;
  };
  // Whoever reads, or has a row's menu open, is not run away from.
  useSignalEffect(() => {
    if (held.value || inside.value || menuIsOpen.value) tail.pause();
    else tail.resume();
  });
  return (
    <Panel
      class="live"
      title={t('overview.live')}
      note={<Sampling tail={tail} rate={rate} held={held.value} />}
      actions={
        <>
          <a href={link('/explore', { live: 1 })}>{t('overview.live.explore')}</a>
          <IconButton
            icon={held.value ? 'play' : 'pause'}
            label={t(held.value ? 'overview.live.resume' : 'overview.live.pause')}
            pressed={held.value}
            onClick={toggle}
          />
          <Kbd>p</Kbd>
        </>
      }
    >
      <div class="live-rows" onPointerEnter={enter} onPointerLeave={leave} onFocusCapture={enter} onBlurCapture={leave}>
        <Rows tail={tail} slow={slow} />
      </div>
    </Panel>
  );
}

/** Which part is shown, or why nothing moves. */
function Sampling({ tail, rate, held }: { tail: Tail; rate: number; held: boolean }): JSX.Element {
  const { value: status } = tail.status;
  const part = tail.shown.value;
  if (tail.error.value !== null && status !== 'open') {
    return (
      <span class="alarm">
        {tail.error.value.problem.status === 0 ? t('overview.live.waiting') : tail.error.value.message}
      </span>
    );
  }
  if (status === 'waiting') return <span class="attn">{t('overview.live.waiting')}</span>;
  if (tail.paused.value) {
    return (
      <span class="attn">{t(held ? 'overview.live.paused' : 'overview.live.hover', { n: tail.waiting.value })}</span>
    );
  }
  if (status === 'connecting' || part === null) return <>{t('overview.live.connecting')}</>;
  if (part >= 0.995) return <>{t('overview.live.all', { rate })}</>;
  return <>{t('overview.live.part', { part: count(Math.round(1 / part)), rate })}</>;
}

function Rows({ tail, slow }: { tail: Tail; slow: number | null }): JSX.Element {
  const entries = tail.entries.value.slice(0, SHOWN);
  return (
    <table class="mono tail" aria-label={t('overview.live')}>
      <thead>
        <tr>
          <th class="c-time">{t('row.time')}</th>
          <th class="c-client">{t('row.client')}</th>
          <th>{t('row.name')}</th>
          <th class="c-type">{t('row.type')}</th>
          <th class="c-answer">{t('row.answer')}</th>
          <th class="c-ms end">{t('row.ms')}</th>
          <th class="c-server">{t('row.server')}</th>
        </tr>
      </thead>
      <tbody>
        {entries.length === 0 && tail.status.value === 'open' && (
          <tr>
            <td class="faint" colSpan={7}>
              {t('overview.live.quiet')}
            </td>
          </tr>
        )}
        {entries.map((entry) => (
          <Line key={entry.key} entry={entry} slow={slow} />
        ))}
      </tbody>
    </table>
  );
}

function Line({ entry, slow }: { entry: TailEntry; slow: number | null }): JSX.Element {
  if (entry.gap !== undefined) {
    return (
      <tr class="gap">
        <td colSpan={7}>
          {entry.gap === null ? t('overview.live.gap.unknown') : t('overview.live.gap', { n: count(entry.gap) })}
        </td>
      </tr>
    );
  }
  const { row } = entry;
  const { name = '', type = '', latency_ms: ms } = row;
  const answer = answerOf(row);
  return (
    <tr>
      <td class="mute">{preciseClock(Date.parse(row.time))}</td>
      <td>
        <Value kind="client" value={row.client} inRow>
          {row.client_name ?? row.client}
        </Value>
      </td>
      <td>
        <Value kind="name" value={name} inRow>
          <NameText name={name} domain={row.registrable_domain} />
        </Value>
      </td>
      <td>
        <Value kind="type" value={type} inRow />
      </td>
      <td class={answer.level} title={answer.text}>
        {answer.key === undefined ? answer.text : t(answer.key, { zone: answer.zone ?? '' })}
      </td>
      <td class={`end ${ms !== undefined && slow !== null && ms > slow ? 'attn' : ''}`}>
        {ms === undefined ? '' : latencyText(ms)}
      </td>
      <td class="mute">
        <Value kind="server" value={row.server} inRow />
      </td>
    </tr>
  );
}

/** A name whose registrable domain stands out. */
export function NameText({ name, domain }: { name: string; domain: string | undefined }): JSX.Element {
  if (domain === undefined || domain === name || !name.endsWith(domain)) return <>{name}</>;
  return (
    <>
      <span class="sub">{name.slice(0, name.length - domain.length)}</span>
      {domain}
    </>
  );
}

/** Milliseconds with a digit or two, so that a column of them can be compared. */
function latencyText(ms: number): string {
  return ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2);
}
