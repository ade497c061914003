import { SEVERITIES, type Severity } from '../core/alert.ts';
import { UserError } from '../core/errors.ts';
import type { RuleText } from './rule.ts';

/**
 * Sigma rules of category `dns` (SigmaHQ specification, "Log sources" and "Value modifiers"): selections of names, types
 * and answers with contains, startswith, endswith, re and all, joined by a condition. What counts is not there: Sigma's
 * correlations are rules of nametap's own form.
 */
export function isSigma(value: Readonly<Record<string, unknown>>): boolean {
  return isRecord(value.logsource) && isRecord(value.detection);
}

/** Fields of Sigma's DNS category and of the products that have it. */
const FIELDS: Readonly<Record<string, string>> = {
  query: 'dns.qry.name',
  queryname: 'dns.qry.name',
  'dns.question.name': 'dns.qry.name',
  record_type: 'dns.qry.type',
  qtype_name: 'dns.qry.type',
  answer: 'dns.txt',
  answers: 'dns.txt',
  queryresults: 'dns.txt',
  src_ip: 'ip.src',
  'id.orig_h': 'ip.src',
  dst_ip: 'ip.dst',
  'id.resp_h': 'ip.dst',
};
const LEVELS: Readonly<Record<string, Severity>> = { informational: 'low' };
const MOST_DEPTH = 32;

/** A Sigma rule as a rule of nametap's: it is raised whenever it is met, once an hour for a client. Throws UserError. */
export function sigmaRule(value: Readonly<Record<string, unknown>>): RuleText {
  const source = value.logsource as Record<string, unknown>;
  if (source.category !== 'dns' && source.category !== 'dns_query' && source.service !== 'dns') {
    throw new UserError('Of Sigma only rules with category: dns are understood.');
  }
  const detection = value.detection as Record<string, unknown>;
  const level = typeof value.level === 'string' ? value.level : 'medium';
  const tags = Array.isArray(value.tags) ? value.tags.map(String) : [];
  return {
    name: typeof value.title === 'string' ? value.title.slice(0, 80) : '',
    filter: new Condition(detection).filter(),
    per: ['client'],
    over: 3600,
    when: 'count >= 1',
    severity: LEVELS[level] ?? SEVERITIES.find((one) => one === level) ?? 'medium',
    text: typeof value.description === 'string' ? value.description.trim() : '',
    attack: tags.filter((tag) => /^attack\.t\d/.test(tag)).map((tag) => tag.slice('attack.'.length).toUpperCase()),
  };
}

/** `selection and not 1 of filter_*` as a display filter. */
class Condition {
  readonly #detection: Readonly<Record<string, unknown>>;
  readonly #tokens: string[];
  #at = 0;

  constructor(detection: Readonly<Record<string, unknown>>) {
    this.#detection = detection;
    const { condition } = detection;
    if (typeof condition !== 'string' || condition.includes('|')) {
      throw new UserError("The 'condition' of a Sigma rule is one line without '|': selection and not filter.");
    }
    this.#tokens = condition.match(/\(|\)|[^\s()]+/g) ?? [];
  }

  filter(): string {
    const text = this.#or(0);
    if (this.#at < this.#tokens.length) throw this.#unknown();
    return text;
  }

  #or(depth: number): string {
    let text = this.#and(depth);
    while (this.#takes('or')) text = `${text} or ${this.#and(depth)}`;
    return text;
  }

  #and(depth: number): string {
    let text = this.#not(depth);
    while (this.#takes('and')) text = `${text} and ${this.#not(depth)}`;
    return text;
  }

  #not(depth: number): string {
    if (depth > MOST_DEPTH) throw new UserError('The condition of a Sigma rule is nested too deeply.');
    if (this.#takes('not')) return `not ${this.#not(depth + 1)}`;
    if (this.#takes('(')) {
      const inner = this.#or(depth + 1);
      if (!this.#takes(')')) throw this.#unknown();
      return `(${inner})`;
    }
    const first = this.#tokens[this.#at++];
    if (first === undefined) throw this.#unknown();
    if (/^(?:1|any|all)$/i.test(first) && this.#takes('of')) {
      const pattern = this.#tokens[this.#at++] ?? '';
      const names = this.#matching(pattern);
      if (names.length === 0) throw new UserError(`No selection of the Sigma rule is called '${pattern}'.`);
      return `(${names.map((name) => selection(this.#detection[name])).join(first.toLowerCase() === 'all' ? ' and ' : ' or ')})`;
    }
    if (!Object.hasOwn(this.#detection, first) || first === 'condition') {
      throw new UserError(`The condition of the Sigma rule names '${first}', which is no selection.`);
    }
    return selection(this.#detection[first]);
  }

  #matching(pattern: string): string[] {
    const names = Object.keys(this.#detection).filter((name) => name !== 'condition' && name !== 'timeframe');
    if (pattern === 'them') return names;
    const [head, tail = ''] = pattern.split('*');
    return names.filter((name) =>
      pattern.includes('*') ? name.startsWith(head) && name.endsWith(tail) : name === head,
    );
  }

  #takes(word: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== word) return false;
    this.#at++;
    return true;
  }

  #unknown(): UserError {
    return new UserError(
      `The condition of the Sigma rule ends, or goes on, unexpectedly at '${this.#tokens[this.#at] ?? 'its end'}'.`,
    );
  }
}

/** A selection: a map whose keys all hold, or a list of such maps (or keywords) of which one does. */
function selection(value: unknown): string {
  if (Array.isArray(value))
    return `(${value.map((one) => (isRecord(one) ? selection(one) : keyword(one))).join(' or ')})`;
  if (!isRecord(value)) throw new UserError('A selection of a Sigma rule is a map, or a list of maps or words.');
  return `(${Object.entries(value)
    .map(([key, one]) => entry(key, one))
    .join(' and ')})`;
}

function keyword(value: unknown): string {
  return `dns.qry.name contains ${quoted(String(value))}`;
}

function entry(key: string, value: unknown): string {
  const [name, ...modifiers] = key.split('|');
  const field = FIELDS[name.toLowerCase()];
  if (field === undefined) {
    throw new UserError(`'${name}' of a Sigma rule is not known. Known are ${Object.keys(FIELDS).join(', ')}.`);
  }
  const unknown = modifiers.find((one) => !['contains', 'startswith', 'endswith', 're', 'all'].includes(one));
  if (unknown !== undefined) throw new UserError(`The modifier '${unknown}' of a Sigma rule is not understood.`);
  const values = Array.isArray(value) ? value : [value];
  const joined = values.map((one) => test(field, modifiers, String(one)));
  return joined.length === 1 ? joined[0] : `(${joined.join(modifiers.includes('all') ? ' and ' : ' or ')})`;
}

function test(field: string, modifiers: readonly string[], value: string): string {
  if (modifiers.includes('re')) return `${field} matches ${quoted(value)}`;
  if (modifiers.includes('contains') && !/[*?]/.test(value)) return `${field} contains ${quoted(value)}`;
  const isPlain = !/[*?]/.test(value);
  if (isPlain && !modifiers.includes('startswith') && !modifiers.includes('endswith')) {
    return `${field} == ${/^(?:dns\.qry\.type|ip\.)/.test(field) ? value : quoted(value)}`;
  }
  const body = value
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const open = modifiers.includes('contains') || modifiers.includes('endswith') ? '' : '^';
  const close = modifiers.includes('contains') || modifiers.includes('startswith') ? '' : '$';
  return `${field} matches ${quoted(`(?i)${open}${body}${close}`)}`;
}

/** A string of the filter language. */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
