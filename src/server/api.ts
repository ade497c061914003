import { AlertWatch } from './alert-watch.ts';
import type { StatisticsQuery, StatisticsResult, StoreStatus } from '../store/store.ts';
import { Audit } from './audit.ts';
import { Counters } from './counters.ts';
import { freshnessOf, LossWatch, stateOf } from './health.ts';
import { Gate } from './limits.ts';
import { ProblemError } from './problem.ts';
import type { Freshness, Overview, State, TailState, Tile } from './schema/overview.ts';
import type { SensorReading, ServerServices } from './services.ts';
import { Sessions } from './sessions.ts';
import { SingleFlight } from './single-flight.ts';
import { Tails } from './tail.ts';
import { Traffic } from './traffic.ts';
import type { UsualNumbers } from './usual.ts';

/** Questions to the store at a time, and those that may wait for their turn. */
const MOST_RUNNING = 16;
const MOST_WAITING = 2000;
/** Statistics that are counted at a time: each uses all threads of the database, and memory. */
const MOST_COUNTING = 3;

/** What the store and the sensors say right now. */
export interface Health {
  sensors: SensorReading[];
  status: StoreStatus;
  freshness: Freshness;
  dropped: number;
  alertsOpen: number;
}

/** What all endpoints share: the services, and what is kept between requests. */
export class Api {
  readonly services: ServerServices;
  readonly sessions: Sessions;
  readonly audit: Audit;
  readonly counters = new Counters();
  readonly traffic = new Traffic();
  readonly tails: Tails;
  readonly alerts: AlertWatch;
  readonly gate = new Gate(MOST_RUNNING, MOST_WAITING);
  /** Answers that several viewers share. */
  readonly overviews: SingleFlight<Overview>;
  readonly usual: SingleFlight<UsualNumbers>;
  /** True once the server goes down: not ready any more. */
  draining = false;
  readonly #loss = new LossWatch();
  readonly #health: SingleFlight<Health>;
  readonly #counting = new Gate(MOST_COUNTING, Number.POSITIVE_INFINITY);
  readonly #unsubscribe: () => void;

  constructor(services: ServerServices) {
    this.services = services;
    const { options, store, log, live } = services;
    const now = () => services.now();
    this.sessions = new Sessions(options, now);
    this.audit = new Audit(store.records, log, now);
    this.overviews = new SingleFlight(1000, now);
    this.usual = new SingleFlight(10 * 60_000, now, 4);
    this.#health = new SingleFlight(500, now, 1);
    const failed = (err: unknown) => log.error({ err }, 'the state could not be had for the live tails');
    this.tails = new Tails(live, () => this.tailState(), now, failed);
    this.alerts = new AlertWatch(services.alerts);
    this.#unsubscribe = live.subscribe((batch, from, to) => this.counters.add(batch, from, to));
  }

  /** Ends what goes on by itself; resolves when nothing asks the store any more, which may be closed then. */
  async close(): Promise<void> {
    this.#unsubscribe();
    this.tails.close();
    this.alerts.close();
    await Promise.all([this.#health.settled(), this.overviews.settled(), this.usual.settled()]);
  }

  /** Asks for statistics, a few at a time: those of one page wait for each other. */
  async statistics(query: StatisticsQuery, signal?: AbortSignal): Promise<StatisticsResult> {
    const leave = await this.#counting.enter();
    try {
      signal?.throwIfAborted();
      return await this.services.store.statistics(query, signal);
    } finally {
      leave?.();
    }
  }

  /** Asks the store when it is this question's turn. Throws 503 when too many wait. */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    const leave = await this.enter();
    try {
      return await question();
    } finally {
      leave();
    }
  }

  /** The same for work that goes on: gives the function that ends it. */
  async enter(): Promise<() => void> {
    const leave = await this.gate.enter();
    if (leave === null) {
      throw new ProblemError(503, 'Too many questions wait for the store: try again in a moment.', {}, RETRY);
    }
    return leave;
  }

  /** How things are, not older than half a second. */
  health(): Promise<Health> {
    return this.#health.get('', async () => {
      const { store } = this.services;
      const sensors = this.services.sensors();
      const status = await store.status();
      const now = this.services.now();
      const { ratio, dropped } = this.#loss.read(sensors, status, now);
      const freshness = freshnessOf(sensors, status, ratio, now);
      return {
        sensors,
        status,
        freshness,
        dropped,
        alertsOpen: this.services.alerts.open,
      };
    });
  }

  /** The state, with what tiles of the first screen add to it. */
  state(health: Health, tiles: readonly Tile[] = []): State {
    return stateOf({ ...health, checks: this.services.checks(), tiles });
  }

  async tailState(): Promise<TailState> {
    const health = await this.health();
    const qps = health.sensors.reduce((sum, { rate }) => sum + rate, 0);
    return { ...this.state(health), freshness: health.freshness, qps };
  }
}

const RETRY = { 'Retry-After': '2' };
