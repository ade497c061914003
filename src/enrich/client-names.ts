import { isIP } from 'node:net';
import { UserError } from '../core/errors.ts';
import { addressWords, isInNetwork, type Network } from '../core/network.ts';

/** Most names a configuration may give, and the longest of them. */
const MAX_NAMES = 65_536;
const MAX_LENGTH = 128;
/** Addresses whose name, or that they have none, is remembered. */
const REMEMBERED = 16_384;

/**
 * Names of clients as the configuration gives them: an address or a network (`192.0.2.0/24`) and its name. Of several
 * networks that hold an address the narrowest names it.
 */
export class ClientNames {
  readonly #addresses = new Map<string, string>();
  /** The narrowest first. */
  readonly #networks: { network: Network; name: string }[] = [];
  readonly #known = new Map<string, string | undefined>();

  /** Throws UserError (exit code 1) for what is no address, no network or no name. */
  constructor(names: Readonly<Record<string, string>>) {
    const entries = Object.entries(names);
    if (entries.length > MAX_NAMES) throw new UserError(`More than ${MAX_NAMES} clients have names. Name networks.`);
    for (const [text, name] of entries) {
      if (name === '' || name.length > MAX_LENGTH) {
        throw new UserError(`The name of client ${text} is empty or longer than ${MAX_LENGTH} characters.`);
      }
      const network = networkOf(text);
      const isWhole = network.bits === (network.family === 4 ? 32 : 128);
      if (isWhole) this.#addresses.set(keyOf(network.family, network.words), name);
      else this.#networks.push({ network, name });
    }
    this.#networks.sort((a, b) => b.network.bits - a.network.bits);
  }

  get size(): number {
    return this.#addresses.size + this.#networks.length;
  }

  /** The name of an address given as four words in network order (IPv4 in the last); undefined without. */
  name(family: number, words: readonly number[]): string | undefined {
    if (this.size === 0) return undefined;
    const key = keyOf(family, words);
    const named = this.#addresses.get(key);
    if (named !== undefined || this.#networks.length === 0) return named;
    if (this.#known.has(key)) return this.#known.get(key);
    const found = this.#networks.find(({ network }) => isInNetwork(network, family, words))?.name;
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }

  /** The name of an address given as text; undefined without, and for what is no address. */
  nameOf(text: string): string | undefined {
    const family = isIP(text);
    return family === 4 || family === 6 ? this.name(family, addressWords(family, text)) : undefined;
  }
}

function keyOf(family: number, words: readonly number[]): string {
  return `${family} ${words[0] >>> 0} ${words[1] >>> 0} ${words[2] >>> 0} ${words[3] >>> 0}`;
}

/** The network of a text such as `192.0.2.7`, `192.0.2.0/24` or `2001:db8::/32`. Throws UserError. */
export function networkOf(text: string): Network {
  const [address, prefix, ...rest] = text.split('/');
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? most : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if ((family !== 4 && family !== 6) || address.includes('%') || rest.length > 0 || !(bits <= most)) {
    throw new UserError(`'${text}' is neither an address nor a network such as 192.0.2.0/24.`);
  }
  return { family, words: addressWords(family, address), bits };
}
