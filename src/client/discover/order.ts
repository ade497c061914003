/** What decides the order of servers of a service (RFC 2782, RFC 9460 §2.4.1). */
export interface Ranked {
  /** Lower is tried first. */
  priority: number;
  /** Share among equal priorities. */
  weight: number;
}

/**
 * The order in which to try: priorities upwards; within one, drawn by weight without putting back, those of weight 0
 * hardly ever first (RFC 2782 "Weight"). `random` gives numbers in [0, 1).
 */
export function orderByWeight<T extends Ranked>(servers: readonly T[], random: () => number = Math.random): T[] {
  const order: T[] = [];
  for (const priority of prioritiesOf(servers)) {
    // "placed in the list first": weight 0 is drawn only when the number drawn is 0.
    const left = servers
      .filter((one) => one.priority === priority)
      .toSorted((a, b) => Number(a.weight > 0) - Number(b.weight > 0));
    while (left.length > 0) {
      const sum = left.reduce((total, { weight }) => total + weight, 0);
      const drawn = Math.floor(random() * (sum + 1));
      let running = 0;
      const at = left.findIndex(({ weight }) => (running += weight) >= drawn);
      order.push(...left.splice(at, 1));
    }
  }
  return order;
}

/**
 * The part of new clients that each server gets, 0 to 1, in the order given: those of the best priority that has a usable
 * server share by weight; where all weigh 0, equally.
 */
export function sharesOf(servers: readonly (Ranked & { isUsable: boolean })[]): number[] {
  const best = prioritiesOf(servers.filter(({ isUsable }) => isUsable))[0];
  const isServing = (one: Ranked & { isUsable: boolean }) => one.isUsable && one.priority === best;
  const serving = servers.filter(isServing);
  const sum = serving.reduce((total, { weight }) => total + weight, 0);
  return servers.map((one) => (isServing(one) ? (sum === 0 ? 1 / serving.length : one.weight / sum) : 0));
}

function prioritiesOf(servers: readonly Ranked[]): number[] {
  return [...new Set(servers.map(({ priority }) => priority))].sort((a, b) => a - b);
}
