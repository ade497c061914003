import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../src/app/config.ts';
import { judgeOf, type JudgingContext } from '../../src/app/judging.ts';

test('a detector that cannot work here is off, and says why', () => {
  const { config } = loadConfig({ environment: {}, file: '/dev/null' });
  const offOf = (context: Partial<JudgingContext>) => {
    const { states } = judgeOf(config.detect, { networks: [], resolvers: [], raise: () => {}, ...context });
    return new Map(states.filter(({ isOn }) => !isOn).map(({ id, reason }) => [id, reason]));
  };
  assert.deepEqual(offOf({}), new Map());
  const atClients = 'It works at a resolver or at an authority; this sensor stands before a resolver.';
  assert.deepEqual(offOf({ vantage: 'client' }), new Map([['OPS-LAME', atClients]]));
  assert.deepEqual([...offOf({ vantage: 'authority' }).keys()], ['DGA-NX', 'BEACON']);
  const hidden = offOf({ lacks: ['names'] });
  assert.equal(hidden.get('TUN-BYTES'), 'The privacy level hides names, which it needs.');
  assert.equal(hidden.has('FLOOD-NX'), false, 'it needs clients only');
  assert.equal(offOf({ lacks: ['clients'] }).get('FLOOD-NX'), 'The privacy level hides clients, which it needs.');
});
