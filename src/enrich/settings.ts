import { choice, form, group, list, map, span, text, whole } from '../core/settings.ts';
import { networkOf } from './client-names.ts';

const network = (summary: string) => form(summary, 'an address or a network such as 192.0.2.0/24', networkOf, {});

/** Key `privacy`: what is hidden before anything is stored or shown. */
export const privacySettings = group('What is hidden before anything is stored, shown or written.', {
  level: whole(
    'Client addresses: 0 whole, 1 cut to /24 and /48, 2 pseudonyms that keep networks together, 3 a hash per day, ' +
      '4 none, 5 only counts are kept.',
    { default: 0, most: 5 },
  ),
  names: choice(
    'Names asked for: whole, only the registrable domain, or hashed left of it.',
    ['full', 'domain', 'hashed'],
    {
      default: 'full',
    },
  ),
  rotate: span('A new secret for pseudonyms so often: those of different times cannot be compared.', {
    default: 'never',
    least: 3_600_000,
    words: { never: Number.POSITIVE_INFINITY },
  }),
});

/** Key `resolvers`. */
export const resolversSetting = list(
  'Own resolvers, or networks of them; others are learned from the traffic.',
  network('Address or network.'),
  { example: ['192.0.2.53'] },
);

/** Key `networks`. */
export const networksSetting = list('Own networks besides the private ones.', network('Address or network.'), {
  example: ['198.51.100.0/24', '2001:db8::/32'],
});

/** Key `clients`. */
export const clientsSetting = map('Names of clients, by address or network.', text('Name.'), {
  key: 'ADDRESS',
  keyPattern: /^[0-9A-Fa-f.:]+(?:\/\d{1,3})?$/,
  reloads: true,
  example: { '192.0.2.7': 'printer', '192.0.2.0/24': 'office' },
});
