import {
  type Attributes,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { reasonOf } from '../core/errors.ts';

/**
 * Spans of the control path: requests, questions to the store, batches, checks. Without a collector (`telemetry.endpoint`) they
 * are nothing, and cost nothing to speak of. Never one for a packet or a transaction.
 */
export type { Span } from '@opentelemetry/api';

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;
type Kind = keyof typeof KINDS;

/** Runs something as a span: what it does meanwhile is below it, and its failure is told. */
export function traced<T>(
  name: string,
  kind: Kind,
  attributes: Attributes,
  run: (span: Span) => Promise<T>,
): Promise<T> {
  return trace.getTracer('nametap').startActiveSpan(name, { kind: KINDS[kind], attributes }, async (span) => {
    try {
      return await run(span);
    } catch (error) {
      span.recordException(error instanceof Error ? error : String(error));
      span.setStatus({ code: SpanStatusCode.ERROR, message: reasonOf(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** A part that is over, of the span that runs now: from and to in ms since 1970. */
export function tracedPart(name: string, attributes: Attributes, from: number, to: number): void {
  trace.getTracer('nametap').startSpan(name, { attributes, startTime: from }).end(to);
}

/** Headers (W3C trace context) that tell another process what this is part of; none where nothing is traced. */
export function carried(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}

/** Runs something as a part of what another process told in its headers. */
export function within<T>(headers: { get(name: string): string | null | undefined }, run: () => T): T {
  const getter = { get: (_: unknown, key: string) => headers.get(key) ?? undefined, keys: () => [] };
  return context.with(propagation.extract(ROOT_CONTEXT, headers, getter), run);
}

/** What a line of the log says of the span it is written in. */
export function spanFields(): Record<string, string> {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined || !/[1-9a-f]/.test(span.traceId) ? {} : { trace_id: span.traceId, span_id: span.spanId };
}
