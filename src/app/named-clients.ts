import { ClientNames } from '../enrich/client-names.ts';
import type { Transaction } from '../rr/transaction.ts';
import type { Store } from '../store/store.ts';
import type { Config } from './config.ts';
import { storeOver } from './store-over.ts';

/** The level from which a client's address is none any more: what looks like it is somebody else's. */
const PSEUDONYMS = 2;

/** Names of clients under a configuration; none where addresses are pseudonyms. */
export function clientNames({ clients, privacy }: Config): ClientNames {
  return new ClientNames(privacy.level >= PSEUDONYMS ? {} : clients);
}

/** A store whose transactions have the names that clients have now: what is remembered is their addresses. */
export function withClientNames(store: Store, names: () => ClientNames | null): Store {
  const named = (row: Transaction): Transaction => {
    const name = names()?.nameOf(row.client);
    return name === undefined ? row : { ...row, client_name: name };
  };
  const own: Pick<Store, 'transactions' | 'transaction' | 'related'> = {
    async *transactions(query, signal) {
      for await (const page of store.transactions(query, signal)) yield { ...page, rows: page.rows.map(named) };
    },
    async transaction(id) {
      const found = await store.transaction(id);
      return found === null ? null : { ...found, record: named(found.record) };
    },
    async related(id) {
      const { parent, children, tcp_retry, siblings } = await store.related(id);
      return {
        parent: parent === null ? null : named(parent),
        children: children.map(named),
        tcp_retry: tcp_retry === null ? null : named(tcp_retry),
        siblings: siblings.map(named),
      };
    },
  };
  return storeOver(store, own);
}
