import { test } from 'node:test';
import { killLoop } from '../store/kill.ts';

test('fifty kills under load cost at most the last flush interval each, and are told', () => killLoop(50));
