import { readFileSync } from 'node:fs';
import { isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { SEVERITIES } from '../core/alert.ts';
import { EXIT, type ExitCode, reasonOf, UserError } from '../core/errors.ts';
import type { DetectorDefinition } from '../detect/detector.ts';
import { nearest } from '../filter/nearest.ts';
import { type Rule, ruleOf, type RuleText } from '../rules/rule.ts';
import type { Marked } from '../rules/marks.ts';
import { ruleDetectors } from '../rules/rule-detector.ts';
import { isSigma, sigmaRule } from '../rules/sigma.ts';

const KEYS = ['name', 'filter', 'per', 'over', 'when', 'severity', 'text', 'attack'] as const;
const MOST_RULES = 1000;
const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, min: 60, h: 3600, d: 86_400 };

/**
 * Rules of a YAML file: a list of rules, a map with `rules:`, or Sigma rules of category dns (one or more documents).
 * Throws UserError with file, line and column of the first mistake.
 */
export function readRules(path: string): Rule[] {
  return parseRules(textOfFile(path), path);
}

function textOfFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`The rules ${path} cannot be read: ${reasonOf(error)}.`, EXIT.file);
  }
}

/** What is in files of rules: with the same text they are the same rules. Throws UserError. */
export function rulesTextOf(paths: readonly string[]): string {
  return paths.map((path) => `${path}\n${textOfFile(path)}`).join('\n');
}

/** The rules of files as detectors; `marked` is told of transactions that pass rules without a condition. Throws UserError. */
export function detectorsOf(paths: readonly string[], marked: Marked): DetectorDefinition[] {
  return ruleDetectors(paths.flatMap(readRules), marked);
}

/** Rules from text; `path` for messages. */
export function parseRules(text: string, path: string): Rule[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines });
  const rules: Rule[] = [];
  for (const document of Array.isArray(documents) ? documents : []) {
    const [error] = document.errors;
    if (error !== undefined) throw fault(path, lines, error.pos[0], error.message.split('\n')[0].replace(/\.?$/, '.'));
    for (const node of ruleNodes(document.contents)) {
      rules.push(readRule(node, path, lines));
      if (rules.length > MOST_RULES) throw new UserError(`${path} has more than ${MOST_RULES} rules. Use fewer.`);
    }
  }
  const names = new Set<string>();
  for (const { name } of rules) {
    if (names.has(name)) throw new UserError(`${path} has two rules called '${name}'. Give each a name of its own.`);
    names.add(name);
  }
  return rules;
}

function ruleNodes(contents: unknown): Node[] {
  if (isMap(contents)) {
    const list = contents.get('rules', true);
    if (isSeq(list)) return list.items as Node[];
    return [contents];
  }
  if (isSeq(contents)) return contents.items as Node[];
  // Nothing is no rules; a text that is no list is a mistake.
  return isNode(contents) ? [contents] : [];
}

function readRule(node: Node, path: string, lines: LineCounter): Rule {
  const at = node.range?.[0] ?? 0;
  if (!isMap(node)) throw fault(path, lines, at, 'A rule is a map: name: …, filter: ….');
  const value = node.toJSON() as Record<string, unknown>;
  try {
    if (isSigma(value)) return ruleOf(sigmaRule(value));
    for (const item of node.items) {
      const key = isScalar(item.key) ? String(item.key.value) : '';
      if (KEYS.some((one) => one === key)) continue;
      const meant = nearest(key, KEYS);
      const keyAt = isScalar(item.key) ? (item.key.range?.[0] ?? at) : at;
      throw fault(
        path,
        lines,
        keyAt,
        `'${key}' is no key of a rule.${meant === undefined ? '' : ` Did you mean ${meant}?`}`,
      );
    }
    return ruleOf(textOf(value));
  } catch (error) {
    if (!(error instanceof UserError) || error.message.startsWith(`${path}:`)) throw error;
    throw fault(path, lines, at, error.message, error.exit);
  }
}

/** A map of a rule as its parts. Throws UserError. */
function textOf(value: Record<string, unknown>): RuleText {
  const word = (key: string, otherwise = ''): string => {
    const one = value[key] ?? otherwise;
    if (typeof one === 'string' || typeof one === 'number') return String(one);
    throw new UserError(`'${key}' is a text.`);
  };
  const list = (key: string): string[] => {
    const one = value[key];
    const all: unknown[] = Array.isArray(one) ? one : word(key).split(',');
    return all.map((part) => String(part).trim()).filter((part) => part !== '');
  };
  const when = value.when === undefined ? undefined : word('when');
  const severity = SEVERITIES.find((one) => one === word('severity', 'medium'));
  if (severity === undefined) throw new UserError(`'${word('severity')}' is no severity: ${SEVERITIES.join(', ')}.`);
  return {
    name: word('name'),
    filter: word('filter'),
    per: list('per'),
    over: value.over === undefined ? undefined : seconds(word('over')),
    when,
    severity,
    text: word('text'),
    attack: list('attack'),
  };
}

function seconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)?$/.exec(text.trim());
  if (match === null) throw new UserError(`'${text}' is no span. Write one such as 30s, 5m or 1h.`);
  return Number(match[1]) * UNITS[match[2] ?? 's'];
}

function fault(path: string, lines: LineCounter, at: number, reason: string, exit?: ExitCode): UserError {
  const { line, col } = lines.linePos(at);
  return new UserError(`${path}:${line}:${col}: ${reason}`, exit);
}
