import { collectDefaultMetrics, Counter, Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client';
import type { MetricReading } from '../tracing/metric-values.ts';
import type { Api } from './api.ts';
import type { Buckets } from './counters.ts';
import { type MetricDefinition, METRICS, type Reading } from './metrics.ts';

type Read<T> = () => Promise<readonly (readonly [Record<string, string>, T])[]>;

/** A histogram whose buckets are counted elsewhere. */
class CollectedHistogram extends Histogram<string> {
  readonly #name: string;
  readonly #help: string;
  readonly #read: Read<Buckets>;

  constructor(name: string, help: string, labelNames: readonly string[], read: Read<Buckets>) {
    super({ name, help, labelNames, registers: [] });
    this.#name = name;
    this.#help = help;
    this.#read = read;
  }

  /** What the registry makes text of. */
  async getForPromString(): Promise<object> {
    const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = [];
    const add = (suffix: string, labels: Record<string, string | number>, value: number) =>
      values.push({ metricName: `${this.#name}_${suffix}`, labels, value });
    for (const [labels, { edges, counts, sum }] of await this.#read()) {
      let total = 0;
      edges.forEach((edge, i) => {
        total += counts[i];
        add('bucket', { le: edge, ...labels }, total);
      });
      total += counts[edges.length];
      add('bucket', { le: '+Inf', ...labels }, total);
      add('sum', labels, sum);
      add('count', labels, total);
    }
    return { name: this.#name, help: this.#help, type: 'histogram', values };
  }
}

/** Gauges of prom-client whose names say that they are counters: OpenMetrics refuses them. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

async function readNow(api: Api): Promise<Reading> {
  return { api, health: await api.health(), counters: api.counters, sinks: api.services.sinks() };
}

/** The metrics as data. */
export async function readings(api: Api): Promise<MetricReading[]> {
  const reading = await readNow(api);
  return METRICS.map(({ name, help, ...definition }) =>
    definition.kind === 'histogram'
      ? { name, help, kind: definition.kind, values: definition.read(reading) }
      : { name, help, kind: definition.kind, values: definition.read(reading) },
  );
}

/** Metrics as text, in the format a scraper asks for. */
export class Exposition {
  readonly #api: Api;
  readonly #plain = new Registry();
  readonly #open = new Registry<OpenMetricsContentType>();
  /** One reading for all metrics of a scrape. */
  #reading: Promise<Reading> | undefined;

  constructor(api: Api) {
    this.#api = api;
    this.#open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    for (const registry of [this.#plain, this.#open]) {
      collectDefaultMetrics({ register: registry as Registry });
      for (const name of MISNAMED) registry.removeSingleMetric(name);
      for (const definition of METRICS) this.#add(registry as Registry, definition);
    }
  }

  /** The response to a scrape. */
  async answer(accept: string): Promise<Response> {
    const registry = accept.includes('application/openmetrics-text') ? this.#open : this.#plain;
    this.#reading = readNow(this.#api);
    return new Response(await registry.metrics(), { headers: { 'Content-Type': registry.contentType } });
  }

  #add(registry: Registry, definition: MetricDefinition): void {
    const { name, help, labels } = definition;
    const reading = () => (this.#reading ??= readNow(this.#api));
    if (definition.kind === 'histogram') {
      const read = async () => definition.read(await reading());
      registry.registerMetric(new CollectedHistogram(name, help, labels, read));
      return;
    }
    const { read, kind } = definition;
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    if (kind === 'gauge') {
      const gauge = new Gauge({
        ...options,
        async collect() {
          const values = read(await reading());
          gauge.reset();
          // Without labels a gauge that has no value would be shown as 0.
          if (values.length === 0 && labels.length === 0) gauge.remove();
          for (const [of, value] of values) gauge.set(of, value);
        },
      });
    } else {
      const counter = new Counter({
        ...options,
        async collect() {
          const values = read(await reading());
          counter.reset();
          for (const [of, value] of values) counter.inc(of, value);
        },
      });
    }
  }
}
