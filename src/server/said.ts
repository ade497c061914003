import { fill } from '../core/fill.ts';

/**
 * Whatever the server says of itself in words, in English. The page has the same keys in its other languages and puts the
 * values in there; `{detail}` is a text of the system's own.
 */
export const SAID = {
  'state.capture_loss': 'capture dropped {share} of the frames in the last minutes',
  'state.store_drops':
    '{n} transaction did not reach the store in the last minutes|{n} transactions did not reach the store in the last minutes',
  'state.store': '{detail}',
  'state.store_remark': '{detail}',
  'state.sensor': 'sensor {name} has stopped',
  'state.ledger': 'the ledger of {name} does not sum: {detail}',
  'state.closed': 'the input is not open',
  'state.check': '{detail}',
  'state.sampled': 'one client in {n} is looked at: all numbers are those of a sample',
  'state.alerts': '{n} open alert|{n} open alerts',
  'state.age': 'no transaction for {n} minute|no transaction for {n} minutes',
  'state.qps.higher': 'the query rate is higher than usual at this hour',
  'state.qps.lower': 'the query rate is lower than usual at this hour',
  'state.nxdomain_ratio.higher': 'the share of NXDOMAIN is higher than usual at this hour',
  'state.nxdomain_ratio.lower': 'the share of NXDOMAIN is lower than usual at this hour',
  'state.servfail_ratio.higher': 'the share of SERVFAIL is higher than usual at this hour',
  'state.servfail_ratio.lower': 'the share of SERVFAIL is lower than usual at this hour',
  'state.unanswered_ratio.higher': 'the share of unanswered queries is higher than usual at this hour',
  'state.unanswered_ratio.lower': 'the share of unanswered queries is lower than usual at this hour',
  'state.latency_p50.higher': 'the median latency is higher than usual at this hour',
  'state.latency_p50.lower': 'the median latency is lower than usual at this hour',
  'state.latency_p95.higher': 'the p95 latency is higher than usual at this hour',
  'state.latency_p95.lower': 'the p95 latency is lower than usual at this hour',
  'state.latency_p99.higher': 'the p99 latency is higher than usual at this hour',
  'state.latency_p99.lower': 'the p99 latency is lower than usual at this hour',
  'state.clients.higher': 'the number of clients is higher than usual at this hour',
  'state.clients.lower': 'the number of clients is lower than usual at this hour',
  'state.new_domains.higher': 'the number of new domains is higher than usual at this hour',
  'state.new_domains.lower': 'the number of new domains is lower than usual at this hour',
  'state.capture_loss.higher': 'capture loses more than usual at this hour',
  'state.capture_loss.lower': 'capture loses less than usual at this hour',
  'state.more': '{n} more',
  'state.empty': 'nothing has been seen yet',
  'state.idle': 'history is at hand, no capture is running',
  'state.lossless': 'nothing is lost',
  'demo.what':
    'This is a demo: real captures, ten seconds at a root name server and pieces of small networks, replayed over and over as of now in a store of its own. None of it is your traffic.',
  'demo.refused':
    'This is a demo: real captures, ten seconds at a root name server and pieces of small networks, replayed over and over as of now in a store of its own. None of it is your traffic. To capture needs a right that this user does not have.',
  'source.live': 'live',
  'source.none': 'nothing; the history of others',
  'source.replay': 'replay of bundled captures',
  'source.files': 'files: {paths}',
  'source.folder': 'folder: {path}',
  'source.dnstap': 'dnstap',
} as const;
export type SaidKey = keyof typeof SAID;

/** Which of them, with its values: what any language needs to say it. */
export interface Said {
  key: string;
  values: Record<string, string | number>;
}

/** A text in English, and what says it in another language. */
export function say(key: SaidKey, values: Said['values'] = {}): { text: string; said: Said } {
  return { text: fill(SAID[key], values), said: { key, values } };
}
