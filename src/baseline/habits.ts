import { TopList, type TopListState } from './top-list.ts';

/** What a client asks for most: domains and servers by the ids of their models, shapes by their numbers. */
const HABITS = { domains: 12, shapes: 6, servers: 4 } as const;
type Habit = keyof typeof HABITS;
export type Habits = Record<Habit, TopList<number>>;
export type SavedHabits = Record<Habit, TopListState<number>>;
const NAMES = Object.keys(HABITS) as Habit[];

/** Where each list begins in a client's numbers: what was added in all, then key and count of each. */
const AT = { domains: 0, shapes: 1 + 2 * HABITS.domains, servers: 2 + 2 * (HABITS.domains + HABITS.shapes) };
const WIDTH = AT.servers + 1 + 2 * HABITS.servers;
const START = 64;

/** The habits of all clients, each what `TopList` keeps, as numbers side by side. */
export class HabitTable {
  #numbers = new Float64Array(START * WIDTH);

  get bytes(): number {
    return this.#numbers.byteLength;
  }

  /** Adds to a list of a place; see `TopList.add`. */
  add(place: number, habit: Habit, key: number, weight: number): void {
    if ((place + 1) * WIDTH > this.#numbers.length) this.#grow(place);
    const numbers = this.#numbers;
    const from = place * WIDTH + AT[habit];
    numbers[from] += weight;
    const end = from + 1 + 2 * HABITS[habit];
    let least = from + 1;
    for (let i = from + 1; i < end; i += 2) {
      if (numbers[i + 1] === 0 || numbers[i] === key) {
        numbers[i] = key;
        numbers[i + 1] += weight;
        return;
      }
      if (numbers[i + 1] < numbers[least + 1]) least = i;
    }
    numbers[least] = key;
    numbers[least + 1] += weight;
  }

  fade(place: number, factor: number): void {
    const numbers = this.#numbers;
    for (const habit of NAMES) {
      const from = place * WIDTH + AT[habit];
      if (!(numbers[from] > 0)) continue;
      numbers[from] *= factor;
      for (let k = 0; k < HABITS[habit]; k++) numbers[from + 2 + 2 * k] *= factor;
    }
  }

  clear(place: number): void {
    this.#numbers.fill(0, place * WIDTH, (place + 1) * WIDTH);
  }

  /** The lists of a place, copies; undefined when there is nothing in them. */
  get(place: number): Habits | undefined {
    const lists = {
      domains: this.list(place, 'domains'),
      shapes: this.list(place, 'shapes'),
      servers: this.list(place, 'servers'),
    };
    return NAMES.some((habit) => lists[habit].total > 0) ? lists : undefined;
  }

  list(place: number, habit: Habit): TopList<number> {
    const list = new TopList<number>(HABITS[habit]);
    const from = place * WIDTH + AT[habit];
    const numbers = this.#numbers;
    if (!(numbers[from] > 0)) return list;
    list.total = numbers[from];
    for (let k = 0, i = from + 1; k < HABITS[habit] && numbers[i + 1] > 0; k++, i += 2) {
      list.keys.push(numbers[i]);
      list.counts.push(numbers[i + 1]);
    }
    return list;
  }

  state(place: number): SavedHabits | null {
    const habits = this.get(place);
    if (habits === undefined) return null;
    const { domains, shapes, servers } = habits;
    return { domains: domains.state(), shapes: shapes.state(), servers: servers.state() };
  }

  restore(place: number, saved: SavedHabits): void {
    if ((place + 1) * WIDTH > this.#numbers.length) this.#grow(place);
    for (const habit of NAMES) {
      const { keys, counts, total } = saved[habit];
      const from = place * WIDTH + AT[habit];
      this.#numbers[from] = total;
      keys.slice(0, HABITS[habit]).forEach((key, k) => {
        this.#numbers[from + 1 + 2 * k] = key;
        this.#numbers[from + 2 + 2 * k] = counts[k];
      });
    }
  }

  #grow(place: number): void {
    const wider = new Float64Array(2 ** Math.ceil(Math.log2(place + 1)) * 2 * WIDTH);
    wider.set(this.#numbers);
    this.#numbers = wider;
  }
}
