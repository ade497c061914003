/**
 * Where does the time of a report go? One thread, the stages one after another, each with those it needs.
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

/** What each stage does, and the one whose time is part of its own. */
const STAGES: Record<string, { stage: Stage; on?: string }> = {
  'reading frames': { stage: () => ({ frames: () => {}, finish: () => {} }) },
  'dissecting them': { stage: dissecting(false), on: 'reading frames' },
  'reading messages': { stage: dissecting(true), on: 'dissecting them' },
  'matching, no rows': { stage: running(() => ({}), false), on: 'reading messages' },
  'rows with messages': { stage: running(() => ({ rows: () => true })), on: 'matching, no rows' },
  'rows, counted': { stage: running(() => reportOn(newReport({}))), on: 'matching, no rows' },
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
const perFrame: Record<string, number> = {};
for (const [name, { stage, on }] of Object.entries(STAGES)) {
  const runs = [];
  for (let run = 0; run < RUNS; run++) runs.push(await once(file, stage));
  runs.sort((a, b) => a.nanos - b.nanos);
  const { nanos, frames } = runs[RUNS >> 1];
  perFrame[name] = nanos / frames;
  const own = perFrame[name] - (on === undefined ? 0 : perFrame[on]);
  process.stdout.write(`${name.padEnd(18)} ${perFrame[name].toFixed(0).padStart(5)} ns a frame, `);
  process.stdout.write(`${own.toFixed(0)} of its own\n`);
}
keep(
  'stages',
  Object.entries(perFrame).map(([name, nanos]) => ({ name, perFrame: nanos })),
);
