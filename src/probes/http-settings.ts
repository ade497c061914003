import { UserError } from '../core/errors.ts';
import {
  choice,
  flag,
  form,
  group,
  list,
  map,
  secret,
  size,
  span,
  text,
  type ValueOf,
  whole,
} from '../core/settings.ts';
import { patternSetting } from './pattern.ts';
import { FAMILIES } from './resolve.ts';

const HEADER = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;

/** Of a check of type `http`. */
export const httpSettings = group('HTTP and HTTPS: status, time of each part, redirects, certificate, what comes.', {
  method: choice('Method.', ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'], { default: 'GET' }),
  headers: map('Headers to send; their values are never shown.', secret('Its value.'), {
    key: 'HEADER',
    keyPattern: HEADER,
  }),
  body: text('Body to send.', { example: '{"ping": true}' }),
  status: list('Status codes that are right.', form('A code or a class: 200, 2xx.', '200 or 2xx', readStatus, {}), {
    default: ['2xx'],
  }),
  redirects: whole('So many redirects are followed.', { default: 10, most: 20 }),
  family: choice('Addresses to use.', FAMILIES, { default: 'any' }),
  verify: flag('Whether the certificate has to be one to trust.', { default: true }),
  authority: text('File of certificates (PEM) to trust instead of those of the system.', {
    example: '/etc/nametap/ca.pem',
  }),
  certificate_left: span('A certificate has to hold for so long at least.', { default: '0s' }),
  within: span('An answer has to be complete within this time; absent: within the time-out.', { example: '800ms' }),
  response_headers: map('Headers that have to be there, and match.', patternSetting('A regular expression.'), {
    key: 'HEADER',
    keyPattern: HEADER,
  }),
  body_matches: list('What the body has to match.', patternSetting('A regular expression.')),
  body_lacks: list('What the body must not match.', patternSetting('A regular expression.')),
  json: map('Values that a JSON body has to have, by their path.', text('The value as text.'), {
    key: 'PATH',
    keyPattern: /^[\w-]{1,100}(?:\.[\w-]{1,100}){0,20}$/,
    example: { 'checks.0.status': 'up' },
  }),
  body_limit: size('So much of the body is looked at; all of it is read.', {
    default: '1MiB',
    least: 0,
    most: 64 << 20,
  }),
});
export type HttpSettings = ValueOf<typeof httpSettings>;

export interface StatusRange {
  least: number;
  most: number;
}

/** Throws `UserError`. */
function readStatus(written: string): StatusRange {
  if (/^[1-5]xx$/i.test(written)) {
    const least = Number(written[0]) * 100;
    return { least, most: least + 99 };
  }
  const code = Number(written);
  if (!/^[1-5]\d\d$/.test(written)) throw new UserError(`'${written}' is no status code such as 200 or 2xx.`);
  return { least: code, most: code };
}
