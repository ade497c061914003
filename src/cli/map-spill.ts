import { closeSync, createReadStream, openSync, rmSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { MapPair } from '../report/address-map.ts';
import { joinPairs } from '../report/map-text.ts';

const CHUNK = 1 << 16;

/** Sorted runs of map pairs on disk, merged into one exact map at the end. Errors are those of the file system. */
export class MapSpill {
  readonly #path: string;
  readonly #runs: string[] = [];

  /** Runs lie beside `path`, as `path.run-1` …, until `merge` or `discard`. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Writes one run; the pairs come in order of their keys. */
  write(pairs: Iterable<MapPair>): void {
    const path = `${this.#path}.run-${this.#runs.length + 1}`;
    this.#runs.push(path);
    // Its name can be foreseen: a file or link that lies there already is not ours to write through.
    rmSync(path, { force: true });
    const file = openSync(path, 'wx', 0o600);
    let text = '';
    for (const pair of pairs) {
      text += `${JSON.stringify(pair)}\n`;
      if (text.length < CHUNK) continue;
      writeSync(file, text);
      text = '';
    }
    writeSync(file, text);
    closeSync(file);
  }

  /** Merges all runs into `path` as NDJSON, pairs seen in several runs joined; how many pairs there are. */
  async merge(): Promise<number> {
    const out = openSync(this.#path, 'w', 0o600);
    const heads: { next: AsyncIterator<string>; pair: MapPair }[] = [];
    for (const run of this.#runs) {
      const next = createInterface({ input: createReadStream(run), crlfDelay: Number.POSITIVE_INFINITY })[
        Symbol.asyncIterator
      ]();
      const pair = await read(next);
      if (pair !== null) heads.push({ next, pair });
    }
    let text = '';
    let pairs = 0;
    while (heads.length > 0) {
      let least = heads[0];
      for (const head of heads) if (head.pair.key < least.pair.key) least = head;
      let joined: MapPair | null = null;
      const { key } = least.pair;
      for (let i = heads.length - 1; i >= 0; i--) {
        const head = heads[i];
        if (head.pair.key !== key) continue;
        joined = joined === null ? head.pair : joinPairs(joined, head.pair);
        const pair = await read(head.next);
        if (pair === null) heads.splice(i, 1);
        else head.pair = pair;
      }
      text += `${JSON.stringify((joined as MapPair).row)}\n`;
      pairs++;
      if (text.length < CHUNK) continue;
      writeSync(out, text);
      text = '';
    }
    writeSync(out, text);
    closeSync(out);
    this.discard();
    return pairs;
  }

  /** Removes the runs. */
  discard(): void {
    for (const run of this.#runs.splice(0)) rmSync(run, { force: true });
  }
}

async function read(lines: AsyncIterator<string>): Promise<MapPair | null> {
  const { value, done } = await lines.next();
  return done ? null : (JSON.parse(value) as MapPair);
}
