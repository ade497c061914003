/** What completion knows of a field of the filter language. */
export interface FieldInfo {
  name: string;
  title: string;
  /** How its values compare: `name`, `uint`, `ipv4`, `bool` … */
  kind: string;
  /** History can be asked for it. */
  stored: boolean;
  values: readonly { number: number; text: string; also: string }[];
}
export interface Item {
  /** Goes in place of what is typed. */
  insert: string;
  label: string;
  detail: string;
  kind: 'field' | 'operator' | 'value';
  /** It cannot be used here; `detail` says why. */
  off?: boolean;
}
export interface Completion {
  /** The piece of the text that an item replaces. */
  from: number;
  to: number;
  items: Item[];
}

const MOST_ITEMS = 50;
/** What people filter by most; these come first. */
const COMMON = [
  'dns.qry.name',
  'dns.qry.type',
  'dns.flags.rcode',
  'ip.src',
  'ip.dst',
  'ip.addr',
  'dns.time',
  'dns.a',
  'dns.cname',
  'dns.flags.truncated',
  'dns.response_missing',
  'dns.retransmission',
  'dns.qry.name.len',
  'dns.resp.ttl',
  'dns.txt',
  'ipv6.src',
  'ipv6.dst',
  'udp.srcport',
  'dns.id',
];
const JOINS: readonly Item[] = [
  { insert: 'and', label: 'and', detail: 'both have to hold', kind: 'operator' },
  { insert: 'or', label: 'or', detail: 'one is enough', kind: 'operator' },
];
const OPERATORS: Readonly<Record<string, string>> = {
  '==': 'equals',
  '!=': 'differs from all values',
  contains: 'holds this text',
  matches: 'regular expression',
  in: 'one of a set, {a, b} or {1..9}',
  '>': 'above',
  '>=': 'at least',
  '<': 'below',
  '<=': 'at most',
};
const OF_TEXT = ['==', 'contains', 'matches', '!=', 'in'];
const OF_NUMBER = ['==', '!=', '>', '>=', '<', '<=', 'in'];
const OF_ADDRESS = ['==', '!=', 'in'];

/** What may stand in a filter without quotes. */
const MNEMONIC = /^[\p{L}\p{N}_-]+$/u;
const WORD = /^[\p{L}\p{N}_.:/-]+$/u;
const TOKEN =
  /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|&&|\|\||\^\^|===|!==|==|!=|>=|<=|~=|\.\.|[\p{L}\p{N}_:/-]+(?:\.[\p{L}\p{N}_:/-]*)*|\s+|./gsu;
const STARTS = /^(?:and|or|not|xor|&&|\|\||\^\^|!|\(|any|all)$/;
const COMPARES = /^(?:==|!=|===|!==|>|>=|<|<=|eq|ne|gt|ge|lt|le|contains|matches|~|any_eq|all_ne)$/;

/** What may stand at the caret, best first; undefined within a string, or where nothing is known. */
export function complete(text: string, caret: number, fields: readonly FieldInfo[]): Completion | undefined {
  const before: { text: string; at: number }[] = [];
  for (const { 0: token, index } of text.slice(0, caret).matchAll(TOKEN)) {
    if (token.trim() !== '') before.push({ text: token, at: index });
  }
  const last = before.at(-1);
  const touching = last !== undefined && last.at + last.text.length === caret;
  if (last !== undefined && touching && /^["']/.test(last.text)) return undefined;
  const typing = last !== undefined && touching && WORD.test(last.text) ? last : undefined;
  if (typing !== undefined) before.pop();
  const typed = typing?.text ?? '';
  const from = typing?.at ?? caret;
  // What is left of the word behind the caret goes too.
  const to = caret + (/^[\p{L}\p{N}_.:/-]*/u.exec(text.slice(caret))?.[0].length ?? 0);
  const items = itemsFor(
    before.map((token) => token.text),
    typed,
    fields,
  );
  return items.length === 0 ? undefined : { from, to, items: items.slice(0, MOST_ITEMS) };
}

function itemsFor(before: readonly string[], typed: string, fields: readonly FieldInfo[]): Item[] {
  const last = before.at(-1);
  if (last === undefined || STARTS.test(last)) return fieldItems(typed, fields);
  const field = (name: string | undefined): FieldInfo | undefined => fields.find((one) => one.name === name);
  if (COMPARES.test(last)) return valueItems(field(before.at(-2)), typed);
  if (last === '{' || last === ',') {
    const open = before.lastIndexOf('{');
    return open < 0 ? [] : valueItems(field(before[open - 2]), typed);
  }
  const known = field(last);
  const operators = known === undefined ? [] : operatorItems(known);
  return [...operators, ...JOINS].filter(({ insert }) => insert.startsWith(typed) && insert !== typed);
}

function operatorItems({ kind }: FieldInfo): Item[] {
  if (kind === 'protocol') return [];
  const list =
    kind === 'name' || kind === 'text' || kind === 'bytes'
      ? OF_TEXT
      : /^ip|ether|eui/.test(kind)
        ? OF_ADDRESS
        : kind === 'bool'
          ? ['==']
          : OF_NUMBER;
  return list.map((insert) => ({ insert, label: insert, detail: OPERATORS[insert], kind: 'operator' }));
}

function valueItems(field: FieldInfo | undefined, typed: string): Item[] {
  if (field === undefined) return [];
  if (field.kind === 'bool') {
    return [
      { insert: '1', label: '1', detail: 'true', kind: 'value' },
      { insert: '0', label: '0', detail: 'false', kind: 'value' },
    ];
  }
  const wanted = typed.toLowerCase();
  return field.values
    .filter(({ number, text, also }) =>
      [text, also, String(number)].some((one) => one.toLowerCase().startsWith(wanted)),
    )
    .map(({ number, text, also }) => ({
      insert: MNEMONIC.test(text) ? text : String(number),
      label: text,
      detail: also === '' || also === text ? String(number) : `${also} · ${number}`,
      kind: 'value',
    }));
}

function fieldItems(typed: string, fields: readonly FieldInfo[]): Item[] {
  const wanted = typed.toLowerCase();
  const scored: { field: FieldInfo; score: number }[] = [];
  for (const field of fields) {
    const score = scoreOf(field, wanted);
    if (score > 0) scored.push({ field, score });
  }
  scored.sort(
    (a, b) => b.score - a.score || a.field.name.length - b.field.name.length || (a.field.name < b.field.name ? -1 : 1),
  );
  return scored.slice(0, MOST_ITEMS).map(({ field: { name, title, stored } }) => ({
    insert: name,
    label: name,
    detail: stored ? title : `${title} (only where packets are read)`,
    kind: 'field',
    ...(!stored && { off: true }),
  }));
}

/** 0 = does not fit. Names that begin so, then parts that do, then titles with the word. */
function scoreOf({ name, title, stored }: FieldInfo, wanted: string): number {
  const common = COMMON.indexOf(name);
  const rank = common < 0 ? 0 : (COMMON.length - common) / COMMON.length;
  const penalty = stored ? 0 : 0.5;
  if (wanted === '') return rank;
  if (name === wanted) return 9;
  if (name.startsWith(wanted)) return 4 + rank - penalty;
  if (name.includes(`.${wanted}`)) return 3 + rank - penalty;
  if (name.includes(wanted)) return 2 + rank - penalty;
  return wanted.length > 2 && title.toLowerCase().includes(wanted) ? 1 + rank - penalty : 0;
}
