import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { group, text, type ValueOf, whole } from '../../core/settings.ts';
import { EXIT, reasonOf, UserError } from '../../core/errors.ts';
import type { AlertDocument } from '../document.ts';
import { COMMON, type OutputDefinition } from './output.ts';

const settings = group('STIX 2.1: a bundle per alert, in a folder, for threat intelligence platforms.', {
  folder: text('The folder; a file is replaced when its alert changes.', { required: true, example: 'stix' }),
  keep: whole('Files that are kept; the oldest go first.', { default: 1000, least: 1, most: 100_000 }),
  ...COMMON,
});

/** Files of bundles. */
export const stix: OutputDefinition<ValueOf<typeof settings>> = {
  settings,
  open({ folder, keep }, { sensor }) {
    try {
      mkdirSync(folder, { recursive: true });
    } catch (error) {
      throw new UserError(`The folder ${folder} cannot be made: ${reasonOf(error)}.`, EXIT.file);
    }
    return {
      async send(notice) {
        if (notice === null) return;
        const { alert } = notice;
        const path = join(folder, `${alert.time.replace(/[:.]/g, '')}-${alert.id}.json`);
        writeFileSync(`${path}.new`, `${JSON.stringify(bundleOf(alert, sensor), null, 2)}\n`);
        renameSync(`${path}.new`, path);
        const files = readdirSync(folder).filter((name) => /^[\dTZ-]{18,24}-[0-9a-f]{16}\.json$/.test(name));
        for (const old of files.sort().slice(0, Math.max(0, files.length - keep))) rmSync(join(folder, old));
      },
      close: () => Promise.resolve(),
    };
  },
};

/** Namespace of STIX for ids of observables (STIX 2.1 §2.9), and our own for what is not one. */
const OBSERVABLES = '00abedb4-aa42-466c-9c01-fed23315a9b7';
const NAMESPACE = 'c5b0a1a6-3d0f-5d0f-9a3b-6e616d657461';

/** UUID version 5 (RFC 9562 §5.5). */
function uuid(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  hash[6] = (hash[6] & 0x0f) | 0x50;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

interface StixObject {
  type: string;
  id: string;
  [key: string]: unknown;
}

/** An alert as a bundle: what was observed, who says so, and an indicator where a domain is the sign. */
export function bundleOf(alert: AlertDocument, sensor: string): StixObject {
  const own = (type: string, name: string) => `${type}--${uuid(NAMESPACE, `${type} ${name}`)}`;
  const common = { spec_version: '2.1', created: alert.time, modified: alert.updated };
  const identity: StixObject = {
    type: 'identity',
    id: own('identity', sensor),
    spec_version: '2.1',
    created: '2026-01-01T00:00:00.000Z',
    modified: '2026-01-01T00:00:00.000Z',
    name: `nametap ${sensor}`,
    identity_class: 'system',
  };
  const observables = observablesOf(alert);
  const by = { created_by_ref: identity.id };
  const observed: StixObject = {
    type: 'observed-data',
    id: own('observed-data', alert.id),
    ...common,
    ...by,
    first_observed: alert.first_seen,
    last_observed: alert.last_seen,
    number_observed: Math.min(999_999_999, Math.max(1, alert.count)),
    object_refs: observables.map(({ id }) => id),
  };
  const patterns = alert.attack.map((technique) => attackPattern(technique, own, by));
  const objects: StixObject[] = [identity, ...observables, ...patterns];
  if (observables.length > 0) objects.push(observed);
  if (alert.domain !== null) {
    const indicator: StixObject = {
      type: 'indicator',
      id: own('indicator', alert.id),
      ...common,
      ...by,
      name: alert.title,
      description: alert.text,
      indicator_types: alert.state === 'false_positive' ? ['benign'] : ['anomalous-activity'],
      pattern: `[domain-name:value = '${alert.domain.replace(/[\\']/g, '\\$&')}']`,
      pattern_type: 'stix',
      valid_from: alert.first_seen,
      confidence: Math.round(100 * alert.confidence),
    };
    const sighting: StixObject = {
      type: 'sighting',
      id: own('sighting', alert.id),
      ...common,
      ...by,
      first_seen: alert.first_seen,
      last_seen: alert.last_seen,
      count: Math.min(999_999_999, Math.max(1, alert.count)),
      sighting_of_ref: indicator.id,
      observed_data_refs: [observed.id],
      where_sighted_refs: [identity.id],
    };
    const indicates = patterns.map((pattern) => ({
      type: 'relationship',
      id: own('relationship', `${alert.id} ${pattern.id}`),
      ...common,
      ...by,
      relationship_type: 'indicates',
      source_ref: indicator.id,
      target_ref: pattern.id,
    }));
    objects.push(indicator, sighting, ...indicates);
  }
  return { type: 'bundle', id: own('bundle', `${alert.id} ${alert.updated}`), objects };
}

function attackPattern(technique: string, own: (type: string, name: string) => string, by: object): StixObject {
  return {
    type: 'attack-pattern',
    id: own('attack-pattern', technique),
    spec_version: '2.1',
    created: '2026-01-01T00:00:00.000Z',
    modified: '2026-01-01T00:00:00.000Z',
    ...by,
    name: technique,
    external_references: [
      {
        source_name: 'mitre-attack',
        external_id: technique,
        url: `https://attack.mitre.org/techniques/${technique.replace('.', '/')}/`,
      },
    ],
  };
}

/** Domain, client and server as cyber-observable objects, with the ids that the standard gives them. */
function observablesOf({ domain, client, server }: AlertDocument): StixObject[] {
  const found: StixObject[] = [];
  const add = (type: string, value: string) => {
    // The contributing property, as canonical JSON (RFC 8785).
    const id = `${type}--${uuid(OBSERVABLES, JSON.stringify({ value }))}`;
    if (!found.some((one) => one.id === id)) found.push({ type, spec_version: '2.1', id, value });
  };
  if (domain !== null) add('domain-name', domain);
  for (const address of [client, server]) {
    if (address === null) continue;
    if (address.includes(':')) add('ipv6-addr', address);
    else if (/^[\d.]+$/.test(address)) add('ipv4-addr', address);
  }
  return found;
}
