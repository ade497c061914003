import { join } from 'node:path';
import { runInline } from '../../src/app/run.ts';
import { batchesOf, type Exchange } from '../../src/rr/batch-writer.ts';
import { Random } from '../../src/generate/random.ts';
import { addressAnswer, ipv4Of } from '../../src/generate/records.ts';
import { type Experiment, type Figure, sharedData } from './experiment.ts';
import { judgeGenerated, judgeRows, newJudge } from './judged.ts';

const ONLY = ['POIS-GUESS', 'POIS-RACE', 'POIS-FRAG', 'POIS-BAIL'];
const MOST_FORGED = 7;

export const poisoning: Experiment = {
  id: 'E7',
  title: 'Forged answers',
  method:
    'Given: one attack that guesses ids. Generated: guesses at 1 to 400 a second, to the port of the query or to others; ordinary traffic with 1 % of the answers lost or late, with the resolvers’ own questions.',
  async run() {
    const figures: Figure[] = [];
    const shared = sharedData();
    if (shared !== undefined) figures.push(await given(shared));
    for (const perSecond of [1, 10, 50, 400]) figures.push(guesses(perSecond));
    const { findings, rows } = judgeGenerated({ seed: 71, clients: 60, days: 3, hasUpstream: true }, [], ONLY);
    figures.push({
      what: `ordinary traffic, ${rows.toLocaleString('en')} answers: alarms`,
      value: String(findings.length),
      aim: '0 in 150,000',
      isMet: findings.length === 0 && rows >= 150_000,
      anchor: 'POPS (USENIX Security 2025): 0 in 150,000',
    });
    return figures;
  },
};

async function given(shared: string): Promise<Figure> {
  const judged = newJudge(ONLY);
  let forged = 0;
  let at = 0;
  const plan = {
    input: { kind: 'files' as const, paths: [join(shared, 'poisoning', 'pops-guess-7623.pcap.gz')] },
    threads: 0,
  };
  const isForged = (arena: Uint8Array, from: number, length: number) => {
    for (let i = from; i + 4 <= from + length; i++)
      if (arena[i] === 6 && arena[i + 1] === 6 && arena[i + 2] === 6 && arena[i + 3] === 6) return true;
    return false;
  };
  await runInline(
    plan,
    { signal: new AbortController().signal },
    {
      rows: (batch) => {
        const c = batch.col;
        judgeRows(judged, batch, (i) => {
          if (judged.findings.length === 0 && isForged(batch.arena, c.responseAt[i], c.responseLength[i]))
            at = ++forged;
        });
      },
    },
  );
  const isFound = judged.findings.length > 0;
  return {
    what: 'given attack: forged answers until the alert',
    value: isFound ? String(at) : 'not noticed',
    aim: `≤ ${MOST_FORGED}`,
    isMet: isFound && at <= MOST_FORGED,
    anchor: 'POPS: > 5 a name and second; BIND: the first wrong id',
  };
}

/** A resolver waits for one answer and gets others. */
function guesses(perSecond: number): Figure {
  const random = new Random(perSecond);
  const judged = newJudge(ONLY);
  const start = 1_760_000_000;
  const asked: Exchange = {
    time: start,
    client: '10.0.0.53',
    server: '192.0.2.1',
    name: 'www.bank.example',
    clientPort: 4444,
    id: 7,
    rd: false,
    latencyMs: 900,
    records: addressAnswer(ipv4Of(198, 51, 100, 1), 300),
  };
  const forged = Array.from(
    { length: 60 },
    (_, i): Exchange => ({
      ...asked,
      time: start + 0.01 + i / perSecond,
      id: 1000 + random.int(60_000),
      fate: 'orphan',
      records: addressAnswer(ipv4Of(6, 6, 6, 6), 300),
    }),
  );
  const other = Array.from(
    { length: 40 },
    (_, i): Exchange => ({
      ...asked,
      time: start - 60 + i,
      name: `n${i}.example`,
      id: i,
      clientPort: 3000 + i,
      latencyMs: 20,
    }),
  );
  let seen = 0;
  let at = 0;
  for (const batch of batchesOf([...other, asked, ...forged])) {
    judgeRows(judged, batch, (i) => {
      if (judged.findings.length === 0 && batch.col.queries[i] === 0) at = ++seen;
    });
  }
  const isFound = judged.findings.length > 0;
  return {
    what: `${perSecond} guesses a second: forged answers until the alert`,
    value: isFound ? String(at) : 'not noticed',
    aim: `≤ ${MOST_FORGED}`,
    isMet: isFound && at <= MOST_FORGED,
    anchor: perSecond <= 5 ? 'POPS’ limit: never' : 'POPS’ limit: 6',
  };
}
