/** Captures with several options at once in an own process: says `open`, runs until SIGINT, prints a digest of each frame. */
import { createHash } from 'node:crypto';
import { openLive } from '../../src/sources/live/source.ts';
import type { LiveOptions } from '../../src/sources/live/options.ts';

const all = JSON.parse(process.argv[2]) as LiveOptions[];
const abort = new AbortController();
process.on('SIGINT', () => abort.abort());
const notices: string[] = [];
const sources = [];
for (const options of all) sources.push(await openLive({ ...options, notice: (text) => notices.push(text) }));
process.stdout.write(`${JSON.stringify({ open: true })}\n`);
const runs = sources.map(async (source) => {
  const frames: string[] = [];
  for await (const { count, bytes, at, captured, wire, link, interfaceId } of source.batches(abort.signal)) {
    for (let i = 0; i < count; i++) {
      const digest = createHash('sha1')
        .update(bytes.subarray(at[i], at[i] + captured[i]))
        .digest('hex')
        .slice(0, 16);
      frames.push(`${source.interfaces[interfaceId[i]].name} ${link[i]} ${captured[i]} ${wire[i]} ${digest}`);
    }
  }
  return { frames, loss: source.loss(), damage: source.damage };
});
const sourcesDone = await Promise.all(runs);
process.stdout.write(`${JSON.stringify({ sources: sourcesDone, notices })}\n`);
