import type { ScenarioDefinition } from '../../src/generate/scenario.ts';
import { SCENARIOS } from '../../src/generate/scenarios.ts';
import type { Experiment, Figure } from './experiment.ts';
import { answerTo, judgeGenerated, MEDIUM } from './judged.ts';
import { rate, share } from './statistics.ts';

const DAY = 86_400;
const DAYS = 42;
const CLIENTS = 30;
const MIGRATION = 18;
const ATTACKS = 32;
/** What is put into the last weeks. */
const USUAL_ATTACKS = ['tunnel', 'exfiltration', 'dga', 'beacon', 'hijack', 'ttl', 'rebinding', 'poisoning-guess'];

/** A scenario on a day of its own. */
function on(day: number, name: string): ScenarioDefinition {
  const found = SCENARIOS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no scenario ${name}`);
  return { ...found, start: (stage) => found.start(stage, stage.start + day * DAY + 10 * 3600) };
}

export const drift: Experiment = {
  id: 'E9',
  title: 'Six weeks: growth, a migration, then attacks',
  method: `Generated: ${CLIENTS} clients at the end, 2 % more a day, weekends; on day ${MIGRATION} all of them move to a new resolver; in the last ten days attacks, one kind a day. Incidents of medium severity or more.`,
  async run() {
    const plan = [on(MIGRATION, 'migration'), ...USUAL_ATTACKS.map((name, i) => on(ATTACKS + i, name))];
    const { labels, incidents, findings } = judgeGenerated(
      { seed: 91, clients: CLIENTS, days: DAYS, growth: 0.02, hasUpstream: true },
      plan,
    );
    const attacks = labels.filter(({ detectors }) => detectors.length > 0);
    const abouts = new Set(attacks.flatMap(({ subject, client }) => [subject, client]));
    const [{ from: start }] = labels;
    const dayOf = (time: number) => Math.floor((time - start) / DAY + MIGRATION + 10 / 24);
    const wrong = [...incidents.values()].filter(
      ({ first, severity }) =>
        severity >= MEDIUM && ![first.subject, first.domain, first.client].some((about) => abouts.has(about)),
    );
    const between = (from: number, to: number) =>
      wrong.filter(({ first }) => dayOf(first.time) >= from && dayOf(first.time) < to).length;
    const found = attacks.filter((label) => answerTo(label, { findings }) !== undefined).length;
    const after = wrong.filter(({ first }) => dayOf(first.time) >= MIGRATION).map(({ first }) => dayOf(first.time));
    const figures: Figure[] = [
      { what: 'before the migration: wrong incidents', value: rate(between(0, MIGRATION), MIGRATION, 1, 'days') },
      {
        what: 'from the migration to the attacks: wrong incidents',
        value: rate(between(MIGRATION, ATTACKS), ATTACKS - MIGRATION, 1, 'days'),
      },
      {
        what: 'in the days of the attacks: wrong incidents',
        value: rate(between(ATTACKS, DAYS), DAYS - ATTACKS, 1, 'days'),
      },
      {
        what: 'quiet again after the migration',
        value: after.length === 0 ? 'never disturbed' : `${Math.max(...after) - MIGRATION + 1} days`,
      },
      { what: 'attacks noticed', value: share(found, attacks.length), aim: 'all', isMet: found === attacks.length },
    ];
    return figures;
  },
};
