/** Latency and servers. */
export const latency = {
  'latency.title': 'Latency and servers',
  'latency.none': 'Nothing was answered in this range.',
  'latency.half': 'Half of the answers come within {p50}, 99 % within {p99}.',
  'latency.of': 'Measured on {n} answers; {unanswered} queries ({percent}) got none.',
  'latency.slowest': 'The slowest server is',
  'latency.slowest.p95': 'with a p95 of {p95}.',
  'latency.heat': 'Latency over time',
  'latency.heat.note': 'time × log₂ ms; a click opens the log of a cell',
  'latency.percentiles': 'Percentiles',
  'latency.unanswered': 'Unanswered',
  'latency.unanswered.note': '{n} query without any answer|{n} queries without any answer',
  'latency.log': 'open in the log',
  'latency.servers': 'Servers',
  'latency.servers.none': 'No server in this range',
  'latency.transport': 'Transport',
  'latency.transports': 'By transport',
} as const;
