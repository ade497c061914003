import type { AlertBook, Change } from '../alerts/book.ts';
import type { Severity } from '../core/alert.ts';
import { alertRow } from './alert-rows.ts';
import { type EventSink, eventStream } from './event-stream.ts';
import { ProblemError } from './problem.ts';
import type { AlertEvent } from './schema/alerts.ts';

/** Streams at a time, and how often those that hear nothing are told that the line is alive. */
const MOST_STREAMS = 64;
const ALIVE_MS = 10_000;
/** Detectors told apart in metrics: all of ours, and as many rules. */
const MOST_DETECTORS = 256;

/** Hears every change of alerts: counts it, and tells whoever follows. */
export class AlertWatch {
  /** Alerts raised, by severity and detector. */
  readonly raised = new Map<string, { detector: string; severity: Severity; n: number }>();
  readonly #book: AlertBook;
  readonly #streams = new Set<EventSink>();
  readonly #unsubscribe: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(book: AlertBook) {
    this.#book = book;
    this.#unsubscribe = book.subscribe((change) => this.#take(change));
  }

  /** A stream of events `alert`. Throws ProblemError when there are too many. */
  stream(): Response {
    if (this.#streams.size >= MOST_STREAMS) {
      throw new ProblemError(503, `${MOST_STREAMS} pages follow the alerts: close one.`, {}, { 'Retry-After': '60' });
    }
    return eventStream((events) => {
      this.#streams.add(events);
      this.#timer ??= setInterval(() => this.#send('alive', { open: this.#book.open }), ALIVE_MS);
      this.#timer.unref();
      return () => this.#forget(events);
    });
  }

  close(): void {
    this.#unsubscribe();
    for (const events of this.#streams) events.close();
    clearInterval(this.#timer);
  }

  #take({ cause, incident, isNews }: Change): void {
    if (cause === 'raised') this.#count(incident);
    if (this.#streams.size === 0) return;
    // Evidence and journal are asked for.
    const alert = alertRow(incident, 0);
    this.#send('alert', { cause, news: isNews, open: this.#book.open, alert } satisfies AlertEvent);
  }

  #count({ detector, severity }: Change['incident']): void {
    const isKnown = this.raised.has(`${severity} ${detector}`) || this.raised.size < MOST_DETECTORS;
    const shown = isKnown ? detector : 'other';
    const key = `${severity} ${shown}`;
    this.raised.set(key, { detector: shown, severity, n: (this.raised.get(key)?.n ?? 0) + 1 });
  }

  #send(event: string, data: unknown): void {
    for (const events of this.#streams) if (!events.send(event, data)) this.#streams.delete(events);
  }

  #forget(events: EventSink): void {
    this.#streams.delete(events);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
