import { isIP } from 'node:net';
import type { Finding } from '../core/alert.ts';
import { UserError } from '../core/errors.ts';
import { addressWords, isInNetwork, type Network } from '../core/network.ts';
import { form, group, list, map, span, text, type ValueOf, variant, whole } from '../core/settings.ts';
import { networkOf } from '../enrich/client-names.ts';
import { BOOK_RULES, type BookRules } from './book-rules.ts';
import { OUTPUTS } from './outputs/index.ts';

const asset = group('An asset: what happens to it weighs more, or less.', {
  networks: list('Its addresses and networks.', form('Network.', 'an address or a network', networkOf), {
    example: ['192.0.2.16/28'],
  }),
  domains: list('Its registrable domains.', text('Domain.'), { example: ['bank.example'] }),
  weight: form(
    '1 is ordinary; from about 1.5 on a finding that is certain is one step more urgent.',
    '0 to 10',
    readWeight,
    {
      default: '2',
    },
  ),
});

/** Key `alerts`: when findings become alerts, and who is told of them. */
export const alertSettings = group(
  'Alerts: how findings become incidents, and who is told of them.',
  {
    quiet: span('An alert is over after so long without a finding.', { default: '30m', least: 60_000 }),
    repeat: span('Outputs are told again of an alert that goes on, so often.', { default: '30m', least: 60_000 }),
    per_detector: whole('New alerts an hour of one detector and severity; beyond, one summary stands for the rest.', {
      default: BOOK_RULES.perDetector,
      least: 1,
      most: 10_000,
    }),
    per_key: whole('New alerts a day about the same thing; beyond, the last one goes on.', {
      default: BOOK_RULES.perKey,
      least: 1,
      most: 1000,
    }),
    close_resolved: list('Alerts of these detectors close themselves when they are over.', text('Detector.'), {
      default: ['OPS-*'],
    }),
    assets: map('What weighs more than other hosts and domains, or less.', asset, {
      example: { servers: { networks: ['192.0.2.16/28'], weight: '2' } },
    }),
    page: text('Where people reach the page, for links in messages.', { example: 'https://nametap.example.net' }),
    outputs: map('Who is told, each under a name.', variant('An output.', OUTPUTS)),
  },
  { reloads: true },
);
export type AlertConfig = ValueOf<typeof alertSettings>;

function readWeight(written: string): number {
  const weight = /^\d{1,2}(?:\.\d{1,3})?$/.test(written) ? Number(written) : Number.NaN;
  if (!(weight <= 10)) throw new UserError(`"${written}" is no weight.`);
  return weight;
}

/** Rules of the book, of the configuration. */
export function rulesOf(config: AlertConfig): Partial<BookRules> {
  const { quiet, repeat, per_detector, per_key, close_resolved, assets } = config;
  return {
    quiet: quiet / 1000,
    repeat: repeat / 1000,
    perDetector: per_detector,
    perKey: per_key,
    closeResolved: close_resolved,
    weight: weightOf(Object.values(assets)),
  };
}

interface Asset {
  networks: Network[];
  domains: string[];
  weight: number;
}

/** The weight of what a finding is about: of several assets the heaviest; 1 where there is none. */
function weightOf(assets: readonly Asset[]): BookRules['weight'] {
  const isOf = (asset: Asset, { client, server, domain }: Finding) =>
    (domain !== undefined && asset.domains.includes(domain)) ||
    [client, server].some((address) => asset.networks.some((network) => isWithin(network, address)));
  return (finding) => {
    const weights = assets.filter((asset) => isOf(asset, finding)).map(({ weight }) => weight);
    return weights.length === 0 ? 1 : Math.max(...weights);
  };
}

function isWithin(network: Network, address: string | undefined): boolean {
  const family = isIP(address ?? '');
  if (address === undefined || (family !== 4 && family !== 6)) return false;
  return isInNetwork(network, family, addressWords(family, address));
}
