import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runDga } from '../../src/generate/attacks/dga.ts';
import { FAMILIES } from '../../src/generate/dga/index.ts';
import type { ScenarioDefinition } from '../../src/generate/scenario.ts';
import { openLogFile, readLogs } from '../../src/sources/logs/read.ts';
import { type Experiment, type Figure, sharedData } from './experiment.ts';
import { answerTo, judgeGenerated, judgeRows, newJudge } from './judged.ts';
import { median, share } from './statistics.ts';

const ONLY = ['DGA-NX'];
const OVERLAYS = [
  { letter: 'a', what: 'overlay a', aim: 0.9 },
  { letter: 'b', what: 'overlay b', aim: 0.95 },
  { letter: 'c', what: 'overlay c', aim: 0.95 },
];
const LIMIT = 7200;
const RATE = 10;

/** Every family runs on a client of its own, ten names an hour. */
const slow: ScenarioDefinition = {
  name: 'slow-dga',
  summary: '',
  detectors: ONLY,
  start(stage, from) {
    const people = stage.clients.filter(({ kind }) => kind === 'desktop');
    FAMILIES.forEach((family, i) => runDga(stage, people[i % people.length], from, family, RATE, 6 * 3600));
  },
};

export const dgaClients: Experiment = {
  id: 'E5',
  title: 'DGA-NX: clients that ask for generated names',
  method:
    'Given: names of 25 families put into ten minutes of an organic log, one family a client. Generated: all families, 10 names an hour, among 150 clients for a week.',
  async run() {
    const figures: Figure[] = [];
    const shared = sharedData();
    if (shared !== undefined) for (const overlay of OVERLAYS) figures.push(...(await replay(shared, overlay)));
    const { labels, ...judged } = judgeGenerated({ seed: 51, clients: 150, days: 7 }, [slow], ONLY);
    const times = labels.map((label) => (answerTo(label, judged)?.time ?? Number.POSITIVE_INFINITY) - label.from);
    const found = times.filter((time) => time <= LIMIT);
    const guilty = new Set(labels.map(({ client }) => client));
    const innocent = [...judged.incidents.values()].filter(({ first }) => !guilty.has(first.client)).length;
    figures.push(
      {
        what: '10 names an hour: clients noticed within 2 hours',
        value: `${share(found.length, labels.length)}, median ${(median(found) / 60).toFixed(0)} min`,
        aim: '≥ 90 %',
        isMet: found.length / labels.length >= 0.9,
        anchor: 'Slips: 10 NXDOMAIN of any kind',
      },
      {
        what: 'generated week: other clients flagged',
        value: `${innocent} of ${150 - guilty.size}`,
        aim: '0',
        isMet: innocent === 0,
      },
    );
    return figures;
  },
};

async function replay(shared: string, { letter, what, aim }: (typeof OVERLAYS)[number]): Promise<Figure[]> {
  const folder = join(shared, 'dga', 'replay');
  const rows = readFileSync(join(folder, `overlay-${letter}.clients.tsv`), 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1);
  const guilty = new Map(rows.map((row) => [row.split('\t')[0], row.split('\t')[2]]));
  const logs = [join(shared, 'benign', 'zed-dns-first600s.log.gz'), join(folder, `overlay-${letter}.log.gz`)];
  const open = (await Promise.all(logs.map((path) => openLogFile(path)))).filter((log) => log !== undefined);
  const judged = newJudge(ONLY);
  await readLogs(open, new AbortController().signal, (batch) => {
    judgeRows(judged, batch);
    return true;
  });
  const flagged = new Set([...judged.incidents.values()].map(({ first }) => first.client ?? ''));
  const figures: Figure[] = [];
  const rates = [...new Set(guilty.values())].toSorted((a, b) => Number(a) - Number(b));
  for (const rate of rates) {
    const clients = [...guilty].filter(([, own]) => own === rate).map(([client]) => client);
    const hits = clients.filter((client) => flagged.has(client)).length;
    figures.push({ what: `${what}, ${rate} names an hour: clients noticed`, value: share(hits, clients.length) });
  }
  const hits = [...guilty.keys()].filter((client) => flagged.has(client)).length;
  const organic = [...flagged].filter((client) => !guilty.has(client)).length;
  figures.push(
    {
      what: `${what}: clients noticed`,
      value: share(hits, guilty.size),
      aim: `≥ ${aim}`,
      isMet: hits / guilty.size >= aim,
      anchor: 'Slips: flags 31 of 73 organic clients',
    },
    { what: `${what}: organic clients flagged`, value: String(organic), aim: '0', isMet: organic === 0 },
  );
  return figures;
}
