import type { Blocks } from '../../core/block.ts';
import type { StoreStatus } from '../../store/store.ts';
import { type Ledger, MESSAGE_OUTCOMES, OUTCOME } from '../../core/ledger.ts';
import { funnel } from '../../report/funnel.ts';
import { endpoint } from '../endpoint.ts';
import { type BlockingState, type Sensor, sensors as answer, type Stage, type StoreState } from '../schema/sensors.ts';
import type { SensorReading } from '../services.ts';
import { timeOrNull } from '../times.ts';

/** The pipeline: what came in, where the rest stayed, and how the store and the sinks are. */
export const sensors = endpoint({
  method: 'get',
  path: '/sensors',
  tag: 'pipeline',
  summary: 'Sensors with their loss ledgers, the store, the sinks',
  answer,
  async run({ api }) {
    const { sensors: readings, status } = await api.health();
    return {
      sensors: readings.map(sensorValue),
      store: storeValue(status),
      sinks: api.services.sinks(),
      tables: api.services.tables().sort((a, b) => b.used / b.limit - a.used / a.limit),
      cache: api.services.cache?.() ?? null,
      blocking: blockingValue(api.services.blocks),
      version: api.services.version,
    };
  },
});

function sensorValue(reading: SensorReading): Sensor {
  const { name, source, privacy, ledger, transactions, rate, running, ring } = reading;
  const { frames, messages } = ledger.toJSON();
  return {
    name,
    source: source.text,
    source_said: source.said,
    interface: reading.interface,
    privacy,
    ledger: {
      received: ledger.received,
      decoded: ledger.decoded,
      transactions,
      frames: counts(frames),
      messages: counts(messages),
      funnel: [...funnel(ledger).map(stageValue), matching(ledger), ...reading.stages],
      // While messages wait for their pair the second equation is open: it has to hold once the run has ended.
      imbalance: running ? [] : ledger.imbalance(),
    },
    rate,
    frames_rate: reading.framesRate,
    lag_s: reading.lagSeconds,
    ring,
    open_transactions: reading.openTransactions,
    one_in: reading.oneIn,
    uptime_s: reading.uptimeSeconds,
    running,
  };
}

/** Messages that became part of a transaction; the others by cause, `open` those that still wait for their pair. */
function matching(ledger: Ledger): Stage {
  const lost: Record<string, number> = {};
  let open = ledger.decoded;
  MESSAGE_OUTCOMES.forEach((outcome, i) => {
    const n = ledger.messages[i];
    open -= n;
    if (outcome !== 'joined' && n > 0) lost[outcome] = n;
  });
  if (open > 0) lost.open = open;
  return { stage: 'matching', unit: 'messages', in: ledger.decoded, out: ledger.messages[OUTCOME.joined], lost };
}

function stageValue({ stage, unit, in: came, out, lost }: ReturnType<typeof funnel>[number]): Stage {
  return { stage, unit, in: came, out, lost: counts(lost) };
}

function counts(values: Partial<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([key, n]) => [key, n ?? 0]));
}

function blockingValue(blocks: Blocks | null): BlockingState | null {
  if (blocks === null) return null;
  const { actions, overflow, unwritten } = blocks.report();
  return {
    actions: actions.map(({ name, applied, wanted, failed, error, counts: own }) => {
      return { name, applied, wanted, failed, error, counts: { ...own } };
    }),
    overflow,
    unwritten,
  };
}

function storeValue({ oldest, newest, ...status }: StoreStatus): StoreState {
  return { ...status, oldest: timeOrNull(oldest), newest: timeOrNull(newest) };
}
