import { dns } from './dns.ts';
import { http } from './http.ts';
import { icmp } from './icmp.ts';
import type { ProbeDefinition } from './probe.ts';
import { srv } from './srv.ts';
import { tcp } from './tcp.ts';
import { trace } from './trace.ts';

/** Every kind of check: one line each. */
export const PROBES: Readonly<Record<string, ProbeDefinition>> = {
  http,
  tcp,
  icmp,
  dns,
  srv,
  trace,
};
