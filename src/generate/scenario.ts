import type { Stage } from './stage.ts';

/** A kind of traffic that is put into the ordinary one: an attack, a fault, or what only looks like one. */
export interface ScenarioDefinition {
  /** As on the command line. */
  name: string;
  /** One line, lower case, no full stop. */
  summary: string;
  /** Any of these detectors should speak; none: nothing should. */
  detectors: readonly string[];
  /** It can only be seen where the resolver's own questions are seen. */
  needsUpstream?: boolean;
  /** Schedules what happens from `from` on, and labels it. */
  start(stage: Stage, from: number): void;
}
