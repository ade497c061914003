import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzzFiles } from '../fuzz/files.ts';

test('two thousand mutated capture files: no throw, no hang, no frame outside its memory', async () => {
  const { files, frames, damaged } = await fuzzFiles(2000, 20_261_124);
  assert.equal(files, 2000);
  assert.ok(frames > 2000 && damaged > 500, `${frames} frames, ${damaged} damaged files`);
});
