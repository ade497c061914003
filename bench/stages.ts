/**
 * Where does the time of a report go? One thread, the stages one after another, each with all before it.
 *
 *   npm run bench -- stages [FILE]
 */
import { newReport, reportOn } from '../src/app/run.ts';
import type { FrameBatch, Source } from '../src/core/frames.ts';
import { Ledger } from '../src/core/ledger.ts';
import { Dissector } from '../src/net/dissect.ts';
import { Engine, type EngineOutputs } from '../src/pipeline/engine.ts';
import { openFiles } from '../src/sources/files.ts';
import { MessageView } from '../src/wire/message.ts';
import { keep, traffic } from './measure.ts';

const RUNS = 5;

/** What a stage does with the frames of a source. */
type Stage = (source: Source) => { frames(batch: FrameBatch): void; finish(): void };

function dissecting(read: boolean): Stage {
  return (source) => {
    const view = new MessageView();
    const dissector = new Dissector(
      {
        message: (c) => void (read && view.read(c.bytes, c.at, c.length, c.claimedLength)),
        unreachable: () => {},
      },
      new Ledger(),
    );
    dissector.interfaces = source.interfaces;
    return dissector;
  };
}

function running(outputs: () => EngineOutputs, passes = true): Stage {
  return (source) => {
    const filter = passes ? null : { matches: () => false };
    const engine = new Engine({ dissect: { streams: false }, filter }, outputs());
    engine.interfaces = source.interfaces;
    return engine;
  };
}

const STAGES: Record<string, Stage> = {
  'reading frames': () => ({ frames: () => {}, finish: () => {} }),
  'dissecting them': dissecting(false),
  'reading messages': dissecting(true),
  'matching, no rows': running(() => ({}), false),
  'writing rows': running(() => ({ rows: () => true })),
  counting: running(() => reportOn(newReport({}))),
};

async function once(file: string, stage: Stage): Promise<{ nanos: number; frames: number }> {
  const started = process.hrtime.bigint();
  const source = await openFiles([file]);
  const sink = stage(source);
  let frames = 0;
  for await (const batch of source.batches(new AbortController().signal)) {
    frames += batch.count;
    sink.frames(batch);
  }
  sink.finish();
  return { nanos: Number(process.hrtime.bigint() - started), frames };
}

const file = process.argv[2] ?? traffic(1_000_000);
const results = [];
let before = 0;
for (const [name, stage] of Object.entries(STAGES)) {
  const runs = [];
  for (let run = 0; run < RUNS; run++) runs.push(await once(file, stage));
  runs.sort((a, b) => a.nanos - b.nanos);
  const { nanos, frames } = runs[RUNS >> 1];
  const perFrame = nanos / frames;
  results.push({ name, perFrame });
  process.stdout.write(`${name.padEnd(18)} ${perFrame.toFixed(0).padStart(5)} ns a frame, `);
  process.stdout.write(`${(perFrame - before).toFixed(0)} of its own\n`);
  before = perFrame;
}
keep('stages', results);
