import { context, logs, metrics, propagation, SeverityNumber, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, type MetricProducer, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { MetricValues, type MetricReading } from './metric-values.ts';
import type { TelemetrySettings } from './settings.ts';

/** Who tells. */
export interface Teller {
  /** `nametap`, or the role: `nametap-worker`. */
  service: string;
  version: string;
  sensor: string;
}

/** What waits for the collector, at most; more is dropped. */
const MOST_WAITING = 4096;
const PATIENCE_MS = 5000;

const SEVERITIES: Readonly<Record<string, SeverityNumber>> = {
  trace: SeverityNumber.TRACE,
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
};

/** Sends traces, metrics and logs to a collector. One for a process. */
export class Telemetry {
  readonly #traces: TracerProvider | null = null;
  readonly #logs: LoggerProvider | null = null;
  #metrics: MeterProvider | null = null;
  readonly #settings: TelemetrySettings & { endpoint: string };
  readonly #resource: ReturnType<typeof resourceFromAttributes>;

  constructor(settings: TelemetrySettings & { endpoint: string }, { service, version, sensor }: Teller) {
    this.#settings = settings;
    this.#resource = resourceFromAttributes({
      'service.name': service,
      'service.version': version,
      'service.instance.id': `${sensor}-${process.pid}`,
      'host.name': sensor,
      'process.pid': process.pid,
    });
    const resource = this.#resource;
    if (settings.traces) {
      const exporter = new OTLPTraceExporter(this.#to('traces'));
      this.#traces = new TracerProvider({
        resource,
        sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(1 / settings.sample) }),
        spanProcessors: [new BatchSpanProcessor({ exporter, maxQueueSize: MOST_WAITING, scheduledDelayMillis: 1000 })],
      });
      trace.setGlobalTracerProvider(this.#traces);
      propagation.setGlobalPropagator(new W3CTraceContextPropagator());
      context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    }
    if (settings.logs) {
      const exporter = new OTLPLogExporter(this.#to('logs'));
      const processor = new BatchLogRecordProcessor({
        exporter,
        maxQueueSize: MOST_WAITING,
        scheduledDelayMillis: 1000,
      });
      this.#logs = new LoggerProvider({ resource, processors: [processor] });
      logs.setGlobalLoggerProvider(this.#logs);
    }
  }

  /** A line of the log, part of the span that runs now. */
  line(level: string, message: string, attributes: Record<string, string>): void {
    this.#logs?.getLogger('nametap').emit({
      severityNumber: SEVERITIES[level],
      severityText: level,
      body: message,
      attributes,
      context: context.active(),
    });
  }

  /** Sends what `read` gives, so often as the settings say. */
  measure(read: () => Promise<readonly MetricReading[]>): void {
    const { metrics: isWanted, every } = this.#settings;
    if (!isWanted) return;
    const producer: MetricProducer = new MetricValues(this.#resource, read);
    const exporter = new OTLPMetricExporter(this.#to('metrics'));
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: every,
      exportTimeoutMillis: Math.min(every, PATIENCE_MS),
      metricProducers: [producer],
    });
    this.#metrics = new MeterProvider({ resource: this.#resource, readers: [reader] });
  }

  /** Sends what waits, and ends. */
  async close(): Promise<void> {
    await Promise.allSettled([this.#traces?.shutdown(), this.#metrics?.shutdown(), this.#logs?.shutdown()]);
    trace.disable();
    context.disable();
    propagation.disable();
    logs.disable();
    metrics.disable();
  }

  #to(what: string) {
    const { endpoint, headers } = this.#settings;
    return { url: `${endpoint.replace(/\/+$/, '')}/v1/${what}`, headers, timeoutMillis: PATIENCE_MS };
  }
}
