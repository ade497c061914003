/** What a browser's trace says of the page's main thread. */
export interface TraceEvent {
  name: string;
  ph: string;
  /** Microseconds. */
  ts: number;
  dur?: number;
  /** Of them, those that the thread had a processor. */
  tdur?: number;
  pid: number;
  tid: number;
  args?: { name?: string };
}

/** Events in which script runs, garbage collection included. */
const SCRIPT = new Set([
  'FunctionCall',
  'EvaluateScript',
  'v8.compile',
  'v8.callFunction',
  'V8.Execute',
  'RunMicrotasks',
  'FireAnimationFrame',
  'TimerFire',
  'EventDispatch',
  'MinorGC',
  'MajorGC',
  'V8.GCScavenger',
]);

/** Microseconds; `busy`: how many of them the thread had a processor. */
interface Span {
  from: number;
  to: number;
  busy: number;
}

interface Thread {
  events: TraceEvent[];
}

/** The thread on which the page's own script ran: of the renderers' main threads the one with the most of it. */
function mainThread(events: readonly TraceEvent[]): Thread {
  const mains = new Set(
    events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain').map(threadOf),
  );
  const byThread = new Map<string, TraceEvent[]>();
  for (const event of events) {
    const thread = threadOf(event);
    if (!mains.has(thread)) continue;
    const list = byThread.get(thread) ?? [];
    list.push(event);
    byThread.set(thread, list);
  }
  const sorted = [...byThread.values()].sort((a, b) => scriptSpans(b).length - scriptSpans(a).length);
  return { events: sorted[0] ?? [] };
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid} ${tid}`;
}

/** Spans of script, those inside of others left out. */
function scriptSpans(events: readonly TraceEvent[]): Span[] {
  const spans = events
    .filter(({ name, ph }) => ph === 'X' && SCRIPT.has(name))
    .map(({ ts, dur = 0, tdur = dur }) => ({ from: ts, to: ts + dur, busy: tdur }))
    .sort((a, b) => a.from - b.from || b.to - a.to);
  const outer: Span[] = [];
  for (const span of spans) {
    const last = outer.at(-1);
    if (last === undefined || span.from >= last.to) outer.push(span);
  }
  return outer;
}

/** Milliseconds of processor time of script in each frame (from what is handed to the compositor to the next). */
export function frameCosts(all: readonly TraceEvent[]): number[] {
  const { events } = mainThread(all);
  const ends = events
    .filter(({ name }) => name === 'Commit')
    .map(({ ts }) => ts)
    .sort((a, b) => a - b);
  const spans = scriptSpans(events);
  let at = 0;
  return ends.slice(0, -1).map((from, index) => {
    const to = ends[index + 1];
    let cost = 0;
    while (at < spans.length && spans[at].from < to) {
      if (spans[at].from >= from) cost += spans[at].busy;
      at++;
    }
    return cost / 1000;
  });
}

/** Milliseconds of processor time of the longest task on the main thread. */
export function longestTask(all: readonly TraceEvent[]): number {
  const tasks = mainThread(all).events.filter(
    ({ name }) => name === 'RunTask' || name === 'ThreadControllerImpl::RunTask',
  );
  return tasks.reduce((most, { dur = 0, tdur = dur }) => Math.max(most, tdur), 0) / 1000;
}
