import { isInNetwork, type Network } from '../core/network.ts';
import { LEGS, type TransactionColumns, type Vantage } from '../core/transactions.ts';

const UNKNOWN = LEGS.indexOf('unknown');
const CLIENT = LEGS.indexOf('client');
const UPSTREAM = LEGS.indexOf('upstream');

/**
 * Which leg a row is of, as far as the sensor's place says: a client's query to its resolver, or what a resolver asks
 * upstream. At a resolver its addresses decide, where they are given, else whether recursion was desired. Path linking
 * finds more where both legs are seen.
 */
export class Legs {
  readonly #point: Vantage | undefined;
  readonly #resolvers: readonly Network[];
  readonly #address = [0, 0, 0, 0];

  constructor(point: Vantage | undefined, resolvers: readonly Network[] = []) {
    this.#point = point;
    this.#resolvers = resolvers;
  }

  /** The leg (index into LEGS) of row `i`, whose ends are written; `recursion` = the query's RD bit. */
  legOf(c: TransactionColumns, i: number, recursion: boolean): number {
    if (this.#point === undefined) return UNKNOWN;
    if (this.#point === 'client') return CLIENT;
    if (this.#point === 'authority') return UPSTREAM;
    if (this.#resolvers.length === 0) return recursion ? CLIENT : UPSTREAM;
    if (this.#isOwn(c.family[i], c.server0[i], c.server1[i], c.server2[i], c.server3[i])) return CLIENT;
    return this.#isOwn(c.family[i], c.client0[i], c.client1[i], c.client2[i], c.client3[i]) ? UPSTREAM : UNKNOWN;
  }

  #isOwn(family: number, a: number, b: number, c: number, d: number): boolean {
    const address = this.#address;
    address[0] = a;
    address[1] = b;
    address[2] = c;
    address[3] = d;
    for (const network of this.#resolvers) if (isInNetwork(network, family, address)) return true;
    return false;
  }
}
