import { numberText, spanText } from '../core/figures.ts';
import { group, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import { Failures, Told } from './failures.ts';

/** Lifetimes that do not fit: caches count down, so what is stable of a name's TTL is its largest. */
export const hijTtl = detector({
  id: 'HIJ-TTL',
  title: 'A name has other addresses, and another lifetime',
  summary:
    'A name that always lay in the same networks now has addresses elsewhere, and their TTL does not fit either: far above the largest ever seen, or far below it for good. Names that vary, as those of delivery networks do, are left out.',
  attack: ['T1557', 'T1584.002'],
  needs: ['names'],
  rows: 'addresses',
  settings: group('Limits.', {
    sightings: whole('Answers with the former addresses that have to be known.', { default: 50, least: 5 }),
    strange: whole('Answers with new addresses in a row.', { default: 5, least: 1 }),
    factor: whole('So many times below the largest TTL is too short.', { default: 10, least: 2 }),
  }),
  create: (limits, { baseline }) => {
    const failures = new Failures();
    const told = new Told();
    return {
      inspect(seen, raise) {
        if (!baseline.hasTtl) return;
        const { ttl, ceiling, sightings, strange, strangeCeiling } = baseline.ttls.verdict;
        if (strange === 0 || sightings < limits.sightings) return;
        const isLong = ttl > 1.5 * ceiling && ttl > ceiling + 60;
        const isShort = strange >= limits.strange && strangeCeiling * limits.factor < ceiling;
        if ((!isLong && !isShort) || strange < Math.min(2, limits.strange)) return;
        const key = seen.nameText;
        const failing = failures.note(seen, `TTL ${numberText(ttl)} s`, key);
        if (!told.isDue(key, strange, seen.closed)) return;
        const isSure = baseline.isEstablished && strange >= limits.strange;
        raise({
          detector: 'HIJ-TTL',
          key,
          severity: isSure && isLong ? 'medium' : 'low',
          score: isLong ? 0.6 : 0.4,
          confidence: isSure ? 0.6 : 0.4,
          time: seen.closed,
          firstSeen: failing.first,
          lastSeen: seen.closed,
          count: strange,
          subject: key,
          server: seen.server.text,
          ...(seen.domain !== null && { domain: seen.domain.text }),
          title: `${key} has addresses in a network it never had, with a TTL of ${spanText(Math.max(1, isShort ? strangeCeiling : ttl))} instead of up to ${spanText(Math.max(1, ceiling))}`,
          text: `In ${numberText(sightings)} answers ${key} lay in the same networks, with a TTL of ${spanText(Math.max(1, ceiling))} at most. The last ${numberText(strange)} answers lie elsewhere. A move of the service looks like this when it also changes the TTL; so does an answer that was forged.`,
          measures: [
            {
              name: 'TTL of the new addresses',
              value: isShort ? strangeCeiling : ttl,
              unit: 's',
              threshold: isLong ? 1.5 * ceiling : ceiling / limits.factor,
              usual: { centre: ceiling, spread: 0, n: sightings },
            },
          ],
          evidence: failing.examples,
          attack: hijTtl.attack,
        });
      },
    };
  },
});
