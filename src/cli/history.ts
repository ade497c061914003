import type { ApiClient } from '../app/api-client.ts';
import type { OptionDefinition, OptionValues } from '../core/definition.ts';
import { plainText } from '../core/figures.ts';
import { textOption } from './options.ts';
import { writeStdout } from './stdout.ts';
import { version } from './version.ts';

/** Options of commands that ask what a nametap remembers. */
export const HISTORY = [
  {
    name: 'url',
    value: 'URL',
    summary: 'server to ask (default: whoever serves the data folder, else the folder itself)',
  },
  { name: 'token', value: 'TOKEN', summary: 'token of the server (default: that of the data folder)' },
  { name: 'data', value: 'FOLDER', summary: 'data folder (default: NAMETAP_DATA, else ./data)' },
  { name: 'config', value: 'FILE', summary: 'configuration (default: NAMETAP_CONFIG, else nametap.yaml here)' },
] as const satisfies OptionDefinition[];

/** Runs with the API that the options name; a store that nobody serves is opened for the time. */
export async function withApi(options: OptionValues, run: (api: ApiClient) => Promise<number>): Promise<number> {
  const { loadConfig } = await import('../app/config.ts');
  const { findServer } = await import('../app/api-client.ts');
  const loaded = loadConfig({ flags: { data: options.data }, file: textOption(options, 'config') });
  const { config } = loaded;
  const token = textOption(options, 'token') ?? config.server.token;
  const found = findServer({ url: textOption(options, 'url'), token, data: config.data });
  const api = found ?? (await (await import('../app/serve-local.ts')).openLocal(loaded, version()));
  try {
    return await run(api);
  } finally {
    await api.close();
  }
}

/** Columns side by side: numbers to the right. Text from the wire is made safe; the last column is not padded. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows.map((row) => row.map(plainText))];
  const widths = head.map((_, k) => Math.max(...cells.map((row) => row[k].length)));
  const right = head.map(
    (_, k) => rows.length > 0 && rows.every((row) => /^(?:–|[<-]?[\d,.]+(?:e[+-]\d+)?(?: %)?)$/.test(row[k])),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, k) => (right[k] ? cell.padStart(widths[k]) : cell.padEnd(widths[k])))
      .join('  ')
      .trimEnd();
  return `${cells.map(line).join('\n')}\n`;
}

export function print(text: string): void {
  writeStdout(Buffer.from(text));
}
