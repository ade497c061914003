import type { ApiClient, BaselineList, Snapshot, Snapshots, UsualAnswer } from '../app/api-client.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { numberText, percentText, plainText, sizeText } from '../core/figures.ts';
import { USUAL_KINDS } from '../core/usual.ts';
import { HISTORY, print, tableText, withApi } from './history.ts';
import { textOption, wholeNumber } from './options.ts';
import { remark } from './remarks.ts';

const ROOT = '/api/v1/baseline';

type Action = (api: ApiClient, what: string, options: OptionValues) => Promise<void>;

const ACTIONS: Readonly<Record<string, { wants: boolean; run: Action }>> = {
  show: { wants: true, run: show },
  list: { wants: false, run: list },
  snapshot: { wants: false, run: snapshot },
  snapshots: { wants: false, run: snapshots },
  rollback: { wants: true, run: rollback },
};

/** `nametap baseline`: what is usual. */
export const baseline: CommandDefinition = {
  name: 'baseline',
  summary: 'what is usual for a server, a client, a domain or all traffic; keep it, go back to it',
  arguments: {
    name: 'ACTION [KEY]',
    summary: 'show KEY, list, snapshot, snapshots or rollback SNAPSHOT; * is all traffic',
    many: true,
  },
  options: [
    { name: 'kind', letter: 'k', value: 'KIND', summary: 'list: of what', choices: USUAL_KINDS, default: 'server' },
    { name: 'limit', letter: 'n', value: 'N', summary: 'list: rows', default: '50' },
    { name: 'json', summary: 'as JSON' },
    ...HISTORY,
  ],
  examples: [
    'nametap baseline show 10.0.0.53  # latency, cache and recursion, failures, rate at this hour',
    'nametap baseline show example.com  # who serves it, by which path, how often it is asked for',
    "nametap baseline show '*'  # all traffic",
    'nametap baseline list --kind client  # of whom something is known',
    'nametap baseline rollback 2026-11-20T03-00-00  # after a bad week',
  ],
  run: async ([name, what, ...more], options) => {
    const action = Object.hasOwn(ACTIONS, name ?? '') ? ACTIONS[name] : undefined;
    if (action === undefined || more.length > 0 || action.wants !== (what !== undefined)) {
      throw new UserError('Say what to do: nametap baseline show KEY, list, snapshot, snapshots or rollback SNAPSHOT.');
    }
    return withApi(options, async (api) => {
      await action.run(api, what ?? '', options);
      return EXIT.ok;
    });
  },
};

async function show(api: ApiClient, key: string, { json }: OptionValues): Promise<void> {
  const { rows } = (await (await api.get(`${ROOT}/usual`, { key })).json()) as UsualAnswer;
  if (json === true) print(`${JSON.stringify(rows, undefined, 2)}\n`);
  else print(rows.map(usualText).join('\n'));
}

function usualText(usual: UsualAnswer['rows'][number]): string {
  const { key, kind, words, latency, shares, lists } = usual;
  let text = `${plainText(key)}, as ${kind === 'whole' ? 'all traffic' : kind}\n`;
  for (const sentence of words) text += `  ${plainText(sentence)}\n`;
  if (latency !== null) {
    const { n: _, ...numbers } = latency;
    const names = Object.keys(numbers);
    text += `\n${tableText(['ms', ...names], [['latency', ...Object.values(numbers).map((one) => numberText(Number(one.toPrecision(3))))]])}`;
  }
  if (shares.length > 0) {
    text += `\n${tableText(
      ['outcome', 'share'],
      shares.map(({ name, share }) => [name, percentText(share)]),
    )}`;
  }
  for (const { title, rows } of lists) {
    text += `\n${tableText(
      [title, 'share'],
      rows.map((row) => [row.key, percentText(row.share)]),
    )}`;
  }
  return text;
}

async function list(api: ApiClient, _: string, options: OptionValues): Promise<void> {
  const query = { kind: textOption(options, 'kind'), limit: wholeNumber(options, 'limit', 50) };
  const { rows } = (await (await api.get(ROOT, query)).json()) as BaselineList;
  if (options.json === true) print(`${JSON.stringify(rows, undefined, 2)}\n`);
  else if (rows.length === 0) remark('nothing is known yet');
  else {
    const cells = rows.map((row) => [
      row.key,
      numberText(row.samples),
      row.last_seen.slice(0, 19),
      row.warm ? 'yes' : 'not yet',
    ]);
    print(tableText([query.kind ?? 'key', 'samples', 'last seen', 'counts'], cells));
  }
}

async function snapshot(api: ApiClient): Promise<void> {
  const { name, bytes } = (await (await api.change('POST', `${ROOT}/snapshots`)).json()) as Snapshot;
  print(`What is usual is kept as ${name} (${sizeText(bytes)}).\n`);
}

async function snapshots(api: ApiClient, _: string, { json }: OptionValues): Promise<void> {
  const { rows } = (await (await api.get(`${ROOT}/snapshots`)).json()) as Snapshots;
  if (json === true) print(`${JSON.stringify(rows, undefined, 2)}\n`);
  else if (rows.length === 0) remark('there are none yet: one is kept every day');
  else
    print(
      tableText(
        ['snapshot', 'size'],
        rows.map(({ name, bytes }) => [name, sizeText(bytes)]),
      ),
    );
}

async function rollback(api: ApiClient, name: string): Promise<void> {
  await api.change('POST', `${ROOT}/rollback`, { name });
  print(`What was usual at ${name} is what is usual again.\n`);
}
