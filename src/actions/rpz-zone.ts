import { isIP } from 'node:net';
import type { Block } from '../core/block.ts';
import { addressWords } from '../core/network.ts';

/** What a resolver answers to what is blocked. */
export const RPZ_ANSWERS = {
  nxdomain: '.',
  nodata: '*.',
  drop: 'rpz-drop.',
  tcp_only: 'rpz-tcp-only.',
} as const;
export type RpzAnswer = keyof typeof RPZ_ANSWERS;

export interface RpzOptions {
  answer: RpzAnswer;
  /** Seconds: between checks of a secondary, and until it lets go of a zone whose primary is gone. */
  refresh?: number;
  expire?: number;
  /** Seconds that a resolver's clients keep an answer. */
  ttl?: number;
}

/** A response policy zone (draft-vixie-dnsop-dns-rpz): its records as text; names in full, without a last dot. */
export class RpzZone {
  readonly name: string;
  readonly ttl: number;
  readonly #target: string;
  readonly #timers: string;

  constructor(name: string, { answer, refresh = 60, expire = 900, ttl = 30 }: RpzOptions) {
    this.name = name.toLowerCase().replace(/\.$/, '');
    this.ttl = ttl;
    this.#target = RPZ_ANSWERS[answer];
    this.#timers = `${refresh} ${Math.max(1, Math.floor(refresh / 2))} ${expire} ${ttl}`;
  }

  /** Data of the SOA: the primary has no name, and nobody's mailbox. */
  soa(serial: number): string {
    return `localhost. hostmaster.localhost. ${serial} ${this.#timers}`;
  }

  /** Data of every CNAME, and the owners that the blocks make of it, in order, each once. */
  owners(blocks: readonly Block[]): string[] {
    const owners = new Set<string>();
    for (const { kind, value } of blocks) {
      for (const trigger of triggers(kind, value)) {
        const owner = `${trigger}.${this.name}`;
        // Such a zone has no room for a name that long.
        if (owner.length <= 253) owners.add(owner);
      }
    }
    return [...owners];
  }

  get target(): string {
    return this.#target;
  }

  /** The zone as a master file (RFC 1035 §5): every name in full. */
  text(blocks: readonly Block[], serial: number): string {
    const { name, ttl } = this;
    const lines = [
      `${name}. ${ttl} IN SOA ${this.soa(serial)}`,
      `${name}. ${ttl} IN NS localhost.`,
      ...this.owners(blocks).map((owner) => `${owner}. ${ttl} IN CNAME ${this.#target}`),
    ];
    return `${lines.join('\n')}\n`;
  }
}

function triggers(kind: Block['kind'], value: string): string[] {
  // A rule for a name does not hold for those below it.
  if (kind === 'domain') return [value, `*.${value}`];
  return [`${addressLabels(value)}.rpz-${kind === 'client' ? 'client-ip' : 'ip'}`];
}

/** An address as RPZ writes it: its prefix, then its parts from the last to the first; `zz` for the longest run of zeros. */
function addressLabels(address: string): string {
  if (isIP(address) === 4) return `32.${address.split('.').reverse().join('.')}`;
  const parts = addressWords(6, address).flatMap((one) => [(one >>> 16) & 0xffff, one & 0xffff]);
  let best = { at: 0, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && parts[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const texts = parts.map((part) => part.toString(16));
  if (best.length > 1) texts.splice(best.at, best.length, 'zz');
  return `128.${texts.reverse().join('.')}`;
}
