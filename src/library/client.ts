/**
 * `nametap/client`: a DNS client that tells everything: names resolved by servers of your choice, single questions with
 * every attempt, zone transfers, updates. `node:dns` hides what matters (response codes, flags, times, EDNS); here it is.
 *
 * @example
 * import { createSocket } from 'node:dgram';
 * import { once } from 'node:events';
 * import { Resolver } from 'nametap/client';
 * import { decodeMessage, encodeMessage } from 'nametap/wire';
 *
 * // A server of our own stands in for 8.8.8.8.
 * const server = createSocket('udp4', (query, from) => {
 *   const { id, questions } = decodeMessage(query);
 *   const answers = [{ name: questions[0].name, type: 'A', ttl: 60, data: '192.0.2.7' }];
 *   server.send(encodeMessage({ id, flags: ['qr', 'rd', 'ra'], questions, answers }), from.port, from.address);
 * });
 * server.bind(0, '127.0.0.1');
 * await once(server, 'listening');
 *
 * const dial = async (network: 'udp' | 'tcp', address: string) => {
 *   console.log('dials', network, address); // → dials udp 8.8.8.8:53
 *   const socket = createSocket('udp4');
 *   socket.connect(server.address().port, '127.0.0.1');
 *   await once(socket, 'connect');
 *   return socket;
 * };
 * const resolver = new Resolver({ servers: ['8.8.8.8:53'], dial });
 * console.log(await resolver.resolve('www.example.com', 'A')); // → [ '192.0.2.7' ]
 * const again = await resolver.query('www.example.com', 'A');
 * console.log(again.isCached, again.records[0].ttl); // → true 60
 * resolver.close();
 * server.close();
 *
 * @example
 * import { exchange } from 'nametap/client';
 *
 * // Nobody listens on port 9 here: the outcome says so, nothing is thrown.
 * const server = { address: '127.0.0.1', port: 9 };
 * const result = await exchange({ name: 'example.com', type: 'MX' }, { server, transport: 'udp', timeoutMs: 500 });
 * console.log(result.outcome, result.attempts.length, result.response); // → refused 1 null
 * console.log(result.sentence); // → 127.0.0.1#9 over UDP refused: nothing listens on that port.
 */
export { UserError } from '../core/errors.ts';
export type { AliasChain } from '../client/alias.ts';
export { AnswerCache, type CacheCounts } from '../client/cache.ts';
export { Connections } from '../client/connections.ts';
export { CookieJar } from '../client/cookies.ts';
export { differences, type Difference, type DifferenceKind, type Weight } from '../client/difference.ts';
export {
  discover,
  type DiscoveredServer,
  type DiscoverOptions,
  type Discovery,
  watchService,
} from '../client/discover.ts';
export type { CheckKind, CheckResult } from '../client/discover/check.ts';
export type { HealthState, Hysteresis } from '../client/discover/health.ts';
export { orderByWeight, type Ranked, sharesOf } from '../client/discover/order.ts';
export type { ServiceServer, ServiceType } from '../client/discover/service.ts';
export { exchange, type Exchange, type ExchangeOptions } from '../client/exchange.ts';
export type { Attempt, Discarded, Outcome } from '../client/outcome.ts';
export { isOwnTraffic } from '../client/own-traffic.ts';
export type { EdnsRequest, QueryForm, Question } from '../client/question.ts';
export {
  type Resolution,
  type ResolutionOutcome,
  ResolveError,
  Resolver,
  type ResolverOptions,
} from '../client/resolver.ts';
export { checkRewriting, type RewritingCheck } from '../client/rewriting.ts';
export { type Server, serverOf, type TransportName } from '../client/server.ts';
export type { TlsOptions } from '../client/stream.ts';
export { trace } from '../client/trace/trace.ts';
export type { Trace, TraceOptions, TraceStep, ZoneCheck } from '../client/trace/types.ts';
export { transfer, TransferError, type TransferOptions } from '../client/transfer.ts';
export { parseTsigKey, type TsigKey } from '../client/tsig.ts';
export type { Dial } from '../client/udp.ts';
export { notify, type Prerequisite, type Removal, update, type ZoneChange } from '../client/update.ts';
