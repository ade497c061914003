/** Where a part of the filter stands in its text. */
export interface Place {
  readonly at: number;
  readonly end: number;
}

export type Comparison = '==' | '!=' | '===' | '!==' | '<' | '<=' | '>' | '>=';
export type Quantifier = 'any' | 'all' | '';

/** A part of a slice or of a layer list: from, and how much of what. */
export interface Range {
  readonly from: number;
  /** Elements, or −1 = to the end. With `until`: the last element itself. */
  readonly length: number;
  readonly until?: number;
}

/** What stands for values: a field, a literal, or something made of them. */
export type Operand = Place &
  (
    | { readonly kind: 'word'; readonly text: string }
    | { readonly kind: 'string'; readonly text: string; readonly octets: Uint8Array }
    | { readonly kind: 'char'; readonly code: number }
    | { readonly kind: 'call'; readonly name: string; readonly args: readonly Operand[] }
    | { readonly kind: 'slice'; readonly of: Operand; readonly ranges: readonly Range[] }
    | { readonly kind: 'layer'; readonly of: Operand; readonly ranges: readonly Range[] }
    | { readonly kind: 'raw'; readonly of: Operand }
    | { readonly kind: 'negative'; readonly of: Operand }
    | {
        readonly kind: 'arithmetic';
        readonly op: '+' | '-' | '*' | '/' | '%' | '&';
        readonly left: Operand;
        readonly right: Operand;
      }
  );

/** What is true or false of a message. */
export type Test = Place &
  (
    | { readonly kind: 'all' | 'one' | 'odd'; readonly of: readonly Test[] }
    | { readonly kind: 'not'; readonly of: Test }
    | { readonly kind: 'present'; readonly operand: Operand }
    | {
        readonly kind: 'compare';
        readonly op: Comparison;
        readonly quantifier: Quantifier;
        readonly left: Operand;
        readonly right: Operand;
      }
    | { readonly kind: 'contains'; readonly quantifier: Quantifier; readonly left: Operand; readonly right: Operand }
    | { readonly kind: 'matches'; readonly quantifier: Quantifier; readonly left: Operand; readonly right: Operand }
    | {
        readonly kind: 'in';
        readonly negated: boolean;
        readonly quantifier: Quantifier;
        readonly left: Operand;
        readonly set: readonly SetItem[];
      }
  );

/** One element of a set: a value, or a range with both ends in it. */
export interface SetItem {
  readonly low: Operand;
  readonly high?: Operand;
}
