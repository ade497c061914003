import { Carrier } from '../core/carrier.ts';
import type { CapturedInterface } from '../core/frames.ts';
import { MessageJoin } from '../core/join.ts';
import { NO_VLAN, OUTCOMES, type TransactionBatch } from '../core/transactions.ts';
import { compileFilter } from '../filter/compile.ts';
import { FilterError } from '../filter/errors.ts';
import { findField } from '../filter/fields/registry.ts';
import { MessageView } from '../wire/message.ts';

/** Says whether a row passes: its query does, or its response, as when the packets were filtered. */
export type RowPredicate = (batch: TransactionBatch, row: number) => boolean;

const UNANSWERED = OUTCOMES.indexOf('unanswered');
const ORPHAN = OUTCOMES.indexOf('orphan');

/**
 * A display filter over rows, for whoever sees transactions and no packets. Throws FilterError, also where it asks for
 * what a row does not hold (the frame, its layers).
 */
export function rowFilter(text: string, interfaces: readonly CapturedInterface[]): RowPredicate {
  const filter = compileFilter(text);
  const frameField = filter.needsFrame && filter.fields.find((name) => findField(name)?.stored === false);
  if (frameField) {
    const at = Math.max(0, text.indexOf(frameField));
    const reason = `${frameField} is not kept with transactions: it can be asked for where packets are read.`;
    throw new FilterError(reason, text, at, frameField.length);
  }
  const carrier = new Carrier();
  carrier.interfaces = interfaces;
  const join = new MessageJoin();
  const view = new MessageView();
  return (batch, row) => {
    const { queryLength, responseLength } = batch.col;
    if (queryLength[row] > 0) {
      fillQuery(carrier, join, batch, row);
      view.read(batch.arena, carrier.at, carrier.length, carrier.claimedLength);
      if (filter.matches(carrier, view, join)) return true;
    }
    if (responseLength[row] === 0) return false;
    fillResponse(carrier, join, batch, row);
    view.read(batch.arena, carrier.at, carrier.length, carrier.claimedLength);
    return filter.matches(carrier, view, join);
  };
}

function fillQuery(carrier: Carrier, join: MessageJoin, batch: TransactionBatch, i: number): void {
  const c = batch.col;
  fillShared(carrier, batch, i);
  const { query, response } = batch.frames(i);
  carrier.number = query.at(0) ?? 0;
  carrier.seconds = c.openSeconds[i];
  carrier.nanos = c.openNanos[i];
  [carrier.source0, carrier.source1, carrier.source2, carrier.source3] = client(batch, i);
  [carrier.destination0, carrier.destination1, carrier.destination2, carrier.destination3] = server(batch, i);
  carrier.sourcePort = c.clientPort[i];
  carrier.destinationPort = c.serverPort[i];
  carrier.at = c.queryAt[i];
  carrier.length = c.queryLength[i];
  carrier.claimedLength = Math.max(c.queryBytes[i], c.queryLength[i]);
  join.clear();
  join.retransmission = c.queries[i] > 1;
  join.responseIn = response.at(0) ?? 0;
  join.responseMissing = c.outcome[i] === UNANSWERED;
}

function fillResponse(carrier: Carrier, join: MessageJoin, batch: TransactionBatch, i: number): void {
  const c = batch.col;
  fillShared(carrier, batch, i);
  const { query, response } = batch.frames(i);
  carrier.number = response.at(0) ?? 0;
  carrier.seconds = c.answerSeconds[i];
  carrier.nanos = c.answerNanos[i];
  [carrier.source0, carrier.source1, carrier.source2, carrier.source3] = server(batch, i);
  [carrier.destination0, carrier.destination1, carrier.destination2, carrier.destination3] = client(batch, i);
  carrier.sourcePort = c.serverPort[i];
  carrier.destinationPort = c.clientPort[i];
  carrier.at = c.responseAt[i];
  carrier.length = c.responseLength[i];
  carrier.claimedLength = Math.max(c.responseBytes[i], c.responseLength[i]);
  join.clear();
  join.responseTo = query.at(0) ?? 0;
  join.latencyNanos = batch.latencyNanos(i);
  join.latencyLastNanos = batch.latencyNanos(i, true);
  join.unsolicited = c.outcome[i] === ORPHAN;
}

function fillShared(carrier: Carrier, batch: TransactionBatch, i: number): void {
  const c = batch.col;
  carrier.family = c.family[i];
  carrier.transport = c.transport[i];
  carrier.protocol = c.protocol[i];
  carrier.interfaceId = c.interfaceId[i];
  carrier.vlan = c.vlan[i] === NO_VLAN ? -1 : c.vlan[i];
  carrier.setupNanos = c.setupNanos[i];
  carrier.bytes = batch.arena;
}

function client({ col: c }: TransactionBatch, i: number): [number, number, number, number] {
  return [c.client0[i], c.client1[i], c.client2[i], c.client3[i]];
}

function server({ col: c }: TransactionBatch, i: number): [number, number, number, number] {
  return [c.server0[i], c.server1[i], c.server2[i], c.server3[i]];
}
