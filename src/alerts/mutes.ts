import { incidentId } from './incident.ts';

/** How much a mute silences: this incident's key, or everything of its detector, client or domain. */
export const SCOPES = ['key', 'detector', 'client', 'domain'] as const;
export type Scope = (typeof SCOPES)[number];

/** Nobody is told of what matches. It is seen and counted all the same. Plain data. */
export interface Mute {
  id: string;
  scope: Scope;
  /** The detector, for scopes `key` and `detector`. */
  detector?: string;
  /** Key, client or domain. */
  value?: string;
  /** Seconds since 1970; null = until it is lifted. */
  until: number | null;
  since: number;
  by: string;
  reason: string | null;
  /** What comes under it is no incident at all. */
  isFalsePositive: boolean;
}

/** What a mute is held against. */
export interface Mutable {
  detector: string;
  key: string;
  client?: string;
  domain?: string;
}

export const MOST_MUTES = 1000;

/** The mute of a scope that an incident stands for; undefined where it has no such thing. */
export function muteOf(
  of: Mutable,
  scope: Scope,
  rest: Pick<Mute, 'until' | 'since' | 'by' | 'reason' | 'isFalsePositive'>,
): Mute | undefined {
  const { detector } = of;
  const value = { key: of.key, client: of.client, domain: of.domain, detector: undefined }[scope];
  if (value === undefined && scope !== 'detector') return undefined;
  const isOfDetector = scope === 'key' || scope === 'detector';
  return {
    id: incidentId(`mute ${scope}`, `${isOfDetector ? detector : ''} ${value ?? ''}`, rest.since),
    scope,
    ...(isOfDetector && { detector }),
    ...(value !== undefined && { value }),
    ...rest,
  };
}

/** Whether something comes under a mute. */
export function isUnder(mute: Mute, of: Mutable): boolean {
  const { scope, value, detector } = mute;
  if (scope === 'client') return value === of.client;
  if (scope === 'domain') return value === of.domain;
  return detector === of.detector && (scope === 'detector' || value === of.key);
}
