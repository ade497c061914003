import { plainText } from '../core/figures.ts';
import type { ProbeResult } from '../core/probe.ts';
import type { Tally } from './tally.ts';

/** A target at the end of a run. */
export interface TargetReport {
  target: string;
  tally: Tally;
  /** The last failure; null without one. */
  failure: ProbeResult | null;
}

/** What a build server shows of a run: one test case for each target and each bound (JUnit XML). */
export function junitText(type: string, targets: readonly TargetReport[], bounds: readonly BoundReport[]): string {
  const cases = [
    ...targets.map(({ target, tally, failure }) => {
      const time = ((tally.times.mean ?? 0) * tally.times.n) / 1000;
      const words = failure === null ? '' : `${tally.failed} of ${tally.checks} failed, the last: ${failure.text}`;
      return testCase(`nametap.${type}`, target, time, failure === null ? null : { kind: failure.outcome, words });
    }),
    ...bounds.map(({ text, isCrossed, value }) =>
      testCase(`nametap.${type}.fail-on`, text, 0, isCrossed ? { kind: 'bound', words: `it is ${value}` } : null),
    ),
  ];
  const failures =
    targets.filter(({ failure }) => failure !== null).length + bounds.filter((one) => one.isCrossed).length;
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n` +
    `<testsuite name="nametap probe ${attribute(type)}" tests="${cases.length}" failures="${failures}">\n` +
    `${cases.join('')}</testsuite>\n</testsuites>\n`
  );
}

export interface BoundReport {
  text: string;
  isCrossed: boolean;
  /** As people read it. */
  value: string;
}

function testCase(of: string, name: string, seconds: number, failure: { kind: string; words: string } | null): string {
  const open = `<testcase classname="${attribute(of)}" name="${attribute(name)}" time="${seconds.toFixed(6)}"`;
  if (failure === null) return `${open}/>\n`;
  return `${open}>\n<failure type="${attribute(failure.kind)}" message="${attribute(failure.words)}"/>\n</testcase>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Characters that XML does not have become the one for what is unknown. */
function attribute(text: string): string {
  return plainText(text)
    .replace(/[^\x20-\ud7ff\ue000-\ufffd]/g, '\ufffd')
    .replace(/[&<>"]/g, (one) => ENTITIES[one]);
}
