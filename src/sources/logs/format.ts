import type { Exchange } from '../../rr/exchange.ts';

/** Takes what a line gave: none, one, or several exchanges. */
export type Emit = (exchange: Exchange) => void;

/** Reads the lines of one log. */
export interface LogParser {
  /** Takes a line without its end; why it was of no use, undefined where it was (or says nothing about DNS). */
  line(text: string, emit: Emit): string | undefined;
  /** The log ends: gives what still waited for its other half. */
  end?(emit: Emit): void;
  /** Answers so far whose question the log does not have: nothing can be said of them. */
  readonly unasked?: number;
}

/** A kind of log. */
export interface LogFormat {
  name: string;
  /** A few words: what writes it. */
  summary: string;
  /** Whether a log that begins with this text is one. `first` is its first line that is not empty. */
  matches(head: string, first: string): boolean;
  open(): LogParser;
}

/** Nobody waits longer for an answer. */
export const MOST_LATENCY_MS = 3_600_000;

/** Hosts that a log does not name. */
export const NO_HOST = '0.0.0.0';

/** A JSON object; undefined for anything else. */
export function jsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
