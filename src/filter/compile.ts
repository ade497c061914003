import type { Carrier } from '../core/carrier.ts';
import type { MessageJoin } from '../core/join.ts';
import type { MessageView } from '../wire/message.ts';
import { FilterError } from './errors.ts';
import type { FilterField } from './fields/field.ts';
import { isOfFlow } from './fields/flow.ts';
import { findField, nearestField } from './fields/registry.ts';
import { parseFilter } from './parser.ts';
import type { Context } from './source.ts';
import type { Test } from './syntax.ts';
import { compileTest, type Predicate } from './tests.ts';
import { Subject } from './value.ts';

/** How names compare: `nametap` folds ASCII case (RFC 4343), `wireshark` is exact as the reference dissector. */
export type Compat = 'nametap' | 'wireshark';

/** A display filter ready to run. It never throws. */
export interface Filter {
  readonly text: string;
  /** Says whether a message passes; carrier, view and join belong to it. */
  matches(carrier: Carrier, view: MessageView, join: MessageJoin): boolean;
  /** It asks for the fate of queries (`dns.response_in`, `dns.response_missing`): run it when the transaction closes. */
  readonly needsFate: boolean;
  /** It asks for what a stored transaction does not hold: the frame, its layers, raw octets. */
  readonly needsFrame: boolean;
  /** It asks how messages relate (`dns.time` …): without it, and without rows, no matching is needed. */
  readonly needsJoin: boolean;
  /** It asks for the number or the times of a flow (`udp.stream`), which the dissector follows only on request. */
  readonly needsStreams: boolean;
  /** Names of the fields used, in order of first use. */
  readonly fields: readonly string[];
  /** Remarks for people, one line each: what the filter does that one may not expect. */
  readonly hints: readonly string[];
}

/** Compiles a display filter (Wireshark's language, CONVENTIONS §1). Throws `FilterError`. */
export function compileFilter(text: string, options: { compat?: Compat } = {}): Filter {
  const tree = parseFilter(text);
  const used = new Map<string, FilterField>();
  const context: Context = {
    exact: options.compat === 'wireshark',
    find(name) {
      const field = findField(name.startsWith('.') ? name.slice(1) : name);
      if (field !== undefined) used.set(field.name, field);
      return field;
    },
    error: (reason, { at, end }) => new FilterError(reason, text, at, Math.max(1, end - at)),
    suggest: (operand) => suggestion(operand),
  };
  const test: Predicate = tree === undefined ? () => true : compileTest(tree, context).test;
  const subject = new Subject();
  const fields = [...used.values()];
  return {
    text,
    matches(carrier, view, join) {
      subject.carrier = carrier;
      subject.view = view;
      subject.join = join;
      return test(subject);
    },
    needsFate: fields.some(({ fate }) => fate),
    needsFrame: fields.some(({ stored }) => !stored),
    needsJoin: fields.some(({ group }) => group === 'transaction'),
    needsStreams: fields.some(({ name }) => isOfFlow(name)),
    fields: fields.map(({ name }) => name),
    hints: tree === undefined ? [] : hintsFor(tree),
  };
}

/** ` Did you mean dns.qry.name?` for a word that looks like a field's name. */
function suggestion({ kind, text = '' }: { kind: string; text?: string }): string {
  if (kind !== 'word' || !/^[a-z_]/i.test(text)) return '';
  const near = nearestField(text);
  return near === undefined ? '' : ` Did you mean ${near}?`;
}

/** A boolean field alone asks whether it is there, and it is in queries too. */
function hintsFor(test: Test): string[] {
  if (test.kind === 'all' || test.kind === 'one' || test.kind === 'odd') return test.of.flatMap(hintsFor);
  if (test.kind === 'not') return hintsFor(test.of);
  if (test.kind !== 'present' || test.operand.kind !== 'word') return [];
  const { text } = test.operand;
  return findField(text)?.type === 'FT_BOOLEAN' && !RELATIONS.has(text)
    ? [
        `'${text}' alone asks whether the field is there, true or false; write '${text} == 1' to ask whether it is true.`,
      ]
    : [];
}
// These are there only when they are true.
const RELATIONS = new Set(['dns.retransmission', 'dns.unsolicited']);
