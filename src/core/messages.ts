import type { Carrier } from './carrier.ts';
import type { Damage } from './frames.ts';

/** Where messages come from that no frame carried to us: dnstap. */
export interface MessageSource {
  /** True for a listener: it never waits. */
  readonly live: boolean;
  /** Damage found so far (files and connections). */
  readonly damage: Damage[];
  /** Payloads that were no readable dnstap message, so far. */
  readonly unreadable: number;
  /** Senders that were turned away: too many were connected at once, or they never began. */
  readonly refused: number;
  /**
   * Hands over every message until the end, or until the signal aborts. The carrier is filled again for the next
   * message; its frame fields are empty, its number counts the messages. A file waits for what `ready` gives now and then.
   */
  messages(
    signal: AbortSignal,
    deliver: (carrier: Carrier) => void,
    ready?: () => Promise<void> | undefined,
  ): Promise<void>;
}
