import { TopList } from '../baseline/top-list.ts';
import type { Evidence } from '../core/alert.ts';
import { Bounded } from './bounded.ts';
import type { Observation } from './observation.ts';

const MOST_SERVERS = 1024;
const MOST_EXAMPLES = 6;
const KEPT = 12;
/** While many fail, one in so many seconds is enough of an example. */
const EXAMPLE_SECONDS = 1;
/** As the baseline's five minutes do: what is left after another one. */
const KEEP = 0.8;

/** What fails at a server lately. */
export interface Failing {
  domains: TopList<string>;
  clients: TopList<string>;
  examples: Evidence[];
  /** When the last of these came. */
  shown: number;
  /** Seconds since 1970 of the first and the last of them. */
  first: number;
  last: number;
  minute: number;
}

/** Transactions that failed, by server (or another key): about which domains, for whom, and the last few of them. */
export class Failures {
  readonly #by = new Bounded<string, Failing>(MOST_SERVERS);

  note(seen: Observation, note?: string, key: string = seen.server.text): Failing {
    const { closed } = seen;
    const minute = Math.floor(closed / 60);
    const failing = this.#by.take(key, () => empty(closed, minute));
    const passed = minute - failing.minute;
    if (passed > 30) Object.assign(failing, empty(closed, minute));
    else if (passed > 0) {
      failing.domains.fade(KEEP ** passed);
      failing.clients.fade(KEEP ** passed);
      failing.minute = minute;
    }
    failing.domains.add(seen.domain?.text ?? seen.nameText);
    failing.clients.add(seen.client.text);
    failing.last = closed;
    const isFull = failing.examples.length === MOST_EXAMPLES;
    if (isFull && closed - failing.shown < EXAMPLE_SECONDS) return failing;
    if (isFull) failing.examples.shift();
    failing.examples.push(seen.evidence(note));
    failing.shown = closed;
    return failing;
  }

  get(key: string): Failing | undefined {
    return this.#by.peek(key);
  }
}

function empty(time: number, minute: number): Failing {
  const domains = new TopList<string>(KEPT);
  return { domains, clients: new TopList<string>(KEPT), examples: [], shown: time, first: time, last: time, minute };
}

/** Seconds after which a state that lasts is told again, so that its alert stays open. */
const AGAIN_SECONDS = 300;

/** What was told already: a state that lasts is told again after five minutes, or when it has doubled. */
export class Told {
  readonly #by = new Bounded<string, { time: number; value: number }>(4096);

  /** Whether to tell of a key now, with a value that says how bad it is. */
  isDue(key: string, value: number, time: number): boolean {
    const last = this.#by.take(key, () => ({ time: Number.NEGATIVE_INFINITY, value: 0 }));
    if (time - last.time < AGAIN_SECONDS && value < last.value * 2) return false;
    last.time = time;
    last.value = value;
    return true;
  }
}

/** Says when it is time again: seconds may be passed over. */
export class Beat {
  readonly #every: number;
  #next = Number.NEGATIVE_INFINITY;

  constructor(seconds: number) {
    this.#every = seconds;
  }

  isDue(time: number): boolean {
    if (time < this.#next) return false;
    this.#next = time + this.#every;
    return true;
  }
}
