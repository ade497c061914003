import { recordText } from '../../rr/show.ts';
import { ANSWER } from '../../wire/message.ts';
import type { AskContext } from '../ask.ts';
import { tlsOptions } from '../ask.ts';
import type { Question } from '../question.ts';
import type { Server } from '../server.ts';
import { TransferError, transferMessages } from '../transfer.ts';
import type { QueryWords } from '../words.ts';

const NO_ANSWER = 9;

/** Takes a zone from the first server and prints its records as dig does; the exit code. */
export async function transferWords(
  words: QueryWords,
  { name, type }: Question,
  [server]: readonly Server[],
  context: AskContext & { print(text: string): void; remark(text: string): void },
): Promise<number> {
  const { print, remark } = context;
  let records = 0;
  let messages = 0;
  let bytes = 0;
  try {
    for await (const view of transferMessages(name, {
      server,
      transport: words.transport === 'tls' ? 'tls' : 'tcp',
      tls: tlsOptions(words),
      ...(type === 'IXFR' && { serial: words.serial ?? 0 }),
      ...(words.timeoutMs !== undefined && { timeoutMs: words.timeoutMs }),
      ...(context.tsig !== undefined && { tsig: context.tsig }),
      ...(context.source !== undefined && { source: context.source }),
      ...(context.signal !== undefined && { signal: context.signal }),
    })) {
      let text = '';
      for (let i = 0; i < view.records; i++) {
        if (view.section[i] !== ANSWER) continue;
        records++;
        text += `${recordText(view, i)}\n`;
      }
      messages++;
      bytes += view.end - view.start;
      print(text);
    }
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    print('; Transfer failed.\n');
    remark(error.message);
    return NO_ANSWER;
  }
  remark(`${records} records in ${messages} ${messages === 1 ? 'message' : 'messages'} of ${bytes} bytes`);
  return 0;
}
