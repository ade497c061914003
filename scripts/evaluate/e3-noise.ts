import { join } from 'node:path';
import { openLogFile, readLogs } from '../../src/sources/logs/read.ts';
import { type Experiment, type Figure, sharedData } from './experiment.ts';
import { type Incident, judgeGenerated, judgeRows, MEDIUM, newJudge } from './judged.ts';
import { rate } from './statistics.ts';

/** A large site, a small one, where everything is rare, and a home, where nothing happens for hours. */
const SITES = [
  { clients: 250, days: 20, seed: 31 },
  { clients: 25, days: 30, seed: 32 },
  { clients: 4, days: 30, seed: 33 },
];
/** Organic clients for ten minutes. */
const ORGANIC_CLIENT_DAYS = 0.45;

export const noise: Experiment = {
  id: 'E3',
  title: 'Noise: ordinary traffic',
  method: `Generated: ${SITES.map(({ clients, days }) => `${clients} clients for ${days} days`).join(', ')}, with antivirus and block-list look-ups, telemetry, CDN shards, search lists, mistyped names, lost packets and resolvers' own questions. Organic: the first ten minutes of a competition's log, which is weak evidence. An incident is a detector and what it speaks of; low ones are told apart.`,
  async run() {
    const figures: Figure[] = [];
    for (const site of SITES) figures.push(...generated(site));
    const shared = sharedData();
    if (shared === undefined) return figures;
    const judged = newJudge();
    const log = await openLogFile(join(shared, 'benign', 'zed-dns-first600s.log.gz'));
    if (log === undefined) throw new Error('the organic log is not read as a log');
    await readLogs([log], new AbortController().signal, (batch) => {
      judgeRows(judged, batch);
      return true;
    });
    const organic = [...judged.incidents.values()].filter(({ severity }) => severity >= MEDIUM);
    figures.push({
      what: `organic log, ${ORGANIC_CLIENT_DAYS} client-days: incidents of medium severity or more`,
      value: `${organic.length}${by(organic)}`,
      aim: '0',
      isMet: organic.length === 0,
      anchor: 'Slips’ 10 NXDOMAIN: 31 of 73 clients; > 8 names per domain: 25 of 591 domains',
    });
    return figures;
  },
};

function generated({ clients, days, seed }: (typeof SITES)[number]): Figure[] {
  const clientDays = clients * days;
  const { incidents, rows } = judgeGenerated({ seed, clients, days, hasUpstream: true }, []);
  const what = `${clients} clients, ${clientDays.toLocaleString('en')} client-days, ${(rows / 1e6).toFixed(1)} M transactions`;
  const medium = [...incidents.values()].filter(({ severity }) => severity >= MEDIUM);
  const low = [...incidents.values()].filter(({ severity }) => severity < MEDIUM);
  return [
    {
      what: `${what}: incidents of medium severity or more`,
      value: rate(medium.length, clientDays, 1000, 'client-days') + by(medium),
      aim: '≤ 1 per 1,000 client-days',
      isMet: medium.length <= clientDays / 1000,
      anchor: 'RITA’s timestamp score alone: 60 of 127 pairs (organic)',
    },
    { what: `${clients} clients: low incidents`, value: rate(low.length, clientDays, 1000, 'client-days') + by(low) },
  ];
}

/** ` (TUN-BYTES 2, FLUX 1)`. */
function by(incidents: readonly Incident[]): string {
  const counts = new Map<string, number>();
  for (const { first } of incidents) counts.set(first.detector, (counts.get(first.detector) ?? 0) + 1);
  const parts = [...counts].toSorted((a, b) => b[1] - a[1]).map(([detector, n]) => `${detector} ${n}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
