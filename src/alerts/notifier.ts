import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { SEVERITIES } from '../core/alert.ts';
import type { Change } from './book.ts';
import { alertDocument } from './document.ts';
import { isDetector } from './inhibition.ts';
import { AlertDelivery, type DeliveryOptions, type OutputStatus } from './outputs/delivery.ts';
import { OUTPUTS } from './outputs/index.ts';
import type { AlertOutput, OutputContext } from './outputs/output.ts';
import { redacted } from './redact.ts';
import type { AlertConfig } from './settings.ts';

type OutputConfig = AlertConfig['outputs'][string];

export interface NotifierOptions {
  /** Folder of queues and dead letters. */
  folder: string;
  sensor: string;
  version: string;
  log(level: 'info' | 'warn', output: string, message: string): void;
  /** Of attempts that fail. */
  pauses?: DeliveryOptions['pauses'];
}

/** What is still waiting has so long to get away when an output is closed. */
const PATIENCE_MS = 3000;

interface Entry {
  settings: OutputConfig;
  wantsAll: boolean;
  delivery: AlertDelivery;
}

/** The outputs of the configuration: each is told of the changes that pass its filters. */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #entries = new Map<string, Entry>();
  #page: string | undefined;

  /** Opens all of them. Throws UserError for a file or folder that cannot be used. */
  constructor(config: Pick<AlertConfig, 'outputs' | 'page'>, options: NotifierOptions) {
    this.#options = options;
    this.#page = config.page;
    for (const [name, one] of Object.entries(config.outputs)) this.#open(name, one);
  }

  /** Tells whoever wants to know: a listener of the book. */
  readonly take = ({ cause, incident, isNews }: Change): void => {
    for (const { settings, wantsAll, delivery } of this.#entries.values()) {
      // Of what people never were told, nobody need hear that it changed.
      if (!isNews && !(wantsAll && incident.told !== null)) continue;
      if (SEVERITIES.indexOf(incident.severity) < SEVERITIES.indexOf(settings.severity)) continue;
      if (settings.detectors.length > 0 && !isDetector(settings.detectors, incident.detector)) continue;
      const alert = alertDocument(incident);
      delivery.push({ cause, at: Date.now(), alert: settings.redact ? redacted(alert) : alert });
    }
  };

  /** Opens, closes and replaces what a configuration that was read again changes; the others go on. */
  async apply(config: Pick<AlertConfig, 'outputs' | 'page'>): Promise<void> {
    this.#page = config.page;
    const changed = [...this.#entries].filter(([name, { settings }]) => {
      return !isDeepStrictEqual(settings, config.outputs[name]);
    });
    for (const [name] of changed) this.#entries.delete(name);
    await Promise.all(changed.map(([, { delivery }]) => delivery.close(PATIENCE_MS)));
    for (const [name, one] of Object.entries(config.outputs)) if (!this.#entries.has(name)) this.#open(name, one);
  }

  states(): OutputStatus[] {
    return [...this.#entries.values()].map(({ delivery }) => delivery.status());
  }

  /** Goes on in new files, and tries again at once what failed. */
  reopen(): void {
    for (const { delivery } of this.#entries.values()) delivery.reopen();
  }

  /** Hands over what waits; what has no time left waits on disk. */
  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ delivery }) => delivery.close(PATIENCE_MS)));
    this.#entries.clear();
  }

  #open(name: string, settings: OutputConfig): void {
    const { folder, sensor, version, log, pauses } = this.#options;
    const notice = (level: 'info' | 'warn', message: string) => log(level, name, `Alert output ${name}: ${message}`);
    const context: OutputContext = {
      name,
      sensor,
      version,
      link: (id) => (this.#page === undefined ? null : `${this.#page.replace(/\/+$/, '')}/alerts?sel=${id}`),
      retry: () => delivery.retry(),
      notice,
    };
    // A definition takes the settings that its own declaration gave.
    const definition: { wantsAll?: true; open(settings: never, context: OutputContext): AlertOutput } =
      OUTPUTS[settings.type];
    const delivery: AlertDelivery = new AlertDelivery(definition.open(settings as never, context), {
      name,
      path: join(folder, `${name}.queue`),
      most: settings.queue,
      giveUpMs: settings.give_up,
      ...(pauses !== undefined && { pauses }),
      notice,
    });
    this.#entries.set(name, { settings, wantsAll: definition.wantsAll === true, delivery });
  }
}
