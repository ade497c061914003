/** `unknown`: nobody has looked yet, or nobody can. */
export type HealthState = 'up' | 'down' | 'unknown';

/** How many results in a row change a state. */
export interface Hysteresis {
  /** Successes until what is down is up; 2 unless told. */
  rise?: number;
  /** Failures until what is up is down; 3 unless told. */
  fall?: number;
}

/** Health of one server: the first result decides, later it takes several in a row, so that one lost packet changes nothing. */
export class Health {
  state: HealthState = 'unknown';
  readonly #rise: number;
  readonly #fall: number;
  /** Results in a row that speak against the state. */
  #against = 0;

  constructor({ rise = 2, fall = 3 }: Hysteresis = {}) {
    this.#rise = rise;
    this.#fall = fall;
  }

  /** Takes a result; true when the state changed. */
  note(isGood: boolean): boolean {
    const said: HealthState = isGood ? 'up' : 'down';
    if (said === this.state) {
      this.#against = 0;
      return false;
    }
    this.#against++;
    const wanted = this.state === 'unknown' ? 1 : isGood ? this.#rise : this.#fall;
    if (this.#against < wanted) return false;
    this.state = said;
    this.#against = 0;
    return true;
  }
}
