import { FATE } from '../core/ledger.ts';
import type { StoreStatus } from '../store/store.ts';
import { type SaidKey, say } from './said.ts';
import type { Freshness, State, Tile } from './schema/overview.ts';
import type { Check, SensorReading } from './services.ts';
import { timeOrNull } from './times.ts';

/** Loss is told for this long after it happened. */
const WINDOW_MS = 5 * 60_000;
const SAMPLE_MS = 5000;
/** Part of the frames whose loss makes the state `degraded`; less is `attention`. */
const MUCH_LOSS = 0.01;
/** Live data older than this is worth a word. */
const OLD_SECONDS = 120;

interface Totals {
  at: number;
  received: number;
  lost: number;
  /** Transactions that did not reach the store. */
  dropped: number;
}

/** Which part of the frames was lost lately, from counters that only grow. */
export class LossWatch {
  readonly #samples: Totals[] = [];

  /** Takes the counters as they are; what they say about the last minutes: loss 0 … 1 (null: nothing came), rows dropped. */
  read(sensors: readonly SensorReading[], status: StoreStatus, now: number): { ratio: number | null; dropped: number } {
    const current: Totals = { at: now, received: 0, lost: 0, dropped: 0 };
    for (const { ledger } of sensors) {
      current.received += ledger.received;
      current.lost += ledger.frames[FATE.kernel] + ledger.frames[FATE.interface];
    }
    for (const [cause, rows] of Object.entries(status.dropped)) if (cause !== 'retention') current.dropped += rows;
    const samples = this.#samples;
    while (samples.length > 1 && now - samples[1].at > WINDOW_MS) samples.shift();
    const last = samples.at(-1);
    // Counters of a source that was opened again begin anew.
    if (last !== undefined && current.received < last.received) samples.length = 0;
    const first = samples[0] ?? { at: now, received: 0, lost: 0, dropped: 0 };
    if (samples.length === 0 || now - (samples.at(-1)?.at ?? 0) >= SAMPLE_MS) samples.push(current);
    const received = current.received - first.received;
    const isFirst = first.at === now;
    const ratio = received > 0 ? (current.lost - first.lost) / received : isFirst || current.received === 0 ? null : 0;
    return { ratio, dropped: current.dropped - (isFirst ? 0 : first.dropped) };
  }
}

/** How current the data is. */
export function freshnessOf(
  sensors: readonly SensorReading[],
  status: StoreStatus,
  loss: number | null,
  now: number,
): Freshness {
  const lags = sensors.map(({ lagSeconds }) => lagSeconds).filter((lag) => lag !== null);
  const capture = lags.length === 0 ? null : Math.max(...lags);
  return {
    newest: timeOrNull(status.newest),
    age_s: status.newest === null ? null : Math.max(0, (now - status.newest) / 1000),
    lag_s: capture === null && status.lag_s === null ? null : (capture ?? 0) + (status.lag_s ?? 0),
    loss_ratio: loss,
  };
}

export interface StateInputs {
  sensors: readonly SensorReading[];
  status: StoreStatus;
  freshness: Freshness;
  /** Transactions dropped lately. */
  dropped: number;
  checks: readonly Check[];
  alertsOpen: number;
  tiles: readonly Tile[];
}

type Reason = State['reasons'][number];

/** Of the reasons of the worst level so many are told in the sentence. */
const TOLD = 2;
const WORDS = { normal: 'Normal', attention: 'Attention', degraded: 'Degraded' } as const;

/** The state in one sentence, and why: what is lost or broken first, then what is worth a look. */
export function stateOf(inputs: StateInputs): State {
  const reasons = [...lossReasons(inputs), ...brokenReasons(inputs), ...lookReasons(inputs)];
  const level = reasons.some((reason) => reason.level === 'degraded')
    ? 'degraded'
    : reasons.length > 0
      ? 'attention'
      : 'normal';
  const told = reasons.filter((reason) => reason.level === level).slice(0, TOLD);
  const untold = reasons.length - told.length;
  const rest = level === 'normal' ? calm(inputs) : untold > 0 ? say('state.more', { n: untold }) : null;
  const sentence = [...told, ...(rest === null ? [] : [rest])].map(({ text }) => text).join('; ');
  return { level, sentence: `${WORDS[level]}: ${sentence}.`, told: told.length, rest, reasons };
}

function lossReasons({ freshness, dropped }: StateInputs): Reason[] {
  const reasons: Reason[] = [];
  const { loss_ratio: loss } = freshness;
  if (loss !== null && loss > 0) {
    const level = loss >= MUCH_LOSS ? 'degraded' : 'attention';
    const share = percent(loss);
    reasons.push({ key: 'capture_loss', ...say('state.capture_loss', { share }), level, link: '/sensors' });
  }
  if (dropped > 0) {
    const told = say('state.store_drops', { n: dropped });
    reasons.push({ key: 'store_drops', ...told, level: 'degraded', link: '/sensors' });
  }
  return reasons;
}

function brokenReasons({ sensors, status, checks }: StateInputs): Reason[] {
  const reasons: Reason[] = [];
  const broken = (key: string, told: ReturnType<typeof say>) => {
    reasons.push({ key, ...told, level: 'degraded', link: '/sensors' });
  };
  if (status.degraded !== null) broken('store', say('state.store', { detail: clause(status.degraded) }));
  for (const { name, running, ledger } of sensors) {
    if (!running) broken('sensor', say('state.sensor', { name }));
    const [detail] = running ? [] : ledger.imbalance();
    if (detail !== undefined) broken('ledger', say('state.ledger', { name, detail }));
  }
  for (const { name, ok, detail } of checks) {
    if (ok || name === 'store') continue;
    broken(name, name === 'capture' ? say('state.closed') : say('state.check', { detail: clause(detail) }));
  }
  return reasons;
}

function lookReasons({ status, freshness, alertsOpen, tiles, sensors }: StateInputs): Reason[] {
  const reasons: Reason[] = [];
  const look = (key: string, told: ReturnType<typeof say>, link: string) => {
    reasons.push({ key, ...told, level: 'attention', link });
  };
  if (alertsOpen > 0) look('alerts', say('state.alerts', { n: alertsOpen }), '/alerts');
  const isLive = sensors.some(({ running, ring }) => running && ring !== null);
  if (isLive && freshness.age_s !== null && freshness.age_s > OLD_SECONDS) {
    look('age', say('state.age', { n: Math.round(freshness.age_s / 60) }), '/sensors');
  }
  const oneIn = Math.max(1, ...sensors.map((one) => one.oneIn));
  if (oneIn > 1) look('sampled', say('state.sampled', { n: oneIn }), '/sensors');
  for (const { key, value, expected, anomalous } of tiles) {
    if (!anomalous || expected === null || value === null) continue;
    look(`tile_${key}`, say(`state.${key}.${value > expected.high ? 'higher' : 'lower'}` satisfies SaidKey), '/');
  }
  if (status.remark !== null)
    look('store_remark', say('state.store_remark', { detail: clause(status.remark) }), '/sensors');
  return reasons;
}

/** Without its full stop: a part of a sentence. */
function clause(text: string): string {
  return text.replace(/\.$/, '');
}

function calm({ freshness, status }: StateInputs): ReturnType<typeof say> {
  if (status.newest === null) return say('state.empty');
  return say(freshness.loss_ratio === null ? 'state.idle' : 'state.lossless');
}

function percent(ratio: number): string {
  const value = ratio * 100;
  return `${value >= 0.1 ? value.toFixed(1) : value.toPrecision(1)} %`;
}
