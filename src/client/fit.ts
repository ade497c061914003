import { FAULTS } from '../wire/fault.ts';
import { MessageView } from '../wire/message.ts';
import { equalNames } from '../wire/name.ts';
import type { Discarded } from './outcome.ts';

/** What a message that came has to do with a query. */
export type Fit = 'fits' | 'malformed' | keyof Discarded;

/** Response codes that only who has read the question can give: NOERROR, NXDOMAIN. */
const NEEDS_QUESTION = new Set([0, 3]);

/**
 * Tells whether a message answers a query: id, QR, opcode, and the question with its type and class (RFC 5452 §9.1).
 * Servers that could not read the query may leave its question out, with an error.
 */
export class QueryFit {
  readonly #query = new MessageView();
  readonly #view = new MessageView();
  readonly #exactCase: boolean;

  /** `exactCase`: letters have to come back as they were sent (0x20). */
  constructor(query: Uint8Array, exactCase = false) {
    this.#query.read(query, 0, query.length);
    this.#exactCase = exactCase;
  }

  get id(): number {
    return this.#query.id;
  }

  /** What is wrong with the message judged last, in words. */
  get faultText(): string {
    const { fault, faultAt } = this.#view;
    return fault === 0 ? 'its question cannot be read' : `${FAULTS[fault].replaceAll('_', ' ')} at octet ${faultAt}`;
  }

  /** `isLater`: messages of a transfer behind its first may leave the question out (RFC 5936 §2.2). */
  judge(bytes: Uint8Array, isLater = false): Fit {
    const query = this.#query;
    const view = this.#view;
    const fault = view.read(bytes, 0, bytes.length);
    if (view.id !== query.id) return fault === 0 && view.isResponse ? 'wrongId' : 'garbage';
    if (bytes.length < 12 || !view.isResponse || view.opcode !== query.opcode) return 'garbage';
    if (view.questionCount === 0) {
      const isAllowed = isLater || !NEEDS_QUESTION.has(view.rcode) || query.opcode !== 0;
      if (!isAllowed) return 'wrongQuestion';
    } else if (view.questions === 0) return 'malformed';
    else if (!this.#sameQuestion()) return 'wrongQuestion';
    return view.fault === 0 ? 'fits' : 'malformed';
  }

  #sameQuestion(): boolean {
    const a = this.#query;
    const b = this.#view;
    if (a.questions !== 1 || b.questions !== 1) return a.questions === b.questions;
    if (a.questionType[0] !== b.questionType[0] || a.questionClass[0] !== b.questionClass[0]) return false;
    if (!equalNames(a.bytes, a.questionName[0], 0, b.bytes, b.questionName[0], 0)) return false;
    if (!this.#exactCase) return true;
    for (let i = 12; i < a.parsedEnd && a.bytes[i] !== 0; i++) if (a.bytes[i] !== b.bytes[i]) return false;
    return true;
  }
}
