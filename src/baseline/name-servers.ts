import { addressText, word } from '../core/address.ts';
import type { MessageView } from '../wire/message.ts';
import { hashName, nameText } from '../wire/name.ts';
import { TopList } from './top-list.ts';

const TYPE_A = 1;
export const TYPE_NS = 2;
const TYPE_AAAA = 28;
const MOST_SERVERS = 8192;
const ADDRESSES = 8;

/** A name server that a delegation has named. */
export interface NameServer {
  readonly hash: number;
  readonly text: string;
  /** Addresses that glue, or an answer, gave it. */
  readonly addresses: TopList<string>;
}

/** Name servers by name, with the addresses that are known of them; those learnt first make room. */
export class NameServers {
  readonly #byHash = new Map<number, NameServer>();
  evicted = 0;

  get(hash: number): NameServer | undefined {
    return this.#byHash.get(hash);
  }

  /** The name server whose name lies in record `r` (NS). */
  take(view: MessageView, r: number): NameServer {
    const hash = hashName(view.bytes, view.rdata[r], view.start) | 0;
    let server = this.#byHash.get(hash);
    if (server === undefined) {
      if (this.#byHash.size >= MOST_SERVERS) {
        for (const oldest of this.#byHash.keys()) {
          this.#byHash.delete(oldest);
          this.evicted++;
          break;
        }
      }
      server = {
        hash,
        text: nameText(view.bytes, view.rdata[r], view.start),
        addresses: new TopList<string>(ADDRESSES),
      };
      this.#byHash.set(hash, server);
    }
    return server;
  }

  /** Learns addresses of name servers that a response holds anywhere: glue, or their own answer. */
  learn(view: MessageView): void {
    if (this.#byHash.size === 0) return;
    for (let r = 0; r < view.records; r++) {
      const isA = view.type[r] === TYPE_A && view.rdlength[r] === 4;
      if (!isA && !(view.type[r] === TYPE_AAAA && view.rdlength[r] === 16)) continue;
      const server = this.#byHash.get(hashName(view.bytes, view.owner[r], view.start) | 0);
      if (server === undefined) continue;
      const { bytes } = view;
      const at = view.rdata[r];
      const text = isA
        ? addressText(4, 0, 0, 0, word(bytes, at))
        : addressText(6, word(bytes, at), word(bytes, at + 4), word(bytes, at + 8), word(bytes, at + 12));
      server.addresses.add(text);
    }
  }

  state(): SavedNameServer[] {
    return [...this.#byHash.values()].map(({ hash, text, addresses }) => [hash, text, addresses.keys]);
  }

  restore(state: readonly SavedNameServer[]): void {
    this.#byHash.clear();
    for (const [hash, text, keys] of state.slice(0, MOST_SERVERS)) {
      const addresses = new TopList<string>(ADDRESSES);
      for (const key of keys) addresses.add(key);
      this.#byHash.set(hash, { hash, text, addresses });
    }
  }
}

export type SavedNameServer = [hash: number, text: string, addresses: string[]];
