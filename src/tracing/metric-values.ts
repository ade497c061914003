import { type HrTime, ValueType } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';

/** A metric and its values now: a number for each set of labels, or counts between edges. */
export type MetricReading = { name: string; help: string } & (
  | { kind: 'counter' | 'gauge'; values: readonly (readonly [Record<string, string>, number])[] }
  | {
      kind: 'histogram';
      values: readonly (readonly [
        Record<string, string>,
        { edges: readonly number[]; counts: ArrayLike<number>; sum: number },
      ])[];
    }
);

/** What /metrics shows, as OpenTelemetry has it: the same names and labels, counted since the start. */
export class MetricValues implements MetricProducer {
  readonly #resource: Resource;
  readonly #read: () => Promise<readonly MetricReading[]>;
  readonly #started: HrTime = hrTime(Date.now());

  constructor(resource: Resource, read: () => Promise<readonly MetricReading[]>) {
    this.#resource = resource;
    this.#read = read;
  }

  async collect(): Promise<CollectionResult> {
    const readings = await this.#read();
    const endTime = hrTime(Date.now());
    const metrics = readings.map((reading) => this.#data(reading, endTime));
    return {
      resourceMetrics: { resource: this.#resource, scopeMetrics: [{ scope: { name: 'nametap' }, metrics }] },
      errors: [],
    };
  }

  #data(reading: MetricReading, endTime: HrTime): MetricData {
    const { name, help: description } = reading;
    const common = { aggregationTemporality: AggregationTemporality.CUMULATIVE };
    const descriptor = { name, description, unit: '', valueType: ValueType.DOUBLE, advice: {} };
    const point = (attributes: Record<string, string>) => ({ startTime: this.#started, endTime, attributes });
    if (reading.kind === 'histogram') {
      const dataPoints = reading.values.map(([labels, { edges, counts, sum }]) => {
        const all = Array.from(counts);
        const count = all.reduce((total, n) => total + n, 0);
        return { ...point(labels), value: { buckets: { boundaries: [...edges], counts: all }, sum, count } };
      });
      return { ...common, descriptor, dataPointType: DataPointType.HISTOGRAM, dataPoints };
    }
    const dataPoints = reading.values.map(([labels, value]) => ({ ...point(labels), value }));
    if (reading.kind === 'gauge') return { ...common, descriptor, dataPointType: DataPointType.GAUGE, dataPoints };
    return { ...common, descriptor, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
  }
}

function hrTime(ms: number): HrTime {
  return [Math.floor(ms / 1000), (ms % 1000) * 1e6];
}
