import type { DetectorDefinition } from './detector.ts';

/** All detectors, in the order of reference and settings. */
export const DETECTORS: readonly DetectorDefinition[] = [];
