import { Buckets, LATENCY_EDGES } from './counters.ts';

interface Route {
  /** Responses by the first digit of their status, 1 … 5. */
  statuses: number[];
  seconds: Buckets;
}

/** Requests by endpoint: the paths of endpoints are a closed list, all else is `page` or `other`. */
export class Traffic {
  readonly routes = new Map<string, Route>();

  add(route: string, status: number, seconds: number): void {
    let known = this.routes.get(route);
    if (known === undefined) {
      known = { statuses: [0, 0, 0, 0, 0], seconds: new Buckets(LATENCY_EDGES) };
      this.routes.set(route, known);
    }
    const digit = Math.floor(status / 100);
    if (digit >= 1 && digit <= 5) known.statuses[digit - 1]++;
    known.seconds.add(seconds);
  }
}
