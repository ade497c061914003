/** Something to be done again and again. */
export interface Task {
  /** Tasks of one target are never run more at a time than `perTarget`. */
  target: string;
  everyMs: number;
  /** Runs; absent = until it is removed. */
  count?: number | undefined;
  /** Resolves true when all is well, false where the target failed. Never rejects. */
  run(): Promise<boolean>;
  /** Called once after the last run. */
  ended?(): void;
}

export interface SchedulerOptions {
  /** Tasks that run at a time, of all targets and of one. */
  concurrency: number;
  perTarget: number;
  /** Random numbers 0 … 1, for the jitter of starts. */
  random?: () => number;
  /** Milliseconds on a monotonic clock. */
  now?: () => number;
}

interface Entry {
  task: Task;
  /** When it was, or would have been, begun first; further times are whole intervals later. */
  first: number;
  /** Intervals begun. */
  turn: number;
  runs: number;
  timer: NodeJS.Timeout | undefined;
  isRunning: boolean;
  isWaiting: boolean;
  isRemoved: boolean;
  /** Its target failed last time: it takes a lane of its own, so that dead targets never hold up live ones. */
  isSuspect: boolean;
}

/** Longest time that a timer of Node takes. */
const MOST_MS = 2 ** 31 - 1;

/**
 * Tasks at fixed rates on a monotonic clock. Starts are spread over the interval; a task that is still under way when it
 * is due again is not begun twice: that turn is left out and counted. Tasks whose target failed last time get at most
 * half of the places, so that however many targets time out, the others go on as they should.
 */
export class Scheduler {
  /** Turns left out because the one before was still running or waiting. */
  skipped = 0;
  readonly #options: Required<SchedulerOptions>;
  readonly #entries = new Set<Entry>();
  readonly #ready: Entry[] = [];
  readonly #suspects: Entry[] = [];
  readonly #perTarget = new Map<string, number>();
  #running = 0;
  #suspectsRunning = 0;
  #isStopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = { random: Math.random, now: () => performance.now(), ...options };
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#ready.length + this.#suspects.length;
  }

  /** Adds a task, which begins within its interval (`spreadMs` unless told, 0 = at once); call the result to end it. */
  add(task: Task, spreadMs: number = task.everyMs): () => void {
    const first = this.#options.now() + this.#options.random() * spreadMs;
    const entry: Entry = {
      task,
      first,
      turn: 0,
      runs: 0,
      timer: undefined,
      isRunning: false,
      isWaiting: false,
      isRemoved: false,
      isSuspect: false,
    };
    this.#entries.add(entry);
    this.#arm(entry);
    return () => this.#remove(entry);
  }

  /** Begins nothing more. */
  stop(): void {
    this.#isStopped = true;
    for (const entry of this.#entries) this.#remove(entry);
    this.#ready.length = 0;
    this.#suspects.length = 0;
  }

  #arm(entry: Entry): void {
    const due = entry.first + entry.turn * entry.task.everyMs;
    const wait = Math.min(MOST_MS, Math.max(0, due - this.#options.now()));
    entry.timer = setTimeout(() => this.#due(entry), wait);
  }

  #due(entry: Entry): void {
    if (entry.isRemoved) return;
    const now = this.#options.now();
    const { everyMs, count } = entry.task;
    if (now < entry.first + entry.turn * everyMs) return this.#arm(entry);
    // Turns missed while this process slept are left out too.
    const turn = everyMs > 0 ? Math.floor((now - entry.first) / everyMs) : entry.turn;
    // The first one is late, and left out nothing.
    if (entry.turn > 0) this.skipped += turn - entry.turn;
    entry.turn = turn + 1;
    const isBusy = entry.isRunning || entry.isWaiting;
    // A counted task without a pause goes on when the run before has ended.
    if (isBusy && everyMs > 0) this.skipped++;
    else if (!isBusy) {
      entry.isWaiting = true;
      (entry.isSuspect ? this.#suspects : this.#ready).push(entry);
    }
    if (everyMs > 0 && (count === undefined || entry.runs + (isBusy ? 0 : 1) < count)) this.#arm(entry);
    this.#fill();
  }

  #fill(): void {
    this.#take(this.#ready, this.#options.concurrency);
    this.#take(this.#suspects, Math.max(1, this.#options.concurrency >>> 1));
  }

  #take(queue: Entry[], most: number): void {
    const isSuspect = queue === this.#suspects;
    for (let i = 0; i < queue.length && this.#running < this.#options.concurrency; ) {
      if (isSuspect && this.#suspectsRunning >= most) return;
      const entry = queue[i];
      const { target } = entry.task;
      if (!entry.isRemoved && (this.#perTarget.get(target) ?? 0) >= this.#options.perTarget) {
        i++;
        continue;
      }
      if (i === 0) queue.shift();
      else queue.splice(i, 1);
      entry.isWaiting = false;
      if (!entry.isRemoved && !this.#isStopped) void this.#run(entry, isSuspect);
    }
  }

  async #run(entry: Entry, isSuspect: boolean): Promise<void> {
    const { target, count, everyMs } = entry.task;
    this.#running++;
    if (isSuspect) this.#suspectsRunning++;
    this.#perTarget.set(target, (this.#perTarget.get(target) ?? 0) + 1);
    entry.isRunning = true;
    entry.runs++;
    entry.isSuspect = !(await entry.task.run());
    entry.isRunning = false;
    this.#running--;
    if (isSuspect) this.#suspectsRunning--;
    const left = (this.#perTarget.get(target) ?? 1) - 1;
    if (left === 0) this.#perTarget.delete(target);
    else this.#perTarget.set(target, left);
    if (entry.isRemoved) entry.task.ended?.();
    else if (count !== undefined && entry.runs >= count) this.#remove(entry);
    else if (everyMs === 0) this.#due(entry);
    this.#fill();
  }

  #remove(entry: Entry): void {
    if (entry.isRemoved) return;
    entry.isRemoved = true;
    clearTimeout(entry.timer);
    this.#entries.delete(entry);
    if (!entry.isRunning) entry.task.ended?.();
  }
}
