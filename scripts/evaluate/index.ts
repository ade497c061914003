import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tunnels } from './e1-tunnels.ts';
import { lowVolume } from './e2-low-volume.ts';
import { noise } from './e3-noise.ts';
import { names } from './e4-names.ts';
import { dgaClients } from './e5-dga.ts';
import { beacons } from './e6-beacons.ts';
import { poisoning } from './e7-poisoning.ts';
import { scenarios } from './e8-scenarios.ts';
import { drift } from './e9-drift.ts';
import { type Experiment, type Figure, sharedData } from './experiment.ts';
import { pageOf, type Result } from './page.ts';

/** All experiments, in the order of the page. A new one is a file and a line here. */
const EXPERIMENTS: readonly Experiment[] = [
  tunnels,
  lowVolume,
  noise,
  names,
  dgaClients,
  beacons,
  poisoning,
  scenarios,
  drift,
];
const PAGE = fileURLToPath(new URL('../../docs/evaluation.md', import.meta.url));

/** `npm run evaluate`: all of them, and the page; `npm run evaluate -- E4 E5`: only these, and their sections of it. */
const wanted = process.argv.slice(2).map((word) => word.toUpperCase());
const chosen = EXPERIMENTS.filter(({ id }) => wanted.length === 0 || wanted.includes(id));
if (chosen.length === 0)
  throw new Error(`There is no experiment ${wanted.join(' ')}: ${EXPERIMENTS.map(({ id }) => id).join(' ')} are.`);

const results: Result[] = [];
const hasShared = sharedData() !== undefined;
if (!hasShared) say('!!! ../shared/detect is not there: what needs the labelled data is NOT RUN.');
for (const experiment of chosen) {
  if (experiment.needsShared === true && !hasShared) {
    say(`!!! ${experiment.id} ${experiment.title}: NOT RUN, it needs ../shared/detect`);
    results.push({ experiment, figures: undefined });
    continue;
  }
  const began = performance.now();
  const figures = await experiment.run();
  say(`${experiment.id} ${experiment.title} (${((performance.now() - began) / 1000).toFixed(0)} s)`);
  for (const figure of figures)
    say(
      `  ${verdict(figure)} ${figure.what}: ${figure.value}${figure.aim === undefined ? '' : ` (aim ${figure.aim})`}${figure.anchor === undefined ? '' : ` | ${figure.anchor}`}`,
    );
  results.push({ experiment, figures });
}
const ran = results.filter(({ figures }) => figures !== undefined);
writeFileSync(PAGE, pageOf(wanted.length === 0 ? results : ran, wanted.length === 0 ? '' : readFileSync(PAGE, 'utf8')));
say(`written: ${PAGE}`);

function verdict({ isMet }: Figure): string {
  return isMet === undefined ? '    ' : isMet ? 'met ' : 'MISS';
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
