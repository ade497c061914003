import type { Incident } from './incident.ts';

/** One kind of incident explains another: of that nobody need be told. */
interface Inhibition {
  by: readonly string[];
  of: readonly string[];
  /** Whether these two belong together. */
  explains(cause: Incident, other: Incident): boolean;
}

/** Names that an incident is about: its domain, else those of its evidence. */
function isAllBelow(other: Incident, domain: string): boolean {
  if (other.domain !== undefined) return other.domain === domain;
  const names = other.evidence.flatMap(({ name }) => (name === undefined ? [] : [name]));
  return names.length > 0 && names.every((name) => name === domain || name.endsWith(`.${domain}`));
}

const SAME_DOMAIN = (cause: Incident, other: Incident) => cause.domain !== undefined && isAllBelow(other, cause.domain);

const INHIBITIONS: readonly Inhibition[] = [
  // A name that a threat list knows need not also be called new or random.
  { by: ['INTEL'], of: ['DGA-NX', 'DGA-NAME', 'NEW-DOM', 'TYPO', 'HOMO'], explains: SAME_DOMAIN },
  // Random names of a flood look like those of malware.
  { by: ['FLOOD-*'], of: ['DGA-NX', 'DGA-NAME', 'TUN-SHAPE', 'TUN-NOPARENT'], explains: SAME_DOMAIN },
  // A resolver that is down for all zones is down for each.
  {
    by: ['OPS-SERVFAIL', 'OPS-LATENCY', 'OPS-UNANSWERED'],
    of: ['OPS-*', 'HIJ-TTL', 'HIJ-LAT', 'HIJ-TTL/LAT'],
    explains: (cause, other) =>
      cause.domain === undefined &&
      other.domain !== undefined &&
      cause.server !== undefined &&
      (other.server === undefined || other.server === cause.server),
  },
];

/** `OPS-*` stands for all that begin so. */
export function isDetector(patterns: readonly string[], detector: string): boolean {
  return patterns.some((one) => (one.endsWith('*') ? detector.startsWith(one.slice(0, -1)) : detector === one));
}

/** Whether an incident explains another. */
export function inhibits(cause: Incident, other: Incident): boolean {
  if (cause === other || cause.state === 'false_positive' || cause.inhibitedBy !== null) return false;
  return INHIBITIONS.some(
    ({ by, of, explains }) =>
      isDetector(by, cause.detector) && isDetector(of, other.detector) && explains(cause, other),
  );
}
