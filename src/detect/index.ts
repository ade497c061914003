import { amp } from './amp.ts';
import { beacon } from './beacon.ts';
import type { DetectorDefinition } from './detector.ts';
import { dgaNx } from './dga-nx.ts';
import { evade } from './evade.ts';
import { floodNx } from './flood-nx.ts';
import { floodRsd } from './flood-rsd.ts';
import { flux } from './flux.ts';
import { hijLat } from './hij-lat.ts';
import { hijPath } from './hij-path.ts';
import { hijTtl } from './hij-ttl.ts';
import { intel } from './intel.ts';
import { newDom } from './new-dom.ts';
import { opsDnssec } from './ops-dnssec.ts';
import { opsDrift } from './ops-drift.ts';
import { opsLame } from './ops-lame.ts';
import { opsLatency } from './ops-latency.ts';
import { opsServfail } from './ops-servfail.ts';
import { opsSilent } from './ops-silent.ts';
import { opsTc } from './ops-tc.ts';
import { opsUnanswered } from './ops-unanswered.ts';
import { poisBail } from './pois-bail.ts';
import { poisFrag } from './pois-frag.ts';
import { poisGuess } from './pois-guess.ts';
import { poisRace } from './pois-race.ts';
import { rebind } from './rebind.ts';
import { recon } from './recon.ts';
import { surprise } from './surprise.ts';
import { tunBytes } from './tun-bytes.ts';
import { tunDown } from './tun-down.ts';
import { tunNoparent } from './tun-noparent.ts';
import { tunShape } from './tun-shape.ts';
import { typo } from './typo.ts';

/** All detectors, in the order of reference and settings. */
export const DETECTORS: readonly DetectorDefinition[] = [
  opsServfail,
  opsUnanswered,
  opsLatency,
  opsDnssec,
  opsTc,
  opsLame,
  opsSilent,
  opsDrift,
  newDom,
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
  intel,
  typo,
  recon,
  evade,
  hijPath,
  hijTtl,
  hijLat,
  beacon,
  surprise,
];
