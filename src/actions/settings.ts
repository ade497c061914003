import { form, group, list, map, span, text, type ValueOf, variant, whole } from '../core/settings.ts';
import { ACTIONS } from './index.ts';
import { networkOf } from './network-setting.ts';

/** The longest that anything is blocked for. */
export const LONGEST_MS = 7 * 86_400_000;

/** Key `block`. */
export const blockSettings = group(
  'What is blocked, and for how long. Detectors only say what they would have blocked until `enforce` is set for them (detect.detectors).',
  {
    for: span('How long something is blocked; each time it comes back for twice as long.', {
      default: '1h',
      least: 1000,
      most: LONGEST_MS,
      reloads: true,
    }),
    most: span('The longest that a detector blocks for.', {
      default: '24h',
      least: 1000,
      most: LONGEST_MS,
      reloads: true,
    }),
    never: list(
      'Domains that are never blocked, with everything below them and above, besides those of detect.allow.',
      text('A domain: example.com.'),
      { example: ['example.com'], reloads: true },
    ),
    keep: list(
      'Addresses that are never blocked, besides resolvers: authorities, management stations.',
      form('An address, or a network.', 'an address or a network such as 192.0.2.0/24', networkOf, {}),
      { example: ['192.0.2.10'], reloads: true },
    ),
    new_per_minute: whole('More new blocks than this in a minute stop automatic blocking until somebody resumes it.', {
      default: 10,
      least: 1,
      most: 1000,
      reloads: true,
    }),
    most_share: whole(
      'Per cent of the domains, or clients, of the last hour that detectors may have blocked at a time; 20 are always allowed.',
      { default: 2, least: 1, most: 20, reloads: true },
    ),
    most_clients: whole('What more clients than this (or 5 % of all) used in a week is not blocked automatically.', {
      default: 5,
      least: 1,
      most: 1000,
      reloads: true,
    }),
    most_domains: whole('An address that more domains than this pointed to is not blocked automatically.', {
      default: 5,
      least: 1,
      most: 1000,
      reloads: true,
    }),
    actions: map('How blocking is done, each way under a name; none: nothing is blocked.', variant('A way.', ACTIONS)),
  },
);
export type BlockConfig = ValueOf<typeof blockSettings>;
