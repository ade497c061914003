import type { Finding, Measure, Raise } from '../core/alert.ts';
import { numberText, spanText } from '../core/figures.ts';
import { group } from '../core/settings.ts';
import { Bounded } from '../detect/bounded.ts';
import { type Detector, detector, type DetectorDefinition } from '../detect/detector.ts';
import type { Observation } from '../detect/observation.ts';
import { Witnesses } from '../detect/witnesses.ts';
import { type Marked, markDetector } from './marks.ts';
import { RowFields, RowMessages } from './row-fields.ts';
import type { Rule } from './rule.ts';
import type { Comparison } from './when.ts';
import { type Contribution, Window } from './window.ts';

/** Keys that a rule counts for at a time. */
const MOST_KEYS = 10_000;

interface Keyed {
  window: Window;
  witnesses: Witnesses;
  client: string;
  server: string;
  domain: string | undefined;
  sole: { client: boolean; server: boolean };
}

/** The name under which a rule's alerts go. */
export function ruleId(name: string): string {
  return `RULE ${name}`;
}

/** Everything that rules make of traffic, as detectors: alerts of those with a condition, marks of those without. */
export function ruleDetectors(rules: readonly Rule[], marked: Marked): DetectorDefinition[] {
  const messages = new RowMessages();
  const marks = markDetector(rules, marked, messages);
  const counting = rules.filter(({ when }) => when !== undefined).map((rule) => ruleDetector(rule, messages));
  return marks === undefined ? counting : [marks, ...counting];
}

/** A detector that runs a rule with a condition. `messages` are shared by all rules. */
function ruleDetector(rule: Rule, messages: RowMessages): DetectorDefinition {
  return detector({
    id: ruleId(rule.name),
    title: rule.name,
    summary: rule.text || `A rule of the operator's: ${rule.filter || 'every transaction'}, ${rule.when?.text ?? ''}.`,
    attack: rule.attack,
    rows: 'all',
    settings: group('None.', {}),
    create: () => new RuleDetector(rule, messages),
  });
}

class RuleDetector implements Detector, Contribution {
  readonly #rule: Rule;
  readonly #row: RowFields;
  readonly #keys = new Bounded<string, Keyed>(MOST_KEYS);
  readonly #comparisons: readonly Comparison[];
  /** Conditions that also hold where nothing comes. */
  readonly #watchesSilence: boolean;
  #seen: Observation | undefined;
  #tick = 0;

  constructor(rule: Rule, messages: RowMessages) {
    this.#rule = rule;
    this.#row = new RowFields(rule.filter, messages);
    this.#comparisons = rule.inputs.map(({ comparison }) => comparison);
    this.#watchesSilence = this.#comparisons.some(({ operator }) => operator !== '>' && operator !== '>=');
  }

  inspect(seen: Observation, raise: Raise): void {
    if (!this.#row.passes(seen)) return;
    const parts = this.#rule.keys.map((part) => part(seen, this.#row));
    if (parts.includes(undefined)) return;
    const key = parts.join(' ');
    this.#seen = seen;
    const client = seen.client.text;
    const server = seen.server.text;
    const keyed = this.#keys.take(key, () => ({
      window: new Window(this.#comparisons, this.#rule.over, seen.time),
      witnesses: new Witnesses(),
      client,
      server,
      domain: seen.domain?.text,
      sole: { client: true, server: true },
    }));
    if (keyed.client !== client) keyed.sole.client = false;
    if (keyed.server !== server) keyed.sole.server = false;
    keyed.window.add(seen.time, this);
    keyed.witnesses.forget(seen.time - this.#rule.over);
    keyed.witnesses.note(seen);
    this.#judge(key, keyed, seen.time, raise, seen);
  }

  tick(time: number, raise: Raise): void {
    if (!this.#watchesSilence || time - this.#tick < this.#rule.over / 10) return;
    this.#tick = time;
    for (const [key, keyed] of this.#keys) {
      keyed.window.advance(time);
      // A key that has been silent for long is nobody's any more.
      if (time - keyed.window.lastSeen > 10 * this.#rule.over) this.#keys.delete(key);
      else if (time - keyed.window.began >= this.#rule.over) this.#judge(key, keyed, time, raise);
    }
  }

  hit(i: number): boolean {
    const { filter } = this.#rule.inputs[i];
    return filter !== undefined && this.#seen !== undefined && this.#row.holds(filter, this.#seen);
  }

  texts(i: number): readonly string[] {
    const { field } = this.#rule.inputs[i];
    return field === undefined ? [] : this.#row.values(field);
  }

  numbers(i: number): readonly number[] {
    return this.texts(i)
      .map(Number)
      .filter((value) => Number.isFinite(value));
  }

  #judge(key: string, keyed: Keyed, time: number, raise: Raise, seen?: Observation): void {
    const { window } = keyed;
    const rule = this.#rule;
    // Said once a window at most: the incident goes on as long as it is.
    if (rule.when === undefined || time - window.raisedAt < rule.over) return;
    let i = 0;
    let found: Measure[] | undefined;
    for (const all of rule.when.any) {
      const measures = all.map((comparison, k) => this.#measure(comparison, i + k, window, time));
      i += all.length;
      if (measures.every((one) => one !== undefined)) found ??= measures;
    }
    if (found === undefined) return;
    window.raisedAt = time;
    raise(this.#finding(key, keyed, time, found, seen));
  }

  /** The measure that makes a comparison hold; undefined where it does not. */
  #measure(comparison: Comparison, i: number, window: Window, time: number): Measure | undefined {
    const value = window.value(i);
    if (value === null) return undefined;
    const { operator, value: limit, aggregate, argument } = comparison;
    const name = argument === '' ? aggregate : `${aggregate}(${argument})`;
    const unit = aggregate === 'rate' ? '1/s' : '';
    if (operator !== 'changed') {
      // What there is too little of is known once the window is over.
      if ((operator === '<' || operator === '<=') && time - window.began < this.#rule.over) return undefined;
      return holds(value, operator, limit) ? { name, value, unit, threshold: limit } : undefined;
    }
    const usual = window.usual(i);
    if (usual === undefined || Math.abs(value - usual.centre) < limit * usual.spread) return undefined;
    return { name, value, unit, usual };
  }

  #finding(key: string, keyed: Keyed, time: number, measures: Measure[], seen?: Observation): Finding {
    const { name, severity, over, attack, text, per, when } = this.#rule;
    const what = measures.map(
      (one) => `${one.name} is ${numberText(one.value)}${one.unit === '' ? '' : ` ${one.unit}`}`,
    );
    const about = key === '' ? 'all traffic' : key;
    const isAbout = (word: string) => per.includes(word);
    return {
      detector: ruleId(name),
      key,
      severity,
      score: 0.7,
      confidence: 0.7,
      time,
      firstSeen: Math.max(keyed.window.began, time - over),
      lastSeen: keyed.window.lastSeen,
      count: keyed.window.count,
      subject: about,
      ...((keyed.sole.client || isAbout('client')) && { client: keyed.client }),
      ...((keyed.sole.server || isAbout('server')) && { server: keyed.server }),
      ...(keyed.domain !== undefined && isAbout('domain') && { domain: keyed.domain }),
      title: `${name}: ${about}`,
      text: `${text === '' ? '' : `${text} `}Over ${spanText(over)}, ${what.join(' and ')}; the rule is ${when?.text ?? ''}.`,
      measures,
      evidence: keyed.witnesses.with(seen),
      attack,
    };
  }
}

function holds(value: number, operator: Comparison['operator'], limit: number): boolean {
  if (operator === '>=') return value >= limit;
  if (operator === '>') return value > limit;
  if (operator === '<=') return value <= limit;
  if (operator === '<') return value < limit;
  return value === limit;
}
