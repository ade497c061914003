import { isatty } from 'node:tty';
import { CONFIG_FILE, configOptions } from '../app/config-options.ts';
import type { WorkHooks } from '../app/work.ts';
import type { CommandDefinition } from '../core/definition.ts';
import { EXIT } from '../core/errors.ts';
import { numberText, plainText } from '../core/figures.ts';
import { COLOR, textOption } from './options.ts';
import { PRINT_CONFIG, printsConfig } from './print-config.ts';
import { remark } from './remarks.ts';
import { configFlags, OFTEN } from './serve.ts';
import { Session } from './session.ts';
import { version } from './version.ts';

/** `nametap work`: one of many that read what sensors ship. */
export const work: CommandDefinition = {
  name: 'work',
  summary: 'read what sensors ship, look at it, and keep it: a worker of many',
  options: [
    CONFIG_FILE,
    PRINT_CONFIG,
    ...OFTEN.filter(({ name }) => name === 'listen'),
    ...configOptions().map(({ letter, ...option }) => (letter === 'i' ? option : { ...option, letter })),
    COLOR,
  ],
  examples: [
    'nametap work --kafka-brokers kafka-1:9092  # all of the topic nametap, kept in the data folder',
    'nametap work --config nametap.yaml  # brokers, group and store: groups kafka and store of the configuration',
    'curl -s http://127.0.0.1:5390/readyz?verbose  # whether it reads, and from where',
  ],
  run: async (_, options) => {
    const { loadConfig } = await import('../app/config.ts');
    const loaded = loadConfig({ flags: configFlags(options), file: textOption(options, CONFIG_FILE.name) });
    for (const text of loaded.remarks) remark(plainText(text));
    if (await printsConfig(options, loaded)) return EXIT.ok;
    const { observed } = await import('../app/observed.ts');
    const { openLog } = await import('../app/log.ts');
    const { work: run } = await import('../app/work.ts');
    const session = new Session();
    const log = openLog(loaded.config.log, version());
    try {
      const hooks: WorkHooks = {
        signal: session.signal,
        version: version(),
        log,
        started: ({ url, signIn, source }) => {
          if (!isatty(2)) log.info({ url, source }, 'nametap works');
          const page = process.env.JOURNAL_STREAM === undefined ? signIn : url;
          process.stderr.write(`nametap reads ${plainText(source)}; page: ${page}\n`);
        },
      };
      const told = await observed(loaded, 'nametap-worker', hooks, (heard) => run(loaded, heard));
      const { rows, repeated, missing, unreadable } = told;
      const rest = [
        repeated > 0 && `${numberText(repeated)} came twice`,
        missing > 0 && `${numberText(missing)} batches never came`,
        unreadable > 0 && `${numberText(unreadable)} records were none`,
      ].filter((text) => text !== false);
      process.stderr.write(`${[`${numberText(rows)} transactions read`, ...rest].join(', ')}\n`);
      return EXIT.ok;
    } finally {
      session.close();
      await log.close();
    }
  },
};
