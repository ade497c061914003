import { group, span, text, type ValueOf } from '../core/settings.ts';
import { KAFKA_SINK } from '../sinks/kafka-sink.ts';

/** What sensors (`nametap ship`) and workers (`nametap work`) have between them. */
export const kafkaSettings = group('Kafka between sensors (nametap ship) and workers (nametap work).', {
  ...KAFKA_SINK,
  group: text('Workers of one group share the partitions of the topic.', { default: 'nametap' }),
  session: span('A worker that says nothing for so long is taken for dead: others take over its partitions.', {
    default: '30s',
    least: 1000,
    most: 3_600_000,
  }),
  checkpoint: span(
    'Workers note how far they are, and what their detectors know, so often: what a crash makes another worker read again.',
    { default: '10s', least: 100, most: 600_000 },
  ),
});

export type KafkaConfig = ValueOf<typeof kafkaSettings>;
