import { amplification } from './attacks/amplification.ts';
import { beacon } from './attacks/beacon.ts';
import { dga } from './attacks/dga.ts';
import { exfiltration } from './attacks/exfiltration.ts';
import { floodNx } from './attacks/flood-nx.ts';
import { floodRsd } from './attacks/flood-rsd.ts';
import { fastFlux } from './attacks/flux.ts';
import { hijack } from './attacks/hijack.ts';
import { latencyShift } from './attacks/latency.ts';
import { lame, servfailOutage, truncated, unanswered } from './attacks/outage.ts';
import { poisoningBailiwick, poisoningFragments, poisoningGuess, poisoningRace } from './attacks/poisoning.ts';
import { rebinding } from './attacks/rebinding.ts';
import { recon } from './attacks/recon.ts';
import { ttlCollapse } from './attacks/ttl.ts';
import { tunnelDown } from './attacks/tunnel-down.ts';
import { tunnelNoParent } from './attacks/tunnel-noparent.ts';
import { tunnel } from './attacks/tunnel.ts';
import { typosquat } from './attacks/typo.ts';
import { anycast } from './negatives/anycast.ts';
import { cdn } from './negatives/cdn.ts';
import { failover } from './negatives/failover.ts';
import { migration } from './negatives/migration.ts';
import { restart } from './negatives/restart.ts';
import type { ScenarioDefinition } from './scenario.ts';

/** All scenarios, in the order of help: attacks, faults, and what only looks like one. */
export const SCENARIOS: readonly ScenarioDefinition[] = [
  tunnel,
  tunnelDown,
  tunnelNoParent,
  exfiltration,
  dga,
  beacon,
  floodRsd,
  floodNx,
  amplification,
  poisoningGuess,
  poisoningRace,
  poisoningFragments,
  poisoningBailiwick,
  hijack,
  ttlCollapse,
  fastFlux,
  rebinding,
  typosquat,
  recon,
  latencyShift,
  servfailOutage,
  unanswered,
  lame,
  truncated,
  cdn,
  anycast,
  failover,
  restart,
  migration,
];
