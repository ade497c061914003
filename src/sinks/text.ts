import type { OutputFormat } from './output.ts';
import { MessageText } from './text-message.ts';
import { PacketText } from './text-packet.ts';
import { PathText } from './text-path.ts';
import { TransactionText } from './text-transaction.ts';

/** Lines for people, one per message, transaction or packet. */
export const text: OutputFormat = {
  name: 'text',
  summary: 'one line for people',
  unit: 'message',
  message: (options, writer) => new MessageText(options, writer),
  transaction: (options, writer) =>
    options.paths ? new PathText(options, writer) : new TransactionText(options, writer),
  packet: (options, writer) => new PacketText(options, writer),
};
