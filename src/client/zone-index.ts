import { networkInterfaces } from 'node:os';

/** Index of the interface that stands behind `%` in an IPv6 address; 0 for one without, and for none of this machine. */
export function zoneIndex(address: string): number {
  const [, zone] = address.split('%');
  if (zone === undefined) return 0;
  if (/^\d{1,9}$/.test(zone)) return Number(zone);
  // Addresses that are good everywhere have no index.
  const scopes = networkInterfaces()[zone]?.map(({ scopeid }) => scopeid ?? 0) ?? [];
  return Math.max(0, ...scopes);
}
