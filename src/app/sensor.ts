import { Ledger } from '../core/ledger.ts';
import type { Privacy as PrivacyShown } from '../server/schema/overview.ts';
import type { SensorReading } from '../server/services.ts';
import type { Intake } from './intake.ts';
import type { RunState } from './plan.ts';

/** Rates are means over so long. */
const RATE_MS = 5000;

export interface SensorOptions {
  name: string;
  source: SensorReading['source'];
  interface: string | null;
  intake: Intake;
  /** Packets are of now: how late transactions come says something. */
  isLive: boolean;
  privacy: PrivacyShown;
  /** Milliseconds since 1970. */
  now: () => number;
}

interface Sample {
  at: number;
  rows: number;
  frames: number;
}

/** One input at work: its counters, and what they were a few seconds ago. */
export class Sensor {
  running = false;
  /** What the run has counted so far (`RunHooks.counting`). */
  counts: () => Ledger = () => new Ledger();
  /** How the run is (`RunHooks.watching`). */
  state: () => RunState = () => ({ open: 0, ring: null, oneIn: 1 });
  readonly #options: SensorOptions;
  readonly #started: number;
  #samples: Sample[] = [];

  constructor(options: SensorOptions) {
    this.#options = options;
    this.#started = options.now();
  }

  /** Remembers the counters: to be called every second or so. */
  sample(): void {
    const at = this.#options.now();
    this.#samples.push({ at, rows: this.#options.intake.received, frames: this.counts().received });
    this.#samples = this.#samples.filter((one) => at - one.at <= RATE_MS + 1000);
  }

  reading(): SensorReading {
    const { name, source, interface: on, intake, isLive, privacy, now } = this.#options;
    const ledger = this.counts();
    const [rate, framesRate] = this.#rates(ledger.received);
    const { open, ring, oneIn } = this.state();
    const { stored, waiting, received, lost, lagMs } = intake;
    return {
      name,
      source,
      interface: on,
      privacy,
      ledger,
      transactions: received,
      stages: [{ stage: 'store', unit: 'transactions', in: received - waiting, out: stored, lost: { ...lost } }],
      rate,
      framesRate,
      lagSeconds: isLive && this.running ? lagMs / 1000 : null,
      ring: this.running ? ring : null,
      openTransactions: this.running ? open : null,
      oneIn,
      uptimeSeconds: (now() - this.#started) / 1000,
      running: this.running,
    };
  }

  #rates(frames: number): [rows: number, frames: number] {
    const first = this.#samples.at(0);
    const seconds = first === undefined ? 0 : (this.#options.now() - first.at) / 1000;
    if (first === undefined || seconds < 0.5 || !this.running) return [0, 0];
    return [(this.#options.intake.received - first.rows) / seconds, (frames - first.frames) / seconds];
  }
}
