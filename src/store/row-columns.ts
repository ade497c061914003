import type { MessageColumns } from './message-form.ts';
import { TRANSACTION_COLUMNS, type TransactionColumnName } from './schema.ts';

/** Place of each column of a transaction. */
export const AT = Object.fromEntries(TRANSACTION_COLUMNS.map(({ name }, k) => [name, k])) as Record<
  TransactionColumnName,
  number
>;
export const NOTHING = new Uint8Array(0);

/** Numbers copied as they are: column of the batch, column of the store. */
export const COPIED = [
  ['clientPort', AT.client_port],
  ['serverPort', AT.server_port],
  ['transport', AT.transport],
  ['protocol', AT.protocol],
  ['vlan', AT.vlan],
  ['id', AT.id],
  ['type', AT.type],
  ['class', AT.class],
  ['opcode', AT.opcode],
  ['rcode', AT.rcode],
  ['outcome', AT.outcome],
  ['answerKind', AT.answer_kind],
  ['role', AT.role],
  ['leg', AT.leg],
  ['queries', AT.queries],
  ['responses', AT.responses],
  ['duplicates', AT.duplicates],
  ['late', AT.late],
  ['queryBytes', AT.query_bytes],
  ['responseBytes', AT.response_bytes],
  ['fault', AT.fault],
  ['faultIn', AT.fault_in],
  ['faultSide', AT.fault_side],
  ['faultAt', AT.fault_at],
] as const;
/** Pairs of words that are one 64-bit id. */
export const IDS = [
  ['idHigh', 'idLow', AT.transaction],
  ['retryHigh', 'retryLow', AT.retry],
  ['parentHigh', 'parentLow', AT.parent],
] as const;

/** What columns say of a message before anything is known. */
export const EMPTY: MessageColumns = {
  id: 0,
  flags: 0,
  name: NOTHING,
  nameLength: 0,
  type: 0,
  class: 0,
  answers: 0,
  authority: 0,
  additional: 0,
  isResponse: false,
};
