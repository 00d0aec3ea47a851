/**
 * Rotates the keys that sign messages to and from the rails' gateways, in the four steps of
 * Secrets Manager. Each may come twice, and each is harmless the second time.
 *
 * The secret is `{"<rail>": {"current": "…", "previous": "…"}}`. A rotation makes a new `current` and
 * keeps the old one as `previous`: we sign with the first and believe both, so a gateway may take
 * the new key over at any time before the next rotation, and no message is refused meanwhile.
 */
import { randomBytes } from 'node:crypto';

const BYTES = 32;

/** The next value of a secret, of its value now. */
export function next(value, fresh = () => randomBytes(BYTES).toString('hex')) {
  const rails = Object.entries(JSON.parse(value));
  return JSON.stringify(Object.fromEntries(rails.map(([rail, keys]) => [rail, {
    current: fresh(),
    previous: typeof keys === 'string' ? keys : keys.current,
  }])));
}

/** What is wrong with a value, if anything. */
export function flaw(value) {
  const rails = Object.entries(JSON.parse(value));
  if (rails.length === 0) return 'it has no rail';
  for (const [rail, keys] of rails) {
    if (!/^[0-9a-f]{64}$/.test(keys.current ?? '')) return `${rail} has no key of ${BYTES} bytes`;
    if (keys.current === keys.previous) return `the key of ${rail} did not change`;
  }
  return undefined;
}

/** One step, with what speaks to Secrets Manager. */
export async function step({ Step, SecretId, ClientRequestToken: token }, secrets) {
  const { VersionIdsToStages: stages = {} } = await secrets.describe(SecretId);
  if (!stages[token]) throw new Error('the version was not staged for rotation');
  if (stages[token].includes('AWSCURRENT')) return 'done before';
  switch (Step) {
    case 'createSecret': {
      if (await secrets.pending(SecretId, token)) return 'made before';
      await secrets.put(SecretId, token, next(await secrets.current(SecretId)));
      return 'made';
    }
    // Gateways read the secret, or are given the new key by an operator within the rotation's
    // ninety days: nothing is to be set from here.
    case 'setSecret':
      return 'nothing to set';
    case 'testSecret': {
      const wrong = flaw(await secrets.pending(SecretId, token) ?? '{}');
      if (wrong) throw new Error(`the new secret is unusable: ${wrong}`);
      return 'sound';
    }
    case 'finishSecret': {
      const old = Object.keys(stages).find((version) => stages[version].includes('AWSCURRENT'));
      await secrets.promote(SecretId, token, old);
      return 'promoted';
    }
    default:
      throw new Error(`there is no step ${Step}`);
  }
}

/** What the step needs of Secrets Manager, over the SDK that the runtime brings. */
async function client() {
  const sdk = await import('@aws-sdk/client-secrets-manager');
  const to = new sdk.SecretsManagerClient({ maxAttempts: 3 });
  const value = (SecretId, more) => to.send(new sdk.GetSecretValueCommand({ SecretId, ...more }));
  return {
    describe: (SecretId) => to.send(new sdk.DescribeSecretCommand({ SecretId })),
    current: async (SecretId) => (await value(SecretId, { VersionStage: 'AWSCURRENT' })).SecretString,
    pending: async (SecretId, VersionId) => {
      try {
        return (await value(SecretId, { VersionId, VersionStage: 'AWSPENDING' })).SecretString;
      } catch (error) {
        if (error.name === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
    put: (SecretId, ClientRequestToken, SecretString) => to.send(new sdk.PutSecretValueCommand({
      SecretId, ClientRequestToken, SecretString, VersionStages: ['AWSPENDING'],
    })),
    promote: (SecretId, MoveToVersionId, RemoveFromVersionId) => to.send(
      new sdk.UpdateSecretVersionStageCommand({
        SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId, RemoveFromVersionId,
      }),
    ),
  };
}

export const handler = async (event) => step(event, await client());
