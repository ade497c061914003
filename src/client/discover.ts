import { setTimeout as sleep } from 'node:timers/promises';
import { type CheckKind, type CheckResult, checkServer } from './discover/check.ts';
import { Health, type HealthState, type Hysteresis } from './discover/health.ts';
import { orderByWeight, sharesOf } from './discover/order.ts';
import { findService, type Service, type ServiceServer, type ServiceType, serviceTypeOf } from './discover/service.ts';
import { Resolver, type ResolverOptions } from './resolver.ts';

/** How a service is discovered. What is left out is usual. */
export interface DiscoverOptions extends Hysteresis {
  /** By the name, unless told: SRV for `_sip._tcp.…`, HTTPS for `example.org`, SVCB for other `_…`. */
  type?: ServiceType;
  /** How servers are looked at: TCP unless told; nothing for services over UDP. */
  check?: CheckKind;
  /** Path that HTTP asks for. */
  path?: string;
  /** Of each look at an address; 2000 unless told. */
  timeoutMs?: number;
  /** Between two looks while watching; 10000 unless told. */
  intervalMs?: number;
  /** Whom to ask; a resolver of your own, or how to make one. */
  resolver?: Resolver | ResolverOptions;
  /** Draws the order within a priority: numbers in [0, 1). */
  random?: () => number;
  signal?: AbortSignal;
}

/** A server of a service, and how it is. */
export interface DiscoveredServer extends ServiceServer {
  health: HealthState;
  /** Part of new clients it should get now, 0 to 1. */
  share: number;
  /** The last look; null when there was none. */
  check: CheckResult | null;
}

/** A service, with its servers in the order to try them: those that are down last. */
export interface Discovery extends Omit<Service, 'servers'> {
  servers: DiscoveredServer[];
  check: CheckKind;
}

/** Looks under way at once. */
const CONCURRENCY = 16;
/** A TTL of 0 does not mean to ask without end. */
const LEAST_TTL_S = 1;
const MOST_TTL_S = 3600;

/**
 * Finds the servers of a service by SRV (RFC 2782) or SVCB and HTTPS (RFC 9460), their addresses, and looks at each once.
 * Never throws for what the network does: a discovery without servers says why.
 */
export async function discover(name: string, options: DiscoverOptions = {}): Promise<Discovery> {
  const watcher = new Watcher(name, options);
  try {
    return await watcher.look();
  } finally {
    watcher.close();
  }
}

/** However often somebody wants to look. */
const LEAST_INTERVAL_MS = 100;

/**
 * The same again and again: gives a discovery at first, and whenever servers, their health or shares have changed. Names
 * are asked for again when their TTL is over. Ends with `options.signal`.
 */
export async function* watchService(name: string, options: DiscoverOptions = {}): AsyncGenerator<Discovery> {
  const { intervalMs = 10_000, signal } = options;
  const watcher = new Watcher(name, options);
  let before = '';
  try {
    const isOver = () => signal?.aborted === true;
    while (!isOver()) {
      const discovery = await watcher.look();
      if (isOver()) return;
      const now = stateOf(discovery);
      if (now !== before) yield discovery;
      before = now;
      await sleep(Math.max(LEAST_INTERVAL_MS, intervalMs), undefined, signal === undefined ? {} : { signal }).catch(
        () => undefined,
      );
    }
  } finally {
    watcher.close();
  }
}

/** What is worth telling again: not times, nor the order drawn. */
function stateOf({ servers, sentence, problems }: Discovery): string {
  const parts = servers.map(
    (one) => `${keyOf(one)} ${one.addresses.join(',')} ${one.health} ${one.share} ${one.problem ?? ''}`,
  );
  return [...parts.sort(), sentence, ...problems].join('\n');
}

const keyOf = ({ target, port, priority, weight }: ServiceServer) => `${priority} ${weight} ${target}:${port}`;

class Watcher {
  readonly #name: string;
  readonly #options: DiscoverOptions;
  readonly #resolver: Resolver;
  readonly #type: ServiceType;
  readonly #kind: CheckKind;
  #health = new Map<string, Health>();
  #service: Service | undefined;
  #until = 0;

  constructor(name: string, options: DiscoverOptions) {
    this.#name = name;
    this.#options = options;
    this.#type = options.type ?? serviceTypeOf(name);
    this.#kind = options.check ?? (/\._(?:udp|sctp|dccp)\./i.test(`${name}.`) ? 'none' : 'tcp');
    // What is watched has to be fresh: the TTL is kept here.
    this.#resolver =
      options.resolver instanceof Resolver ? options.resolver : new Resolver({ cache: false, ...options.resolver });
  }

  close(): void {
    if (!(this.#options.resolver instanceof Resolver)) this.#resolver.close();
  }

  async look(): Promise<Discovery> {
    const { signal, random } = this.#options;
    if (this.#service === undefined || performance.now() >= this.#until) await this.#ask(signal);
    const service = this.#service ?? nothing(this.#name, this.#type);
    const health = new Map<string, Health>();
    for (const server of service.servers) {
      const key = keyOf(server);
      health.set(key, this.#health.get(key) ?? new Health(this.#options));
    }
    this.#health = health;
    const checks = await this.#checkAll(service.servers);
    const known = service.servers.map((server, i) => {
      const state = health.get(keyOf(server))?.state ?? 'unknown';
      return { ...server, health: state, check: checks[i], isUsable: state !== 'down' && server.addresses.length > 0 };
    });
    const shares = sharesOf(known);
    const ordered = orderByWeight(
      known.map((one, i) => ({ ...one, share: shares[i] })),
      random,
    );
    const servers = ordered.toSorted((a, b) => Number(b.isUsable) - Number(a.isUsable));
    return { ...service, check: this.#kind, servers: servers.map(({ isUsable: _isUsable, ...server }) => server) };
  }

  /** Asks again; while nobody answers, what was known before is kept and looked at on. */
  async #ask(signal: AbortSignal | undefined): Promise<void> {
    const asked = await findService(this.#name, this.#type, this.#resolver, signal);
    const { problems } = asked;
    if (asked.isAnswered || this.#service === undefined) this.#service = asked;
    else
      this.#service = {
        ...this.#service,
        problems: [...problems, `${asked.sentence} What was known before is still used.`],
      };
    this.#until = performance.now() + Math.min(MOST_TTL_S, Math.max(LEAST_TTL_S, asked.ttl)) * 1000;
  }

  async #checkAll(servers: readonly ServiceServer[]): Promise<(CheckResult | null)[]> {
    const results: (CheckResult | null)[] = servers.map(() => null);
    if (this.#kind === 'none') return results;
    const kind = this.#kind;
    let next = 0;
    const work = async () => {
      while (next < servers.length) {
        const i = next++;
        const { target, port, addresses } = servers[i];
        const { path, timeoutMs = 2000, signal } = this.#options;
        const result = await checkServer(addresses, {
          kind,
          host: target,
          port,
          timeoutMs,
          signal,
          ...(path !== undefined && { path }),
        });
        this.#health.get(keyOf(servers[i]))?.note(result.isGood);
        results[i] = result;
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, servers.length) }, work));
    return results;
  }
}

const nothing = (name: string, type: ServiceType): Service => ({
  name,
  type,
  servers: [],
  ttl: LEAST_TTL_S,
  names: [name],
  problems: [],
  isAnswered: false,
});
