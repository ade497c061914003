import type { ApiClient, Block, BlockPreview, BlockReport, Blocks, Undone } from '../app/api-client.ts';
import { BLOCK_KINDS } from '../core/block.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { numberText, percentText, spanText } from '../core/figures.ts';
import { spanOf } from '../core/settings.ts';
import { HISTORY, print, tableText, withApi } from './history.ts';
import { textOption } from './options.ts';
import { remark } from './remarks.ts';

const ROOT = '/api/v1/blocks';

type Action = (api: ApiClient, what: string, options: OptionValues) => Promise<void>;

/** What the command does; whether it wants to be told with what. */
const ACTIONS: Readonly<Record<string, { wants: boolean; run: Action }>> = {
  list: { wants: false, run: list },
  add: { wants: true, run: add },
  undo: { wants: true, run: undo },
  flush: { wants: false, run: flush },
  report: { wants: false, run: report },
  resume: { wants: false, run: resume },
};

/** `nametap block`: what is blocked, and what would have been. */
export const block: CommandDefinition = {
  name: 'block',
  summary: 'what is blocked, why and until when; block by hand, end blocks, see what would have been blocked',
  arguments: { name: 'ACTION [WHAT]', summary: 'list, add WHAT, undo WHAT, flush, report or resume', many: true },
  options: [
    { name: 'kind', letter: 'k', value: 'KIND', summary: 'add: what it is', choices: BLOCK_KINDS },
    { name: 'for', value: 'SPAN', summary: 'add: how long, such as 30m or 2d (default: block.for)' },
    { name: 'reason', letter: 'r', value: 'TEXT', summary: 'add: why', default: 'by hand' },
    { name: 'dry-run', summary: 'add: only say what would happen' },
    { name: 'json', summary: 'list, report, add --dry-run: as JSON' },
    ...HISTORY,
  ],
  examples: [
    'nametap block list  # what is blocked now',
    'nametap block add evil.example --for 2h --reason "ticket 4711"  # with everything below it',
    'nametap block add evil.example --dry-run  # by which ways, for how long, what speaks against it',
    'nametap block add 192.0.2.7 --kind client  # lookups of a client',
    'nametap block undo evil.example  # ends it',
    'nametap block flush  # ends all of them at once',
    'nametap block report  # what detectors would have blocked in the last seven days',
  ],
  run: async ([name, what, ...more], options) => {
    const action = Object.hasOwn(ACTIONS, name ?? '') ? ACTIONS[name] : undefined;
    if (action === undefined || more.length > 0 || action.wants !== (what !== undefined)) {
      throw new UserError('Say what to do: nametap block list, add WHAT, undo WHAT, flush, report or resume.');
    }
    return withApi(options, async (api) => {
      await action.run(api, what ?? '', options);
      return EXIT.ok;
    });
  },
};

async function list(api: ApiClient, _: string, { json }: OptionValues): Promise<void> {
  const { rows } = (await (await api.get(ROOT)).json()) as Blocks;
  if (json === true) print(`${JSON.stringify(rows, undefined, 2)}\n`);
  else if (rows.length === 0) remark('nothing is blocked');
  else {
    const cells = rows.map((one) => [one.value, one.kind, shortTime(one.until), one.by, one.reason]);
    print(tableText(['blocked', 'kind', 'until', 'by', 'why'], cells));
  }
}

async function add(api: ApiClient, value: string, options: OptionValues): Promise<void> {
  const span = textOption(options, 'for');
  const ms = span === undefined ? undefined : spanOf(span);
  if (span !== undefined && ms === undefined) throw new UserError(`--for ${span} is no time: write 30m, 2h or 1d.`);
  const isAddress = /^[\d.]+$|:/.test(value);
  const kind = textOption(options, 'kind') ?? (isAddress ? 'address' : 'domain');
  const wanted = { kind, value, ...(ms !== undefined && { seconds: Math.round(ms / 1000) }) };
  if (options['dry-run'] === true) {
    await preview(api, wanted, options);
    return;
  }
  const reason = textOption(options, 'reason') ?? 'by hand';
  const made = await api.change('POST', ROOT, { ...wanted, reason });
  const { value: blocked, until } = (await made.json()) as Block;
  print(`${blocked} is blocked until ${shortTime(until)}.\n`);
}

async function preview(
  api: ApiClient,
  { kind, value, seconds }: { kind: string; value: string; seconds?: number },
  { json }: OptionValues,
): Promise<void> {
  const query = new URLSearchParams({ kind, value, ...(seconds !== undefined && { seconds: String(seconds) }) });
  const answer = (await (await api.get(`${ROOT}/preview?${query}`)).json()) as BlockPreview;
  if (json === true) {
    print(`${JSON.stringify(answer, undefined, 2)}\n`);
    return;
  }
  const { refused, block: held, actions, doubts } = answer;
  if (refused !== null) {
    print(`${answer.value} would not be blocked: ${refused}\n`);
    return;
  }
  const ways = actions.map(({ name, error }) => (error === null ? name : `${name} (${error})`));
  const by = ways.length === 0 ? 'by nothing: no way to block it is set up (block.actions)' : `by ${ways.join(', ')}`;
  print(`${answer.value} would be blocked for ${spanText(answer.seconds)} ${by}.\n`);
  if (held !== null) remark(`it is blocked already, until ${shortTime(held.until)} by ${held.by}`);
  for (const { rule, why } of doubts) remark(`a detector would not (${rule.replaceAll('_', ' ')}): ${why}`);
}

async function undo(api: ApiClient, what: string): Promise<void> {
  await api.change('DELETE', `${ROOT}/${encodeURIComponent(what)}`);
  print(`${what} is not blocked any more.\n`);
}

async function flush(api: ApiClient): Promise<void> {
  const { ended } = (await (await api.change('DELETE', ROOT)).json()) as Undone;
  print(`${numberText(ended)} ${ended === 1 ? 'block has' : 'blocks have'} ended.\n`);
}

async function report(api: ApiClient, _: string, { json }: OptionValues): Promise<void> {
  const value = (await (await api.get(`${ROOT}/report`)).json()) as BlockReport;
  if (json === true) {
    print(`${JSON.stringify(value, undefined, 2)}\n`);
    return;
  }
  const { decisions, actions, enforcing, breaker, overflow } = value;
  if (actions.length === 0) remark('no way to block is set up (block.actions)');
  if (enforcing.length === 0) remark('no detector may block (enforce is off): this is what they would have done');
  else remark(`these detectors may block: ${enforcing.join(', ')}`);
  if (breaker !== null) remark(`nothing is blocked automatically: ${breaker} nametap block resume`);
  if (overflow > 0) remark(`${numberText(overflow)} proposals were not looked at: too many at once`);
  for (const { name, applied, wanted, error } of actions) {
    remark(`${name}: ${numberText(applied)} of ${numberText(wanted)} blocks${error === null ? '' : `; ${error}`}`);
  }
  if (decisions.length === 0) {
    remark('nothing was proposed in the last seven days');
    return;
  }
  remark(precisionText(decisions));
  const cells = decisions.map((one) => [
    one.value,
    one.kind,
    one.outcome.replaceAll('_', ' '),
    numberText(one.count),
    one.clients === null ? '–' : numberText(one.clients),
    shortTime(one.last),
    one.detectors.join(' '),
    one.why,
  ]);
  print(tableText(['what', 'kind', 'outcome', 'times', 'clients', 'last', 'detectors', 'why'], cells));
}

/** How often blocking was right, or would have been, as far as somebody has looked. */
function precisionText(decisions: BlockReport['decisions']): string {
  const count = (outcome: string) => decisions.filter((one) => one.outcome === outcome).length;
  const [done, would, wrong] = [count('blocked'), count('would_block'), count('false_positive')];
  const all = done + would + wrong;
  const share = all === 0 ? '' : `, precision ${percentText((all - wrong) / all)}`;
  const parts = [`${numberText(done)} blocked`, `${numberText(would)} would have been`];
  return `in the last seven days ${parts.join(', ')}; ${numberText(wrong)} false positives${share}`;
}

async function resume(api: ApiClient): Promise<void> {
  await api.change('POST', `${ROOT}/resume`);
  print('Detectors may block again.\n');
}

function shortTime(text: string): string {
  return `${text.slice(0, 19).replace('T', ' ')}Z`;
}
