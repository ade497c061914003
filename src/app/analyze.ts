import { Baseline } from '../baseline/baseline.ts';
import { describe, listUsual } from '../baseline/describe.ts';
import { SEVERITIES } from '../core/alert.ts';
import type { Analysis } from '../report/analysis.ts';
import { type DetectHooks, type DetectPlan, type DetectResult, detectFiles } from './detect-files.ts';
import { newReport } from './run.ts';

/** Servers, clients and domains that are described. */
const MOST_KEYS = 4;
const MOST_FINDINGS = 200;

/** Reads files as `detectFiles` does, and describes them. Throws UserError. */
export async function analyzeFiles(
  plan: DetectPlan,
  hooks: DetectHooks,
): Promise<{ analysis: Analysis; result: DetectResult }> {
  const baseline = new Baseline(plan.config.detect.baseline);
  const report = newReport({});
  const result = await detectFiles({ ...plan, baseline }, { ...hooks, rows: (...rows) => report.add(...rows) });
  report.addLedger(result.ledger);
  // The last minute is over, too.
  if (Number.isFinite(baseline.now)) baseline.tick(baseline.now + 60);
  const keys = (['server', 'client', 'domain'] as const).flatMap((kind) =>
    listUsual(baseline, kind, MOST_KEYS).flatMap(({ key }) =>
      describe(baseline, key).filter((one) => one.kind === kind),
    ),
  );
  const findings = result.incidents
    .toSorted((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity))
    .slice(0, MOST_FINDINGS);
  return {
    analysis: {
      report: report.value({ files: [...plan.paths] }, 20),
      usual: [...describe(baseline, '*'), ...keys],
      findings,
      findings_left_out: result.incidents.length - findings.length,
    },
    result,
  };
}
