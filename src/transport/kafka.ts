import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type * as Client from '@platformatic/kafka';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { BrokerAddress, KafkaSettings } from './settings.ts';

/** The client library, loaded by whoever talks to Kafka. */
export type KafkaClient = typeof Client;

const MECHANISM = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const;

/** What every kind of client is made with. Certificates are read now: later there may be no right to. Throws UserError. */
export function connection({ brokers, tls, sasl }: KafkaSettings, name: string): Client.BaseOptions {
  if (brokers.length === 0) throw new UserError('No broker is given. Set brokers, such as kafka-1.example.net:9092.');
  return {
    clientId: name,
    bootstrapBrokers: [...brokers],
    connectTimeout: 5000,
    requestTimeout: 15_000,
    // Whoever waits tries again by itself, ever more slowly, and says so.
    retries: 2,
    retryDelay: 250,
    ...(tls !== undefined && {
      tls: {
        minVersion: 'TLSv1.2',
        ...(tls.authority !== undefined && { ca: pem(tls.authority) }),
        ...(tls.certificate !== undefined && { cert: pem(tls.certificate) }),
        ...(tls.key !== undefined && { key: pem(tls.key) }),
      },
      // An address is no server name (RFC 6066 §3); it is compared with the certificate all the same.
      tlsServerName: brokers.every(({ host }) => isIP(host) === 0),
    }),
    ...(sasl !== undefined && {
      sasl: { mechanism: MECHANISM[sasl.mechanism], username: sasl.user, password: sasl.password },
    }),
  };
}

function pem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`Cannot read ${path} for TLS: ${reasonOf(error)}.`, EXIT.file, { cause: error });
  }
}

/** Makes topics that are not there yet. Rejects when that cannot be known. */
export async function makeTopics(
  client: KafkaClient,
  options: Client.BaseOptions,
  topics: readonly { name: string; partitions: number; settings?: Readonly<Record<string, string>> }[],
): Promise<void> {
  const admin = new client.Admin({ ...options });
  try {
    const known = new Set(await admin.listTopics({ includeInternals: false }));
    for (const { name, partitions, settings = {} } of topics) {
      if (known.has(name)) continue;
      try {
        const configs = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
        await admin.createTopics({ topics: [name], partitions, replicas: -1, configs });
      } catch (error) {
        // Somebody else was faster.
        if (!whyOf(error).includes('TOPIC_ALREADY_EXISTS')) throw error;
      }
    }
  } finally {
    await admin.close();
  }
}

/** Brokers as they are written. */
export function brokersText(brokers: readonly BrokerAddress[]): string {
  return brokers.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(', ');
}

/** The reason at the bottom of an error of the client, in words. */
export function whyOf(error: unknown): string {
  const seen: string[] = [];
  let at: unknown = error;
  for (let depth = 0; depth < 8 && at instanceof Error; depth++) {
    const { apiId } = at as { apiId?: unknown };
    seen.push(typeof apiId === 'string' ? `${apiId}: ${at.message}` : at.message);
    const { errors } = at as { errors?: unknown };
    at = Array.isArray(errors) && errors.length > 0 ? errors.at(-1) : at.cause;
  }
  return seen.at(-1) ?? String(error);
}
