import { FATE } from '../core/ledger.ts';
import type { StoreStatus } from '../store/store.ts';
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

/** The state in one sentence, and why: what is lost or broken first, then what is worth a look. */
export function stateOf(inputs: StateInputs): State {
  const reasons = [...lossReasons(inputs), ...brokenReasons(inputs), ...lookReasons(inputs)];
  const level = reasons.some((reason) => reason.level === 'degraded')
    ? 'degraded'
    : reasons.length > 0
      ? 'attention'
      : 'normal';
  const word = { normal: 'Normal', attention: 'Attention', degraded: 'Degraded' }[level];
  const worst = reasons.filter((reason) => reason.level === level);
  const told = worst.slice(0, 2).map(({ text }) => text);
  const more = reasons.length - told.length;
  const rest = level === 'normal' ? [calm(inputs)] : more > 0 ? [`${more} more`] : [];
  return { level, sentence: `${word}: ${[...told, ...rest].join('; ')}.`, reasons };
}

function lossReasons({ freshness, dropped }: StateInputs): Reason[] {
  const reasons: Reason[] = [];
  const { loss_ratio: loss } = freshness;
  if (loss !== null && loss > 0) {
    const text = `capture dropped ${percent(loss)} of the frames in the last minutes`;
    reasons.push({ key: 'capture_loss', text, level: loss >= MUCH_LOSS ? 'degraded' : 'attention', link: '/sensors' });
  }
  if (dropped > 0) {
    const text = `${dropped} transactions did not reach the store in the last minutes`;
    reasons.push({ key: 'store_drops', text, level: 'degraded', link: '/sensors' });
  }
  return reasons;
}

function brokenReasons({ sensors, status, checks }: StateInputs): Reason[] {
  const reasons: Reason[] = [];
  const broken = (key: string, text: string) => reasons.push({ key, text, level: 'degraded', link: '/sensors' });
  if (status.degraded !== null) broken('store', status.degraded.replace(/\.$/, ''));
  for (const { name, running, ledger } of sensors) {
    if (!running) broken('sensor', `sensor ${name} has stopped`);
    const [imbalance] = running ? [] : ledger.imbalance();
    if (imbalance !== undefined) broken('ledger', `the ledger of ${name} does not sum: ${imbalance}`);
  }
  for (const { name, ok, detail } of checks) {
    if (!ok && name !== 'store') broken(name, detail.replace(/\.$/, ''));
  }
  return reasons;
}

function lookReasons({ status, freshness, alertsOpen, tiles, sensors }: StateInputs): Reason[] {
  const reasons: Reason[] = [];
  const look = (key: string, text: string, link: string) => reasons.push({ key, text, level: 'attention', link });
  if (alertsOpen > 0) look('alerts', `${alertsOpen} open ${alertsOpen === 1 ? 'alert' : 'alerts'}`, '/alerts');
  const isLive = sensors.some(({ running, ring }) => running && ring !== null);
  if (isLive && freshness.age_s !== null && freshness.age_s > OLD_SECONDS) {
    look('age', `no transaction for ${Math.round(freshness.age_s / 60)} minutes`, '/sensors');
  }
  for (const { key, value, expected, anomalous } of tiles) {
    if (!anomalous || expected === null || value === null) continue;
    const way = value > expected.high ? 'higher' : 'lower';
    look(`tile_${key}`, `${TILE_WORDS[key] ?? key} ${way} than usual at this hour`, '/');
  }
  if (status.remark !== null) look('store_remark', status.remark.replace(/\.$/, ''), '/sensors');
  return reasons;
}

const TILE_WORDS: Readonly<Record<string, string>> = {
  qps: 'the query rate is',
  nxdomain_ratio: 'the share of NXDOMAIN is',
  servfail_ratio: 'the share of SERVFAIL is',
  unanswered_ratio: 'the share of unanswered queries is',
  latency_p50: 'the median latency is',
  latency_p95: 'the p95 latency is',
  latency_p99: 'the p99 latency is',
  clients: 'the number of clients is',
};

function calm({ freshness, status }: StateInputs): string {
  if (status.newest === null) return 'nothing has been seen yet';
  if (freshness.loss_ratio === null) return 'history is at hand, no capture is running';
  return 'nothing is lost';
}

function percent(ratio: number): string {
  const value = ratio * 100;
  return `${value >= 0.1 ? value.toFixed(1) : value.toPrecision(1)} %`;
}
