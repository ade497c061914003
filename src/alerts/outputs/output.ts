import { SEVERITIES } from '../../core/alert.ts';
import { choice, flag, list, type Setting, span, text, whole } from '../../core/settings.ts';
import type { Change } from '../book.ts';
import type { AlertDocument } from '../document.ts';

/**
 * Where people are told of alerts. A kind of output is one definition, registered by one line in `index.ts`; its place in
 * configuration, reference and example, filters, queue, retry and counters come with it.
 */
export interface OutputDefinition<T extends CommonSettings = CommonSettings> {
  /** A group; `COMMON` is part of it. */
  readonly settings: Setting<T>;
  /** Told of every change of what is open, not only of what is news to people. */
  readonly wantsAll?: true;
  open(settings: T, context: OutputContext): AlertOutput;
}

/** Settings that all outputs have. */
export const COMMON = {
  severity: choice('Least severity of alerts that are sent.', SEVERITIES, { default: 'medium' }),
  detectors: list('Only these detectors; `OPS-*` stands for all that begin so.', text('Detector.'), {
    example: ['TUN-*', 'INTEL'],
  }),
  redact: flag('Without addresses of clients.', { default: false }),
  queue: whole('Messages that may wait for the receiver, on disk; beyond, new ones go to the file of dead letters.', {
    default: 1000,
    least: 1,
    most: 100_000,
  }),
  give_up: span('A message that could not be handed over for so long goes to the file of dead letters.', {
    default: '1d',
    least: 1000,
  }),
} as const;

export interface CommonSettings {
  severity: (typeof SEVERITIES)[number];
  detectors: string[];
  redact: boolean;
  queue: number;
  give_up: number;
}

/** What an output is given besides its settings. */
export interface OutputContext {
  /** Its name in the configuration. */
  readonly name: string;
  readonly sensor: string;
  readonly version: string;
  /** The page of an alert; null where nobody said how it is reached. */
  link(id: string): string | null;
  /** A lost connection has to be made again though nothing new waits. */
  retry(): void;
  notice(level: 'info' | 'warn', message: string): void;
}

/** One thing to say. */
export interface Notice {
  cause: Change['cause'];
  /** Milliseconds since 1970 at which it was said. */
  at: number;
  alert: AlertDocument;
}

export interface AlertOutput {
  /**
   * Resolves when the receiver has it. Rejects with `Refused` where it never will take it, with anything else to be
   * asked again later. Null: nothing to say, only what a lost connection held back.
   */
  send(notice: Notice | null, signal: AbortSignal): Promise<void>;
  reopen?(): void;
  close(): Promise<void>;
}
