import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A figure, with what it is held against. */
export interface Figure {
  what: string;
  /** The figure, with its 95 % interval where it has one. */
  value: string;
  /** What it should be; absent: only told. */
  aim?: string;
  isMet?: boolean;
  /** What a rule of one line, or a published method, gives. */
  anchor?: string;
}

/** A question that the evaluation answers. */
export interface Experiment {
  /** `E1`. */
  id: string;
  title: string;
  /** What it is done on, and how. */
  method: string;
  /** It needs the labelled data beside the repository. */
  needsShared?: boolean;
  run(): Promise<Figure[]>;
}

/** Folder of the labelled data; undefined where there is none. */
export function sharedData(): string | undefined {
  const path = process.env.NAMETAP_SHARED ?? fileURLToPath(new URL('../../../shared/detect', import.meta.url));
  return existsSync(path) ? path : undefined;
}

/** The labelled data of an experiment that needs it. */
export function labelledData(): string {
  const path = sharedData();
  if (path === undefined) throw new Error('the labelled data is not there');
  return path;
}
