import { amp } from './amp.ts';
import type { DetectorDefinition } from './detector.ts';
import { dgaNx } from './dga-nx.ts';
import { floodNx } from './flood-nx.ts';
import { floodRsd } from './flood-rsd.ts';
import { flux } from './flux.ts';
import { poisBail } from './pois-bail.ts';
import { poisFrag } from './pois-frag.ts';
import { poisGuess } from './pois-guess.ts';
import { poisRace } from './pois-race.ts';
import { rebind } from './rebind.ts';
import { tunBytes } from './tun-bytes.ts';
import { tunDown } from './tun-down.ts';
import { tunNoparent } from './tun-noparent.ts';
import { tunShape } from './tun-shape.ts';

/** All detectors, in the order of reference and settings. */
export const DETECTORS: readonly DetectorDefinition[] = [
  floodRsd,
  floodNx,
  amp,
  poisGuess,
  poisRace,
  poisFrag,
  poisBail,
  rebind,
  flux,
  tunBytes,
  tunShape,
  tunDown,
  tunNoparent,
  dgaNx,
];
