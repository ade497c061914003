import { usualAt } from '../baseline/season.ts';
import { FIRST, LAST } from '../baseline/model-table.ts';
import type { Finding } from '../core/alert.ts';
import { numberText, percentText, spanText } from '../core/figures.ts';
import { group, span, whole } from '../core/settings.ts';
import { detector } from './detector.ts';
import { Beat, type Failing, Failures, Told } from './failures.ts';

/** A longer pause is the end of one capture and the beginning of another. */
const LONGEST_PAUSE = 6 * 3600;
/** So many transactions have to be missing. */
const EXPECTED = 100;
/** The network has to have been watched for so long. */
const WATCHED = 600;
/** Where little is asked pauses are usual: they are learnt for so long, and one that matters is so many times longer. */
const LEARNT = 86_400;
const TIMES_LONGEST = 3;
const WINDOW_SECONDS = 300;
const SEVERAL_CLIENTS = 5;

/** A sensor that hears nothing any more, or only half. */
export const opsSilent = detector({
  id: 'OPS-SILENT',
  title: 'The sensor hears nothing, or only part',
  summary:
    'No transaction comes although many are usual at this hour, or many answers come whose queries were not seen: the mirror port, the tap or the interface loses packets.',
  attack: [],
  rows: 'all',
  settings: group('Limits.', {
    quiet: span('Nothing at all for this long, where at least 100 transactions were to be expected.', {
      default: '2m',
      least: 10_000,
    }),
    percent: whole('Answers without their query, as a part of all answers.', { default: 5, least: 1, most: 100 }),
    least: whole('Answers without their query within five minutes, at least.', { default: 100, least: 10 }),
  }),
  create: ({ quiet, percent, least }, { baseline }) => {
    const orphans = new Failures();
    const told = new Told();
    const beat = new Beat(30);
    let began = Number.NEGATIVE_INFINITY;
    let answers = 0;
    let lost = 0;
    /** Rate of the last minutes, kept while nothing comes. */
    let rate = 0;
    /** The longest pause so far, seconds, and when something was last heard. */
    let longest = 0;
    const heard = new Float64Array(1).fill(Number.NaN);
    return {
      inspect(seen, raise) {
        const { col } = seen.batch;
        const i = seen.row;
        const gap = seen.closed - heard[0];
        if (gap > longest && gap < LONGEST_PAUSE) longest = gap;
        heard[0] = seen.closed;
        if (col.responses[i] === 0) return;
        const { closed } = seen;
        if (closed - began > WINDOW_SECONDS) {
          began = closed;
          answers = lost = 0;
        }
        answers++;
        if (col.queries[i] > 0 || col.duplicates[i] > 0 || col.late[i] > 0) return;
        lost++;
        const failing = orphans.note(seen, 'answer without its query', '');
        if (lost < least || lost < (percent / 100) * answers || failing.clients.keys.length < SEVERAL_CLIENTS) return;
        // A flood of forged answers hits one or few: this is about all.
        if ((failing.clients.top(1)[0]?.share ?? 1) > 0.5 || !told.isDue('loss', lost, closed)) return;
        raise(lossFinding(lost, answers, percent / 100, failing, closed));
      },
      tick(time, raise) {
        if (baseline.all < 0) return;
        const { whole: all } = baseline;
        const last = all.table.double(baseline.all, LAST);
        const pause = time - last;
        if (pause < 30) {
          if (beat.isDue(time)) rate = all.recent(baseline.all, 'queries') / WINDOW_SECONDS;
          return;
        }
        if (pause * 1000 < quiet || pause > LONGEST_PAUSE || last - all.table.double(baseline.all, FIRST) < WATCHED)
          return;
        const usual = usualAt(all.table.floats, all.season(baseline.all), Math.floor(time / 3600));
        const expected = Math.min(rate, usual === null ? Number.POSITIVE_INFINITY : usual.level / 3600) * pause;
        const isBusy = (expected / pause) * (quiet / 1000) >= EXPECTED;
        const isKnown = isBusy || last - all.table.double(baseline.all, FIRST) >= LEARNT;
        if (!isKnown || pause < TIMES_LONGEST * longest || expected < EXPECTED || !told.isDue('silence', pause, time))
          return;
        raise(silenceFinding(time, last, expected, quiet / 1000));
      },
    };
  },
});

function lossFinding(lost: number, answers: number, threshold: number, failing: Failing, time: number): Finding {
  const ratio = lost / answers;
  return {
    detector: 'OPS-SILENT',
    key: 'loss',
    severity: ratio > 0.3 ? 'medium' : 'low',
    score: Math.min(1, 0.3 + ratio),
    confidence: 0.7,
    time,
    firstSeen: failing.first,
    lastSeen: time,
    count: lost,
    subject: 'this sensor',
    title: `${percentText(ratio)} of answers come without their query: packets are lost before the sensor`,
    text: `${numberText(lost)} of ${numberText(answers)} answers in the last five minutes belong to queries that were not seen, for many clients. The mirror port drops packets, or brings one direction only. Other detectors see less than there is.`,
    measures: [{ name: 'share of answers without their query', value: ratio, unit: '', threshold }],
    evidence: failing.examples,
    attack: [],
  };
}

function silenceFinding(time: number, last: number, expected: number, threshold: number): Finding {
  const pause = time - last;
  return {
    detector: 'OPS-SILENT',
    key: 'silence',
    severity: 'high',
    score: 0.9,
    confidence: 0.9,
    time,
    firstSeen: last,
    lastSeen: time,
    count: 0,
    subject: 'this sensor',
    title: `No DNS transaction for ${spanText(pause)}; ${numberText(Math.round(expected))} were to be expected`,
    text: `The last transaction closed ${spanText(pause)} ago. At this hour about ${numberText(Number((expected / pause).toPrecision(2)))} a second are usual. The interface, the mirror port or the resolver is down, or traffic takes another way.`,
    measures: [{ name: 'time without a transaction', value: pause, unit: 's', threshold }],
    evidence: [],
    attack: [],
  };
}
