import { CONFIG_FILE, configOptions } from '../app/config-options.ts';
import type { CommandDefinition } from '../core/definition.ts';
import { EXIT } from '../core/errors.ts';
import { plainText } from '../core/figures.ts';
import { COLOR, textOption } from './options.ts';
import { PRINT_CONFIG, printsConfig } from './print-config.ts';
import { remark } from './remarks.ts';
import { configFlags, inputFlags, OFTEN, runServe } from './serve.ts';

/** `nametap ship`: the sensor of many: captures, and hands over to Kafka. */
export const ship: CommandDefinition = {
  name: 'ship',
  summary: 'capture, and hand transactions to Kafka: a sensor of many',
  arguments: {
    name: 'FILE',
    summary: 'capture files (- is standard input), or one folder that is watched, instead of live traffic',
    many: true,
    optional: true,
  },
  options: [
    CONFIG_FILE,
    PRINT_CONFIG,
    ...OFTEN,
    ...configOptions().map(({ letter, ...option }) => (letter === 'i' ? option : { ...option, letter })),
    COLOR,
  ],
  examples: [
    'sudo nametap ship -i eth0 --kafka-brokers kafka-1:9092  # live traffic of eth0, to the topic nametap',
    'nametap ship office.pcapng --kafka-brokers kafka-1:9092  # a capture; a second time adds nothing',
    'nametap ship --config nametap.yaml  # brokers, TLS, a queue on disk: group kafka of the configuration',
  ],
  run: async (args, options) => {
    const { loadConfig } = await import('../app/config.ts');
    const { shipConfig } = await import('../app/ship.ts');
    const flags = { ...configFlags(options), ...(args.length > 0 && (await inputFlags(args, options))) };
    const load = () => loadConfig({ flags, file: textOption(options, CONFIG_FILE.name) });
    const loaded = load();
    for (const text of loaded.remarks) remark(plainText(text));
    if (await printsConfig(options, loaded)) return EXIT.ok;
    return runServe(shipConfig(loaded), () => shipConfig(load()), options, 'ship');
  },
};
