import { test } from 'node:test';
import { killLoop } from './kill.ts';

test('a store that is killed while it is written opens with what was flushed, and says what was lost', () =>
  killLoop(4));
