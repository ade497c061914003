import type { Alert, AlertAction, AlertDetail, Alerts, ApiClient } from '../app/api-client.ts';
import type { CommandDefinition, OptionValues } from '../core/definition.ts';
import { SEVERITIES } from '../core/alert.ts';
import { EXIT, UserError } from '../core/errors.ts';
import { numberText } from '../core/figures.ts';
import { spanOf } from '../core/settings.ts';
import { HISTORY, print, tableText, withApi } from './history.ts';
import { textOption, wholeNumber } from './options.ts';
import { remark } from './remarks.ts';

const ROOT = '/api/v1/alerts';
const STATES = ['open', 'acknowledged', 'muted', 'closed', 'false_positive', 'all'];

/** What is done with one alert, by the word of the command. */
const ACTIONS: Readonly<Record<string, (options: OptionValues, text: string) => AlertAction>> = {
  ack: () => ({ action: 'acknowledge' }),
  assign: (_, to) => ({ action: 'assign', to: to === '' ? null : to }),
  note: (_, text) => ({ action: 'note', text }),
  mute: muteOf,
  'false-positive': (_, reason) => ({ action: 'false_positive', reason }),
  close: (_, text) => ({ action: 'close', ...(text !== '' && { text }) }),
  reopen: () => ({ action: 'reopen' }),
  undo: () => ({ action: 'undo' }),
};
const DONE: Readonly<Record<string, string>> = {
  ack: 'acknowledged',
  assign: 'assigned',
  note: 'noted',
  mute: 'muted',
  'false-positive': 'a false positive',
  close: 'closed',
  reopen: 'open again',
  undo: 'as it was before',
};

/** `nametap alerts`: the inbox on the command line. */
export const alerts: CommandDefinition = {
  name: 'alerts',
  summary: 'what was noticed: list and show alerts, acknowledge, mute, close them',
  arguments: {
    name: 'ACTION [ALERT] [TEXT]',
    summary: 'list, show, ack, assign, note, mute, false-positive, close, reopen, undo; an id may be shortened',
    many: true,
  },
  options: [
    { name: 'state', letter: 's', value: 'STATE', summary: 'list: only these', choices: STATES, default: 'open' },
    { name: 'severity', value: 'SEVERITY', summary: 'list: the least severity', choices: [...SEVERITIES] },
    { name: 'detector', value: 'ID', summary: 'list: only of this detector' },
    { name: 'limit', letter: 'c', value: 'N', summary: 'list: at most so many', default: '50' },
    { name: 'for', value: 'SPAN', summary: 'mute: how long, such as 8h or 7d (default: until it is undone)' },
    {
      name: 'scope',
      value: 'SCOPE',
      summary: 'mute: what is silenced',
      choices: ['key', 'detector', 'client', 'domain'],
      default: 'key',
    },
    { name: 'json', summary: 'list, show: as JSON' },
    ...HISTORY,
  ],
  examples: [
    'nametap alerts list  # what nobody has looked at yet',
    'nametap alerts list --severity high --state all',
    'nametap alerts show 4a2b3244  # why, with the transactions that show it',
    'nametap alerts ack 4a2b3244',
    'nametap alerts mute 4a2b3244 --for 8h --scope domain "known backup"',
    'nametap alerts note 4a2b3244 "asked the owner"',
    'nametap alerts close 4a2b3244',
    'nametap alerts undo 4a2b3244  # takes the last step back',
  ],
  run: async ([name = 'list', id, ...words], options) => {
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    const isPlain = name === 'list' ? id === undefined : id !== undefined;
    if ((action === undefined && name !== 'list' && name !== 'show') || !isPlain) {
      throw new UserError(
        `Say what to do: nametap alerts list, or show, ${Object.keys(ACTIONS).join(', ')} with an id.`,
      );
    }
    return withApi(options, async (api) => {
      if (name === 'list') await list(api, options);
      else if (action === undefined) await show(api, await wholeId(api, id ?? ''), options);
      else await act(api, await wholeId(api, id ?? ''), name, action(options, words.join(' ')));
      return EXIT.ok;
    });
  },
};

function muteOf(options: OptionValues, text: string): AlertAction {
  const span = textOption(options, 'for');
  const ms = span === undefined ? undefined : spanOf(span);
  if (span !== undefined && ms === undefined) throw new UserError(`--for ${span} is no time: write 30m, 8h or 7d.`);
  const scope = textOption(options, 'scope') ?? 'key';
  return {
    action: 'mute',
    // One of the choices of the option.
    scope: scope as 'key',
    ...(ms !== undefined && { seconds: Math.max(1, Math.round(ms / 1000)) }),
    ...(text !== '' && { text }),
  };
}

async function list(api: ApiClient, options: OptionValues): Promise<void> {
  const state = textOption(options, 'state');
  const limit = wholeNumber(options, 'limit', 50);
  const response = await api.get(ROOT, {
    state: state === 'all' ? undefined : state,
    severity: textOption(options, 'severity'),
    detector: textOption(options, 'detector'),
    limit: Math.min(1000, Math.max(1, limit)),
  });
  const { rows, next } = (await response.json()) as Alerts;
  if (options.json === true) return print(`${JSON.stringify(rows, undefined, 2)}\n`);
  if (rows.length === 0) return remark(state === 'open' ? 'nothing wants to be looked at' : 'there are none');
  const cells = rows.map((one) => [
    shortId(one),
    shortTime(one.time),
    one.severity,
    stateText(one),
    one.detector,
    one.title,
  ]);
  print(tableText(['id', 'raised', 'severity', 'state', 'detector', 'what'], cells));
  if (next !== null) remark(`these are the newest ${numberText(rows.length)}; there are more (--limit)`);
}

async function show(api: ApiClient, id: string, { json }: OptionValues): Promise<void> {
  const detail = (await (await api.get(`${ROOT}/${id}`)).json()) as AlertDetail;
  if (json === true) return print(`${JSON.stringify(detail, undefined, 2)}\n`);
  const { alert, cause, explained } = detail;
  const facts = [
    ['severity', `${alert.severity}, confidence ${Math.round(100 * alert.confidence)} %`],
    ['state', [stateText(alert), alert.assignee, alert.reason].filter((one) => one !== null).join(', ')],
    ['detector', [alert.detector, ...alert.attack].join(' ')],
    ['about', [alert.client, alert.server, alert.domain].filter((one) => one !== null).join(' · ')],
    [
      'seen',
      `${shortTime(alert.first_seen)} to ${shortTime(alert.last_seen)}, ${numberText(alert.count)} transactions`,
    ],
    ...alert.measures.map((one) => ['measure', measureText(one)]),
    ...(alert.proposal === null ? [] : [['suggestion', alert.proposal.text]]),
    ...(cause === null ? [] : [['explained by', `${cause.id} ${cause.title}`]]),
    ...explained.map((one) => ['explains', `${one.id} ${one.title}`]),
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  print(`${alert.id}  ${alert.title}\n\n${alert.text}\n\n`);
  print(facts.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join(''));
  const evidence = alert.evidence.map((one) => [
    one.transaction,
    shortTime(one.time),
    one.client,
    one.server,
    `${one.name ?? ''} ${one.type ?? ''}`.trim(),
    one.note ?? '',
  ]);
  if (evidence.length > 0)
    print(`\n${tableText(['transaction', 'time', 'client', 'server', 'question', 'note'], evidence)}`);
  const steps = alert.journal.map((one) => [
    shortTime(one.time),
    one.by,
    one.undone ? `${one.action} (undone)` : one.action,
    one.text ?? '',
  ]);
  print(`\n${tableText(['when', 'who', 'what', 'text'], steps)}`);
}

function measureText({ name, value, unit, threshold, usual, rank }: Alert['measures'][number]): string {
  const of = (number: number) => `${numberText(number)}${unit === '' ? '' : ` ${unit}`}`;
  const parts = [`${name} ${of(value)}`];
  if (threshold !== undefined) parts.push(`limit ${of(threshold)}`);
  if (usual !== undefined) parts.push(`usual ${of(usual.centre)} ± ${of(usual.spread)} of ${numberText(usual.n)}`);
  if (rank !== undefined) parts.push(`p${(100 * rank).toFixed(2)}`);
  return parts.join(', ');
}

async function act(api: ApiClient, id: string, name: string, action: AlertAction): Promise<void> {
  const response = await api.change('POST', `${ROOT}/${id}`, action);
  const alert = (await response.json()) as Alert;
  print(`${id} is ${DONE[name]}: ${alert.title}\n`);
}

/** Ids may be shortened as far as they tell alerts apart. Throws UserError. */
async function wholeId(api: ApiClient, written: string): Promise<string> {
  if (/^[0-9a-f]{16}$/.test(written)) return written;
  if (!/^[0-9a-f]{4,15}$/.test(written))
    throw new UserError(`"${written}" is no id of an alert. See nametap alerts list.`);
  const { rows } = (await (await api.get(ROOT, { limit: 1000, explained: '1' })).json()) as Alerts;
  const found = rows.filter(({ id }) => id.startsWith(written));
  if (found.length === 1) return found[0].id;
  throw new UserError(
    found.length === 0
      ? `There is no alert ${written}.`
      : `${found.length} alerts begin with ${written}: write more of it.`,
  );
}

function shortId({ id }: Alert): string {
  return id.slice(0, 8);
}

function shortTime(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

function stateText({ state, active }: Pick<Alert, 'state' | 'active'>): string {
  return `${state.replace('_', ' ')}${active ? '' : ', over'}`;
}
