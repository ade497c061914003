import { dnstapSink } from './dnstap-sink.ts';
import { fileSink } from './file-sink.ts';
import { kafkaSink } from './kafka-sink.ts';
import { openSearchSink } from './opensearch-sink.ts';
import { parquetSink } from './parquet-sink.ts';
import { pcapngSink } from './pcapng-sink.ts';
import { syslogSink } from './syslog-sink.ts';

/** The kinds of sinks by what the configuration calls them, in the order of the reference. */
export const SINKS = {
  file: fileSink,
  pcapng: pcapngSink,
  parquet: parquetSink,
  syslog: syslogSink,
  dnstap: dnstapSink,
  kafka: kafkaSink,
  opensearch: openSearchSink,
} as const;
