/** The rotation of the rails' keys: each step, twice, and what it refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
// @ts-expect-error: plain JavaScript, because that is what the runtime takes
import { flaw, next, step } from '../functions/rotate.mjs';

const OLD = JSON.stringify({ fps: { current: 'a'.repeat(64) } });

/** Secrets Manager, as far as a rotation sees it. */
function secrets() {
  const values = new Map([['one', OLD]]);
  const stages: Record<string, string[]> = { one: ['AWSCURRENT'], two: ['AWSPENDING'] };
  return {
    values,
    stages,
    describe: async () => ({ VersionIdsToStages: stages }),
    current: async () => values.get(Object.keys(stages).find((it) => stages[it]!.includes('AWSCURRENT'))!),
    pending: async (_: string, token: string) => values.get(token),
    put: async (_: string, token: string, value: string) => void values.set(token, value),
    promote: async (_: string, to: string, from: string) => {
      stages[from] = ['AWSPREVIOUS'];
      stages[to] = ['AWSCURRENT'];
    },
  };
}

const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];
const event = (Step: string, token = 'two') => ({ Step, SecretId: 'rails', ClientRequestToken: token });

test('a rotation makes a new key, keeps the old one beside it, and may run each step twice', async () => {
  const store = secrets();
  const made: string[] = [];
  for (const name of STEPS) {
    await step(event(name), store);
    await step(event(name), store);
    made.push(store.values.get('two') ?? '');
  }
  assert.equal(new Set(made).size, 1, 'the second try made no second key');
  const { fps } = JSON.parse(made[0]!);
  assert.equal(fps.previous, 'a'.repeat(64));
  assert.match(fps.current, /^[0-9a-f]{64}$/);
  assert.deepEqual(store.stages, { one: ['AWSPREVIOUS'], two: ['AWSCURRENT'] });
});

test('what was not staged, or did not change, is refused', async () => {
  await assert.rejects(step(event('createSecret', 'three'), secrets()), /not staged/);
  const stuck = secrets();
  stuck.values.set('two', JSON.stringify({ fps: { current: 'a'.repeat(64), previous: 'a'.repeat(64) } }));
  await assert.rejects(step(event('testSecret'), stuck), /did not change/);
  assert.equal(flaw('{}'), 'it has no rail');
  assert.match(flaw('{"fps":{"current":"short"}}')!, /no key of 32 bytes/);
});

test('the first value, a bare key from the generator, is taken over as the previous one', () => {
  assert.deepEqual(JSON.parse(next('{"fps":"generated"}', () => 'new')), { fps: { current: 'new', previous: 'generated' } });
});
