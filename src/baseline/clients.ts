import { type Habits, HabitTable, type SavedHabits } from './habits.ts';
import { learnTypical, typicalOf } from './latency.ts';
import { FIRST, HOUR, LAST, ModelTable, type ModelTableState, MUTED, OWN, SAMPLES } from './model-table.ts';
import { clearSeason, learnHour, SEASON_FLOATS, WEEK_BINS } from './season.ts';
import type { BaselineConfig } from './settings.ts';
import type { TopList } from './top-list.ts';

/** Usual counts of a client. */
export const CLIENT_COUNTERS = ['queries', 'answers', 'nxdomain', 'failed', 'unanswered'] as const;
export type ClientCounter = (typeof CLIENT_COUNTERS)[number];

const SEASON = 0;
const COUNTS = SEASON_FLOATS;
/** Mean and variance of ln(ms), side by side. */
const MEAN = COUNTS + CLIENT_COUNTERS.length;
const HOUR_ROWS = MEAN + 2;
const FLOATS = MEAN + 3;
const DOUBLES = OWN;

const HABITS_FROM = 8;
const HABITS_WHOLE = 32;
const HABITS_STEP = 8;

/** Models of clients: rate, outcomes, latency, what and whom they ask. */
export class ClientModels {
  readonly table: ModelTable;
  readonly #config: BaselineConfig;
  readonly #habits = new HabitTable();

  constructor(config: BaselineConfig) {
    this.table = new ModelTable(config.clients, { doubles: DOUBLES, floats: FLOATS, ints: 0 });
    this.table.onMade = (place) => clearSeason(this.table.floats, place * FLOATS + SEASON);
    this.table.onEvict = (place) => this.#habits.clear(place);
    this.#config = config;
  }

  /** Counts a transaction of a client; true when it teaches: of many in an hour only ever fewer do. */
  note(place: number, now: number): boolean {
    const { doubles, floats } = this.table;
    const d = place * DOUBLES;
    const f = place * FLOATS;
    const hour = Math.floor(now / 3600);
    if (hour > doubles[d + HOUR]) this.#passHours(place, hour);
    if (now > doubles[d + LAST]) doubles[d + LAST] = now;
    const rows = ++floats[f + HOUR_ROWS];
    const { votes } = this.#config;
    // Beyond the votes one in 2, beyond twice as many one in 4 …
    if (rows > votes && (rows & ((1 << Math.min(20, 32 - Math.clz32((rows - 1) / votes))) - 1)) !== 0) return false;
    if (now < doubles[d + MUTED]) return false;
    doubles[d + SAMPLES]++;
    floats[f + COUNTS]++;
    return true;
  }

  /** Reads what a transaction of a client will read. */
  touch(place: number): number {
    const { doubles, floats } = this.table;
    return doubles[place * DOUBLES + HOUR] + floats[place * FLOATS + HOUR_ROWS] + floats[place * FLOATS + COUNTS];
  }

  /** What a transaction that teaches was: counter (0 none), ln(ms) (NaN without). */
  learn(place: number, counter: number, ln: number): void {
    const { floats } = this.table;
    const f = place * FLOATS;
    if (counter > 0) floats[f + COUNTS + counter]++;
    if (!Number.isNaN(ln)) learnTypical(floats, f + MEAN, ++floats[f + COUNTS + 1], ln);
  }

  /** For how many transactions the one at hand is to be added to the habits: one in eight shows them, once there are some. */
  habitWeight(place: number): number {
    const samples = this.table.doubles[place * DOUBLES + SAMPLES];
    if (samples > HABITS_WHOLE) return samples % HABITS_STEP === 0 ? HABITS_STEP : 0;
    // What came a few times is no habit.
    return samples < HABITS_FROM ? 0 : 1;
  }

  /** Adds to the habits: domain and server by the ids of their models, shape by its number; −1, of a shape 0: none. */
  learnHabits(place: number, weight: number, domain: number, shape: number, server: number): void {
    const habits = this.#habits;
    if (domain >= 0) habits.add(place, 'domains', domain, weight);
    if (shape !== 0) habits.add(place, 'shapes', shape, weight);
    if (server >= 0) habits.add(place, 'servers', server, weight);
  }

  #passHours(place: number, hour: number): void {
    const { doubles, floats } = this.table;
    const d = place * DOUBLES;
    const f = place * FLOATS;
    const from = doubles[d + HOUR];
    // The first hour is hardly ever a whole one.
    const isWhole = doubles[d + FIRST] < from * 3600 + 60;
    if (isWhole && from * 3600 >= doubles[d + MUTED]) learnHour(floats, f + SEASON, from, floats[f + HOUR_ROWS]);
    for (let one = Math.max(from + 1, hour - WEEK_BINS); one < hour; one++) learnHour(floats, f + SEASON, one, 0);
    floats[f + HOUR_ROWS] = 0;
    doubles[d + HOUR] = hour;
    const factor = 2 ** ((-(hour - from) * 3_600_000) / this.#config.slow);
    for (let i = 0; i < CLIENT_COUNTERS.length; i++) floats[f + COUNTS + i] *= factor;
    this.#habits.fade(place, factor);
  }

  /** See `ModelTable.skipTo`. */
  skipTo(hour: number): void {
    this.table.skipTo(hour, HOUR_ROWS);
  }

  /** What it asks for most, as it is now; undefined where nothing was learnt. */
  habits(place: number): Habits | undefined {
    return this.#habits.get(place);
  }

  /** Whom it asks most. */
  servers(place: number): TopList<number> {
    return this.#habits.list(place, 'servers');
  }

  /** Bytes of its numbers, habits included. */
  get bytes(): number {
    return this.table.bytes + this.#habits.bytes;
  }

  usual(place: number, counter: ClientCounter): number {
    return this.table.floats[place * FLOATS + COUNTS + CLIENT_COUNTERS.indexOf(counter)];
  }

  /** Mean and standard deviation of ln(ms) of its answers. */
  latency(place: number): { mean: number; deviation: number } {
    return typicalOf(this.table.floats, place * FLOATS + MEAN);
  }

  season(place: number): number {
    return place * FLOATS + SEASON;
  }

  state(): ClientModelsState {
    return { table: this.table.state(), habits: this.table.keys.map((_, place) => this.#habits.state(place)) };
  }

  restore(state: ClientModelsState): void {
    this.table.restore(state.table);
    state.habits.forEach((one, place) => {
      this.#habits.clear(place);
      if (one !== null) this.#habits.restore(place, one);
    });
  }
}

export interface ClientModelsState {
  table: ModelTableState;
  habits: (SavedHabits | null)[];
}
