import { FRAME_FATES, MESSAGE_OUTCOMES } from '../core/ledger.ts';
import { OUTCOMES } from '../core/transactions.ts';
import { FAULTS } from '../wire/fault.ts';
import { RCODES, TYPES } from '../wire/iana.ts';
import type { Api, Health } from './api.ts';
import { FROM_BLOCKS } from './block-metrics.ts';
import { FROM_BUS } from './bus-metrics.ts';
import { FROM_CACHE } from './cache-metrics.ts';
import { OF_POSTGRES } from './postgres-metrics.ts';
import { FROM_JUDGE } from './judge-metrics.ts';
import { FROM_PROBES } from './probe-exposition.ts';
import type { Buckets, Counters } from './counters.ts';
import type { SinkState } from './schema/sensors.ts';

type Labels = Record<string, string>;
type Values = (readonly [labels: Labels, value: number])[];

/** What metrics are made of, at the moment they are asked for. */
export interface Reading {
  api: Api;
  health: Health;
  counters: Counters;
  sinks: readonly SinkState[];
}

/** A metric as data: bounded labels, its values read when asked for. */
export type MetricDefinition = { name: string; help: string; labels: readonly string[] } & (
  | { kind: 'counter' | 'gauge'; read(reading: Reading): Values }
  | { kind: 'histogram'; read(reading: Reading): (readonly [Labels, Buckets])[] }
);

/** Types and codes that have a name of their own in labels; all others are `other`. */
const NAMED_TYPES = (
  'A AAAA HTTPS SVCB PTR CNAME NS SOA MX TXT SRV NAPTR CAA DS DNSKEY RRSIG NSEC NSEC3 TLSA SSHFP LOC HINFO NULL SPF ' +
  'ANY AXFR IXFR TKEY'
)
  .split(' ')
  .map((name) => [TYPES.number(name), name] as const);
const NAMED_RCODES = RCODES.entries;
const TRANSPORTS = ['udp', 'tcp'] as const;
const FAMILIES = ['4', '6'] as const;

/** Numbers by their names, the rest summed up as `other`. */
function named(label: string, counts: Float64Array, names: readonly (readonly [number, string])[]): Values {
  let rest = 0;
  for (let i = 0; i < counts.length; i++) rest += counts[i];
  const values = names.map(([number, name]) => {
    rest -= counts[number];
    return [{ [label]: name }, counts[number]] as const;
  });
  return [...values, [{ [label]: 'other' }, rest]];
}

const FROM_CAPTURE: readonly MetricDefinition[] = [
  {
    name: 'nametap_packets_received_total',
    help: 'Frames received, those dropped by kernel and interface included.',
    kind: 'counter',
    labels: ['sensor', 'interface'],
    read: ({ health }) =>
      health.sensors.map(({ name, interface: on, ledger }) => [{ sensor: name, interface: on ?? '' }, ledger.received]),
  },
  {
    name: 'nametap_packets_dropped_total',
    help: 'Frames that were lost before they could be looked at, by reason.',
    kind: 'counter',
    labels: ['sensor', 'interface', 'reason'],
    read: ({ health }) =>
      health.sensors.flatMap(({ name, interface: on, ledger }) =>
        (['kernel', 'interface', 'sampled'] as const).map(
          (reason) =>
            [{ sensor: name, interface: on ?? '', reason }, ledger.frames[FRAME_FATES.indexOf(reason)]] as const,
        ),
      ),
  },
  {
    name: 'nametap_packets_total',
    help: 'Frames by fate; the fates sum to the frames received.',
    kind: 'counter',
    labels: ['sensor', 'fate'],
    read: ({ health }) =>
      health.sensors.flatMap(({ name, ledger }) =>
        FRAME_FATES.filter((fate) => fate !== 'held').map(
          (fate) => [{ sensor: name, fate }, ledger.frames[FRAME_FATES.indexOf(fate)]] as const,
        ),
      ),
  },
  {
    name: 'nametap_messages_decoded_total',
    help: 'Messages by what became of them in matching.',
    kind: 'counter',
    labels: ['sensor', 'outcome'],
    read: ({ health }) =>
      health.sensors.flatMap(({ name, ledger }) =>
        MESSAGE_OUTCOMES.map((outcome, i) => [{ sensor: name, outcome }, ledger.messages[i]] as const),
      ),
  },
  {
    name: 'nametap_capture_ring_ratio',
    help: 'Fill of the capture ring, 0 to 1.',
    kind: 'gauge',
    labels: ['sensor'],
    read: ({ health }) => health.sensors.flatMap(({ name, ring }) => (ring === null ? [] : [[{ sensor: name }, ring]])),
  },
  {
    name: 'nametap_capture_lag_seconds',
    help: 'Age of the newest packet that was looked at.',
    kind: 'gauge',
    labels: ['sensor'],
    read: ({ health }) =>
      health.sensors.flatMap(({ name, lagSeconds }) => (lagSeconds === null ? [] : [[{ sensor: name }, lagSeconds]])),
  },
  {
    name: 'nametap_sensor_running',
    help: '1 while the sensor reads its source.',
    kind: 'gauge',
    labels: ['sensor'],
    read: ({ health }) => health.sensors.map(({ name, running }) => [{ sensor: name }, running ? 1 : 0]),
  },
  {
    name: 'nametap_open_transactions',
    help: 'Queries that wait for their response.',
    kind: 'gauge',
    labels: ['sensor'],
    read: ({ health }) =>
      health.sensors.flatMap(({ name, openTransactions: open }) => (open === null ? [] : [[{ sensor: name }, open]])),
  },
  {
    name: 'nametap_sample_ratio',
    help: 'Share of the clients that are looked at: below 1 all counters of transactions are those of a sample.',
    kind: 'gauge',
    labels: ['sensor'],
    read: ({ health }) => health.sensors.map(({ name, oneIn }) => [{ sensor: name }, 1 / oneIn]),
  },
  {
    name: 'nametap_privacy_level',
    help: 'What is hidden of clients: 0 nothing to 5 everything.',
    kind: 'gauge',
    labels: ['sensor'],
    read: ({ health }) => health.sensors.map(({ name, privacy }) => [{ sensor: name }, privacy.level]),
  },
];

const FROM_TRANSACTIONS: readonly MetricDefinition[] = [
  {
    name: 'nametap_messages_total',
    help: 'Messages of transactions, copies included.',
    kind: 'counter',
    labels: ['direction', 'transport', 'family'],
    read: ({ counters }) =>
      ['query', 'response'].flatMap((direction, d) =>
        TRANSPORTS.flatMap((transport, t) =>
          FAMILIES.map(
            (family, f) => [{ direction, transport, family }, counters.messages[d * 4 + t * 2 + f]] as const,
          ),
        ),
      ),
  },
  {
    name: 'nametap_queries_total',
    help: 'Queries by type.',
    kind: 'counter',
    labels: ['type'],
    read: ({ counters }) => named('type', counters.types, NAMED_TYPES),
  },
  {
    name: 'nametap_responses_total',
    help: 'Responses by response code, one for each transaction.',
    kind: 'counter',
    labels: ['rcode'],
    read: ({ counters }) => named('rcode', counters.rcodes, NAMED_RCODES),
  },
  {
    name: 'nametap_transactions_total',
    help: 'Transactions by outcome.',
    kind: 'counter',
    labels: ['outcome'],
    read: ({ counters }) => OUTCOMES.map((outcome, i) => [{ outcome }, counters.outcomes[i]]),
  },
  {
    name: 'nametap_retransmissions_total',
    help: 'Further copies of queries by their clients.',
    kind: 'counter',
    labels: [],
    read: ({ counters }) => [[{}, counters.retransmissions]],
  },
  {
    name: 'nametap_malformed_total',
    help: 'Transactions with a malformed message, by cause.',
    kind: 'counter',
    labels: ['reason'],
    read: ({ counters }) => FAULTS.slice(1).map((reason, i) => [{ reason }, counters.faults[i + 1]]),
  },
  {
    name: 'nametap_response_time_seconds',
    help: 'Time from the first copy of a query to its response.',
    kind: 'histogram',
    labels: ['transport'],
    read: ({ counters }) => TRANSPORTS.map((transport, i) => [{ transport }, counters.latency[i]]),
  },
  {
    name: 'nametap_message_size_bytes',
    help: 'Size of DNS messages.',
    kind: 'histogram',
    labels: ['kind'],
    read: ({ counters }) => [
      [{ kind: 'query' }, counters.querySize],
      [{ kind: 'response' }, counters.responseSize],
    ],
  },
];

const sink =
  (key: 'written' | 'failed' | 'refused' | 'repeated' | 'queue') =>
  ({ sinks }: Reading) =>
    sinks.map((one) => [{ sink: one.name }, one[key]] as const);

const FROM_OUTPUTS: readonly MetricDefinition[] = [
  {
    name: 'nametap_sink_records_total',
    help: 'Records written.',
    kind: 'counter',
    labels: ['sink'],
    read: sink('written'),
  },
  {
    name: 'nametap_sink_errors_total',
    help: 'Writes that failed.',
    kind: 'counter',
    labels: ['sink'],
    read: sink('failed'),
  },
  {
    name: 'nametap_sink_dropped_total',
    help: 'Records given up, by cause.',
    kind: 'counter',
    labels: ['sink', 'cause'],
    read: ({ sinks }) =>
      sinks.flatMap(({ name, causes }) =>
        Object.entries(causes).map(([cause, count]) => [{ sink: name, cause }, count] as const),
      ),
  },
  {
    name: 'nametap_sink_dead_letters_total',
    help: 'Records that the receiver refuses for ever.',
    kind: 'counter',
    labels: ['sink'],
    read: sink('refused'),
  },
  {
    name: 'nametap_sink_repeated_total',
    help: 'Records handed over again, to be sure, or with the receiver already.',
    kind: 'counter',
    labels: ['sink'],
    read: sink('repeated'),
  },
  {
    name: 'nametap_sink_circuit_open',
    help: '1 while a receiver that failed several times is left alone.',
    kind: 'gauge',
    labels: ['sink'],
    read: ({ sinks }) => sinks.map(({ name, circuit }) => [{ sink: name }, circuit === 'closed' ? 0 : 1]),
  },
  {
    name: 'nametap_sink_spool_bytes',
    help: 'What waits on disk.',
    kind: 'gauge',
    labels: ['sink'],
    read: ({ sinks }) => sinks.flatMap(({ name, spool }) => (spool === null ? [] : [[{ sink: name }, spool.bytes]])),
  },
  {
    name: 'nametap_sink_queue_length',
    help: 'Records that wait.',
    kind: 'gauge',
    labels: ['sink'],
    read: sink('queue'),
  },
  {
    name: 'nametap_store_transactions_total',
    help: 'Transactions taken by the store.',
    kind: 'counter',
    labels: [],
    read: ({ health }) => [[{}, health.status.appended]],
  },
  {
    name: 'nametap_store_dropped_total',
    help: 'Transactions that the store gave up, by reason; `retention` is by intention.',
    kind: 'counter',
    labels: ['reason'],
    read: ({ health }) => Object.entries(health.status.dropped).map(([reason, rows]) => [{ reason }, rows]),
  },
  {
    name: 'nametap_store_queue_length',
    help: 'Transactions that wait for the store.',
    kind: 'gauge',
    labels: [],
    read: ({ health }) => [[{}, health.status.queue.length]],
  },
  {
    name: 'nametap_store_lag_seconds',
    help: 'From a transaction being taken to it being on the disk.',
    kind: 'gauge',
    labels: [],
    read: ({ health: { status } }) => (status.lag_s === null ? [] : [[{}, status.lag_s]]),
  },
  ...OF_POSTGRES,
  {
    name: 'nametap_store_size_bytes',
    help: 'All files of the store.',
    kind: 'gauge',
    labels: [],
    read: ({ health }) => [[{}, health.status.bytes]],
  },
  {
    name: 'nametap_store_rows',
    help: 'Rows by table.',
    kind: 'gauge',
    labels: ['table'],
    read: ({ health }) => health.status.tables.map(({ name, rows }) => [{ table: name }, rows]),
  },
  {
    name: 'nametap_store_degraded',
    help: '1 while something of the store does not work.',
    kind: 'gauge',
    labels: [],
    read: ({ health }) => [[{}, health.status.degraded === null ? 0 : 1]],
  },
  {
    name: 'nametap_store_newest_timestamp_seconds',
    help: 'Time of the newest transaction stored.',
    kind: 'gauge',
    labels: [],
    read: ({ health: { status } }) => (status.newest === null ? [] : [[{}, status.newest / 1000]]),
  },
  {
    name: 'nametap_pdns_pairs',
    help: 'Rows of passive DNS: name, type and data.',
    kind: 'gauge',
    labels: [],
    read: ({ health }) =>
      health.status.tables.filter(({ name }) => name === 'passive').map(({ rows }) => [{}, rows] as const),
  },
];

const FROM_SERVER: readonly MetricDefinition[] = [
  {
    name: 'nametap_build_info',
    help: 'Version.',
    kind: 'gauge',
    labels: ['version'],
    read: ({ api }) => [[{ version: api.services.version }, 1]],
  },
  {
    name: 'nametap_http_requests_total',
    help: 'Requests by endpoint and class of status.',
    kind: 'counter',
    labels: ['route', 'status'],
    read: ({ api }) =>
      [...api.traffic.routes].flatMap(([route, { statuses }]) =>
        statuses.map((n, i) => [{ route, status: `${i + 1}xx` }, n] as const).filter(([, n]) => n > 0),
      ),
  },
  {
    name: 'nametap_http_request_seconds',
    help: 'Time until a response began.',
    kind: 'histogram',
    labels: ['route'],
    read: ({ api }) => [...api.traffic.routes].map(([route, { seconds }]) => [{ route }, seconds]),
  },
  {
    name: 'nametap_tail_clients',
    help: 'Live tails that are open.',
    kind: 'gauge',
    labels: [],
    read: ({ api }) => [[{}, api.tails.open]],
  },
  {
    name: 'nametap_tail_dropped_total',
    help: 'Live tails that were ended, or found no place, by reason.',
    kind: 'counter',
    labels: ['reason'],
    read: ({ api }) => [
      [{ reason: 'slow' }, api.tails.slow],
      [{ reason: 'full' }, api.tails.refused],
    ],
  },
];

/** Every metric: one line of a table each, names and labels as Prometheus wants them. */
export const METRICS: readonly MetricDefinition[] = [
  ...FROM_CAPTURE,
  ...FROM_TRANSACTIONS,
  ...FROM_OUTPUTS,
  ...FROM_BLOCKS,
  ...FROM_BUS,
  ...FROM_CACHE,
  ...FROM_JUDGE,
  ...FROM_PROBES,
  ...FROM_SERVER,
];
