import { loadConfig } from '../../src/app/config.ts';
import { Sinks } from '../../src/app/sinks.ts';

/** What the process that is killed gets. */
export interface WriterPlan {
  sinks: Record<string, object>;
  folder: string;
  from: number;
  to: number;
  step: number;
  pauseMs: number;
}

/** Sinks by their configuration, as serve opens them. */
export function openSinks(settings: object, folder: string, say: (message: string) => void = () => {}): Sinks {
  const { config } = loadConfig({ environment: {}, flags: { sinks: JSON.stringify(settings) } });
  const log = (_: object, message: string) => say(message);
  return new Sinks(config.sinks, {
    sensor: 'sensor-1',
    version: '1.2.3',
    folder,
    vantage: 'client',
    interfaces: [],
    exporter: null,
    log: { info: log, warn: log, error: log },
  });
}
