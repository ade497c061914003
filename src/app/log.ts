import { hostname } from 'node:os';
import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, multistream, pino } from 'pino';
import type { ServerLog } from '../server/services.ts';
import { safeText } from '../rr/value.ts';
import { type FileOwner, RotatingFile } from '../sinks/rotating-file.ts';
import { spanFields } from '../tracing/spans.ts';
import type { Config } from './settings.ts';

/**
 * What nametap says about itself: JSON lines with the names of ECS, or text for people on a terminal. Never holds
 * queries; texts from the wire that an error quotes are escaped.
 */
export interface Log extends ServerLog {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  /** A log whose lines say that they come from this part (`log.logger`). */
  part(name: string): Log;
  /** Level and format of a configuration that was read again. */
  apply(settings: Config['log']): void;
  /** Goes on in the file that has the name now (after logrotate). */
  reopen(): void;
  close(): Promise<void>;
}

const ECS_VERSION = '9.4.0';
/** Longer texts are cut: a log is for reading. */
const MOST_CHARACTERS = 4096;
const MOST_DEPTH = 4;
const MOST_ITEMS = 32;

/** Opens the log; its file belongs to `owner`, where root will become somebody else. Throws UserError when its file cannot be opened. */
export function openLog(settings: Config['log'], version: string, owner?: FileOwner): Log {
  const screen = new Screen(settings);
  const file = settings.file === undefined ? undefined : new LogFile(settings.file, settings.rotate, { screen, owner });
  const streams = [screen, file].filter((one) => one !== undefined);
  const logger = pino(
    {
      level: pinoLevel(settings.level),
      base: {
        'ecs.version': ECS_VERSION,
        'service.name': 'nametap',
        'service.version': version,
        'process.pid': process.pid,
        'host.name': hostname(),
      },
      messageKey: 'message',
      timestamp: () => `,"@timestamp":"${new Date().toISOString()}"`,
      mixin: spanFields,
      formatters: { level: (label) => ({ 'log.level': label }), log: ecsFields },
    },
    multistream(streams.map((stream) => ({ stream, level: 'trace' as const }))),
  );
  return logOver(logger, {
    apply: (changed) => {
      logger.level = pinoLevel(changed.level);
      screen.apply(changed);
    },
    reopen: () => file?.reopen(),
    close: async () => {
      await file?.close();
      screen.close();
    },
  });
}

function logOver(logger: Logger, common: Pick<Log, 'apply' | 'reopen' | 'close'>): Log {
  const say = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) =>
    logger[level](fields, shown(message));
  return {
    ...common,
    trace: say('trace'),
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    part: (name) => logOver(logger.child({ 'log.logger': name }), common),
  };
}

function pinoLevel(level: Config['log']['level']): string {
  return level === 'off' ? 'silent' : level;
}

/** Fields of a line: an error under ECS's names, everything else under our own. */
function ecsFields(fields: object): Record<string, unknown> {
  const line: Record<string, unknown> = {};
  const own: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    // What `part` says.
    if (key.includes('.')) line[key] = value;
    else if (value instanceof Error) {
      line['error.type'] = value.name;
      line['error.message'] = shown(value.message);
      if (value.stack !== undefined) line['error.stack_trace'] = shown(value.stack, true);
    } else own[key] = plain(value, 0);
  }
  if (Object.keys(own).length > 0) line.nametap = own;
  return line;
}

/** A value that can be written: texts escaped, nothing endless. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return shown(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return shown(value.message);
  if (value instanceof Date) return value.toISOString();
  if (depth >= MOST_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((item) => plain(item, depth + 1));
  const entries = Object.entries(value).slice(0, MOST_ITEMS);
  return Object.fromEntries(entries.map(([key, inner]) => [shown(key), plain(inner, depth + 1)]));
}

function shown(text: string, lines = false): string {
  const cut = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  return lines ? cut.split('\n').map(safeText).join('\n') : safeText(cut);
}

const COLORS: Readonly<Record<string, number>> = { trace: 90, debug: 90, info: 36, warn: 33, error: 31 };
const DULL = 90;

/** Lines on standard output: JSON, or text for people. */
class Screen implements DestinationStream {
  #isText = false;
  #isGone = false;
  readonly #isColored: boolean;

  constructor(settings: Config['log']) {
    this.#isColored = isatty(1) && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
    this.apply(settings);
    process.stdout.on('error', this.#onGone);
  }

  /** Whoever read the lines went away: that ends nobody's capture. */
  readonly #onGone = (): void => {
    this.#isGone = true;
  };

  apply({ format }: Config['log']): void {
    this.#isText = format === 'text' || (format === 'auto' && isatty(1));
  }

  write(line: string): void {
    if (!this.#isGone) process.stdout.write(this.#isText ? logText(line, this.#isColored) : line);
  }

  close(): void {
    process.stdout.off('error', this.#onGone);
  }
}

/** A line of the log as people read it: `12:30:01 warn  What happened  key=value`. */
export function logText(line: string, isColored: boolean): string {
  const record: Record<string, unknown> = JSON.parse(line);
  const { '@timestamp': time, 'log.level': level, nametap } = record;
  const message = typeof record.message === 'string' ? record.message : '';
  const paint = (text: string, color: number) => (isColored ? `\x1b[${color}m${text}\x1b[0m` : text);
  const fields = { ...(nametap as object | undefined), ...errorFields(record) };
  const pairs = Object.entries(fields).map(([key, value]) => paint(`  ${key}=`, DULL) + fieldText(value));
  const label = String(level);
  const head = `${paint(String(time).slice(11, 19), DULL)} ${paint(label.padEnd(5), COLORS[label] ?? DULL)}`;
  return `${head} ${message}${pairs.join('')}\n`;
}

function errorFields(record: Record<string, unknown>): Record<string, unknown> {
  return 'error.message' in record ? { error: record['error.message'] } : {};
}

function fieldText(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** The file of the log; what it cannot take is counted, and said once. */
class LogFile implements DestinationStream {
  readonly #file: RotatingFile;
  readonly #screen: Screen;
  #lost = 0;

  constructor(
    path: string,
    { size, age, keep }: Config['log']['rotate'],
    { screen, owner }: { screen: Screen; owner: FileOwner | undefined },
  ) {
    this.#screen = screen;
    const rules = { sizeBytes: size, ageMs: age, keep };
    this.#file = new RotatingFile(path, rules, { failed: (error) => this.#complain(error) }, owner);
  }

  write(line: string): void {
    try {
      this.#file.write(Buffer.from(line));
      if (this.#lost === 0) return;
      this.#say('info', `The log file is written again; ${this.#lost} lines are missing in it`);
      this.#lost = 0;
    } catch (error) {
      if (this.#lost++ === 0) this.#complain(error);
    }
  }

  reopen(): void {
    this.#file.reopen();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  #complain(error: unknown): void {
    this.#say('error', error instanceof Error ? error.message : String(error));
  }

  /** About the file itself, so not into it. */
  #say(level: string, message: string): void {
    const line = { 'log.level': level, '@timestamp': new Date().toISOString(), message: shown(message) };
    this.#screen.write(`${JSON.stringify(line)}\n`);
  }
}
