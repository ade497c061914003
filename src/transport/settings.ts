import { UserError } from '../core/errors.ts';
import { choice, form, group, list, optionalGroup, secret, text, type ValueOf } from '../core/settings.ts';

/** A broker to begin with. */
export interface BrokerAddress {
  host: string;
  port: number;
}

/** Reads `HOST:PORT`, `[ADDRESS]:PORT`, or a host alone (port 9092). Throws UserError. */
export function readBroker(written: string): BrokerAddress {
  const [, six, host, digits = '9092'] = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/i.exec(written) ?? [];
  const port = Number(digits);
  if ((six ?? host) === undefined || port < 1 || port > 65_535) throw new UserError(`"${written}" is no broker.`);
  return { host: six ?? host, port };
}

/** How brokers are reached: the same for senders and readers. */
export const KAFKA_SETTINGS = {
  brokers: list(
    'Brokers to begin with; the others are learnt from them.',
    form('A broker.', 'HOST:PORT', readBroker, { required: true }),
    { example: ['kafka-1.example.net:9092'] },
  ),
  tls: optionalGroup('TLS towards the brokers; an empty group is enough where the system trusts them.', {
    authority: text('Authority (PEM) of their certificates, instead of those the system trusts.', {
      example: '/etc/nametap/authority.pem',
    }),
    certificate: text('Own certificate (PEM), for brokers that ask for one.', { example: '/etc/nametap/cert.pem' }),
    key: text('Key of the own certificate (PEM).', { example: '/etc/nametap/key.pem' }),
  }),
  sasl: optionalGroup('Who we are, for brokers that ask.', {
    mechanism: choice('How it is shown.', ['plain', 'scram-sha-256', 'scram-sha-512'], { default: 'scram-sha-512' }),
    user: text('Name.', { required: true, example: 'nametap' }),
    password: secret('Password.', { required: true, example: { file: '/etc/nametap/kafka-password' } }),
  }),
} as const;

const kafkaGroup = group('', KAFKA_SETTINGS);
export type KafkaSettings = ValueOf<typeof kafkaGroup>;
