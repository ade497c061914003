import type { BlockTarget } from '../core/block.ts';
import type { BlockConfig } from './settings.ts';

/** What more than this part of all clients use is no malware of one of them. */
const COMMON_SHARE = 0.05;

/** What the policy asks about the network. What rejects is not known, and nothing is blocked then. */
export interface PolicyFacts {
  /** Clients that used a domain or address in the week before, and all clients; null where clients are not told apart. */
  use(target: BlockTarget): Promise<{ clients: number; of: number } | null>;
  /** Registrable domains that pointed to an address. */
  domainsAt(address: string): Promise<number>;
  /** Whether an address answers lookups here: a resolver is nobody's client to be blocked. */
  answers(address: string): Promise<boolean>;
  /** Domains, or clients, of the last hour. */
  active(kind: BlockTarget['kind']): Promise<number>;
}

/** How many use a target; `why` says that it is too many to be blocked. */
export async function commonUse(
  target: BlockTarget,
  facts: PolicyFacts,
  { most_clients, most_domains }: Pick<BlockConfig, 'most_clients' | 'most_domains'>,
): Promise<{ why?: string; clients?: number }> {
  const use = await facts.use(target);
  if (use === null) return { why: 'How many use it is not known: clients are hidden.' };
  const { clients, of } = use;
  if (clients > most_clients) return { why: `${clients} clients used it in the last seven days.`, clients };
  // One client alone is no habit of the network, however small that is.
  if (clients > 1 && clients > of * COMMON_SHARE) {
    return { why: `${clients} of ${of} clients used it in the last seven days.`, clients };
  }
  if (target.kind !== 'address') return { clients };
  const domains = await facts.domainsAt(target.value);
  const isShared = domains > most_domains;
  return isShared ? { why: `${domains} domains pointed to it: others would be hit.`, clients } : { clients };
}
