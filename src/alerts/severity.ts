import { type Finding, SEVERITIES, type Severity } from '../core/alert.ts';
import type { SeverityParts } from './incident.ts';

/** Below, a finding is too weak for what its detector says of it in general; above, the asset makes it worse. */
const WEAK = 0.25;
const GRAVE = 1.2;

/**
 * Severity of a finding: what its detector says, one step less where score × confidence × weight is small (unless the
 * protocol proves it), one more where the asset weighs enough. With a weight of 1 it is never more than the detector says.
 */
export function severityOf(finding: Finding, weight: number): { severity: Severity; parts: SeverityParts } {
  const { severity, score, confidence, isProof } = finding;
  const risk = score * confidence * weight;
  const down = risk < WEAK && isProof !== true ? 1 : 0;
  const up = risk > GRAVE ? 1 : 0;
  const step = Math.min(SEVERITIES.length - 1, Math.max(0, SEVERITIES.indexOf(severity) + up - down));
  return { severity: SEVERITIES[step], parts: { detector: severity, score, confidence, weight, risk } };
}
