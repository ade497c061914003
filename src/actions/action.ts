import type { Block } from '../core/block.ts';
import type { Setting } from '../core/settings.ts';

/**
 * A way to block, as data: one definition, registered by one line in `index.ts`; its place in configuration, reference and
 * example, retries, state and the tests of all actions come with it.
 */
export interface ActionDefinition<T = never> {
  /** A group. */
  readonly settings: Setting<T>;
  /** Opens what needs rights (sockets, helpers): called before they are given up. Throws UserError. */
  open(settings: T, context: ActionContext): Action | Promise<Action>;
}

export interface ActionContext {
  /** Its name in the configuration. */
  readonly name: string;
  /** Milliseconds since 1970. */
  now(): number;
  notice(level: 'info' | 'warn', message: string): void;
}

/** Something that can make blocks hold. It is told all of them each time: what it missed it learns with the next. */
export interface Action {
  /** Makes exactly these blocks hold, in order of their begin. Rejects when it could not; then it is asked again. */
  apply(blocks: readonly Block[]): Promise<void>;
  /** Kinds that it can express; it is given no others. */
  readonly kinds: readonly Block['kind'][];
  /** What it counts besides, by names: of whoever asks it, say. */
  counts?(): Readonly<Record<string, number>>;
  /** Leaves nothing behind; called after an `apply` of none. */
  close(): Promise<void>;
}
