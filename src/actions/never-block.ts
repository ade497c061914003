import { isIP } from 'node:net';
import { type AddressKind, addressKind } from '../core/address-kind.ts';
import type { Block, BlockTarget } from '../core/block.ts';
import { addressWords, isInNetwork, type Network } from '../core/network.ts';
import { ESSENTIAL_NAMES } from './essential-names.ts';
import { blockTarget } from './target.ts';

export interface NeverBlockFacts {
  /** Registrable domain of a name; null where the name is a public suffix, or above one. */
  registrable(name: string): string | null;
  /** Names under which others register, that are no registry's: `github.io`. */
  isHosting(name: string): boolean;
  /** Domains of the operator, with everything below. */
  domains: Iterable<string>;
  /** What everybody asks for. */
  popular: Iterable<string>;
  /** Resolvers, authorities, management stations. */
  networks: readonly Network[];
}

/** Addresses of these kinds are nobody's on the internet: no server there is somebody to keep away from. */
const KINDS: Record<Exclude<AddressKind, 'public'>, string> = {
  private: 'It is a private address; as a client (kind client) it may be blocked.',
  shared: 'It is an address of a provider’s own network.',
  loopback: 'It is this machine.',
  link_local: 'It is an address of the local link.',
  unspecified: 'It is no address of anyone.',
  multicast: 'It is a group, not a machine.',
  documentation: 'It is an address for examples.',
  reserved: 'It is a reserved address.',
};
/** A client may have a private address; these no client has. */
const NO_CLIENT: readonly string[] = ['loopback', 'link_local', 'unspecified', 'multicast', 'reserved'];

/** What is never blocked, whoever wants it, and by whichever way it came: asked before a block is made and when it acts. */
export class NeverBlock {
  readonly #facts: NeverBlockFacts;
  readonly #kept: Names;
  readonly #popular: Names;

  constructor(facts: NeverBlockFacts) {
    this.#facts = facts;
    this.#kept = new Names([...ESSENTIAL_NAMES, ...facts.domains]);
    this.#popular = new Names(facts.popular);
  }

  /** Why a target is never blocked, in a sentence; undefined when it may be. People may block below what is popular. */
  reason(target: BlockTarget, isAutomatic: boolean): string | undefined {
    if (target.kind === 'domain') return this.#ofDomain(target.value, isAutomatic);
    return this.#ofAddress(target);
  }

  /** Those of the blocks that may act: what is written in a file may have been changed, or the list has grown. */
  passed(blocks: readonly Block[]): Block[] {
    return blocks.filter((block) => {
      const { kind, value, isAutomatic } = block;
      try {
        if (blockTarget({ kind, value }).value !== value) return false;
      } catch {
        return false;
      }
      return this.reason(block, isAutomatic) === undefined;
    });
  }

  #ofDomain(name: string, isAutomatic: boolean): string | undefined {
    if (!name.includes('.')) return 'It is a top-level domain, or a name without one.';
    if (name === 'arpa' || name.endsWith('.arpa')) return 'Names of .arpa say whose an address is.';
    if (this.#facts.registrable(name) === null) return 'It is a public suffix: others register below it.';
    if (this.#facts.isHosting(name)) return 'Others have their names directly below it.';
    if (this.#kept.isAt(name)) return 'It is on the list of names that are kept reachable.';
    if (this.#kept.isAbove(name)) return 'Names below it are kept reachable.';
    if (this.#popular.isListed(name)) return 'It is among the most popular domains.';
    if (this.#popular.isAbove(name)) return 'A most popular name lies below it.';
    if (isAutomatic && this.#popular.isAt(name)) return 'It lies below one of the most popular domains.';
    return undefined;
  }

  #ofAddress({ kind, value }: BlockTarget): string | undefined {
    const family = isIP(value) === 4 ? 4 : 6;
    const words = addressWords(family, value);
    const [w0, w1, w2, w3] = words;
    const what = addressKind(family, w0, w1, w2, w3);
    if (what !== 'public' && (kind === 'address' || NO_CLIENT.includes(what))) return KINDS[what];
    const isKept = this.#facts.networks.some((network) => isInNetwork(network, family, words));
    return isKept ? 'It is a resolver, an authority or a management station of this network.' : undefined;
  }
}

/** Names, and which names lie above them. */
class Names {
  readonly #names = new Set<string>();
  readonly #above = new Set<string>();

  constructor(lines: Iterable<string>) {
    for (const line of lines) {
      const name = line
        .replace(/#.*/, '')
        .trim()
        .toLowerCase()
        .replace(/^\*\.|\.$/g, '');
      if (name === '') continue;
      this.#names.add(name);
      for (const higher of above(name)) this.#above.add(higher);
    }
  }

  isListed(name: string): boolean {
    return this.#names.has(name);
  }

  /** One of them lies below the name. */
  isAbove(name: string): boolean {
    return this.#above.has(name);
  }

  /** The name is one of them, or lies below one. */
  isAt(name: string): boolean {
    if (this.#names.has(name)) return true;
    for (const higher of above(name)) if (this.#names.has(higher)) return true;
    return false;
  }
}

function* above(name: string): Generator<string> {
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) yield name.slice(dot + 1);
}
