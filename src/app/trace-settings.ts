import { isIP } from 'node:net';
import { UserError } from '../core/errors.ts';
import { flag, form, group, list, span, text, whole, type ValueOf } from '../core/settings.ts';
import { networkOf } from '../enrich/client-names.ts';

/** Key `trace`. */
export const traceSettings = group('Traces from the root, which operators ask for on the page or by the API.', {
  enabled: flag('Whether they may: a trace sends queries to servers that whoever owns the name has chosen.', {
    default: false,
  }),
  allow: list(
    'Networks whose servers a trace may ask, besides public addresses.',
    form('Address or network.', 'an address or a network such as 192.0.2.0/24', networkOf, {}),
    { example: ['10.0.0.0/8'] },
  ),
  root: list(
    'Addresses of root servers; none = those of the root hints.',
    form('An address.', 'an address', readAddress, {}),
    { example: ['192.0.2.1'] },
  ),
  anchors: list('Trust anchors of that root, as DS data; none = those of IANA.', text('TAG ALGORITHM TYPE DIGEST.')),
  queries_most: whole('Queries of one trace.', { default: 200, least: 10, most: 400 }),
  timeout: span('A trace ends after so long.', { default: '20s', least: 1000, most: 120_000 }),
});
export type TraceConfig = ValueOf<typeof traceSettings>;

function readAddress(written: string): string {
  if (isIP(written) === 0) throw new UserError(`'${written}' is no address.`);
  return written;
}
