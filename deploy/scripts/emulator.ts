/**
 * The whole way on an emulator: start MiniStack, bootstrap, deploy the dev stage, look at what is
 * there, make payments on it, destroy it, and see that nothing is left. `npm run emulator`; MiniStack is
 * found by `LOMBARD_MINISTACK`, else on the path. Payments are made where `LOMBARD_BIN` says where the
 * folder of our programs is; without it only the infrastructure is looked at.
 */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HERE } from '../lib/settings.js';
import { Journey } from './journey.js';
import { resourcesOf } from './stack.js';

const STACKS = ['Data', 'Payments', 'Analytics', 'Audit', 'Watch'];

const port = await free();
const url = `http://127.0.0.1:${port}`;
Object.assign(process.env, {
  AWS_ENDPOINT_URL: url,
  AWS_ENDPOINT_URL_S3: url,
  AWS_REGION: 'eu-west-2',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  CDK_DISABLE_CLI_TELEMETRY: 'true',
});
const emulator = spawn(process.env.LOMBARD_MINISTACK ?? 'ministack', [], {
  env: { ...process.env, BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port), MINISTACK_HOST: '127.0.0.1' },
  stdio: 'ignore',
});
emulator.on('error', (error) => {
  console.error(`MiniStack cannot be started: ${error.message}`);
  process.exit(3);
});
let journey: Journey | undefined;
try {
  await ready();
  // Only now, so that nothing is left running where there is no emulator.
  if (process.env.LOMBARD_BIN) journey = await Journey.begin(url, process.env.LOMBARD_BIN);
  run('cdk', 'bootstrap', 'aws://000000000000/eu-west-2', '--app', '', '--no-notices');
  run('tsx', 'scripts/deploy.ts', 'dev', ...emulated());
  await looksRight();
  await journey?.make();
  run('tsx', 'scripts/destroy.ts', 'dev', ...emulated());
  await isGone();
  console.log('deployed, looked at, and destroyed');
} finally {
  journey?.end();
  emulator.kill();
}

function emulated(): string[] {
  const said = process.argv.slice(2);
  const folder = journey?.artifact ?? join(HERE, 'no-artifact');
  const artifact = said.some((it) => it.startsWith('artifact=')) ? [] : ['-c', `artifact=${folder}`];
  return ['-c', 'emulator=1', '-c', 'arch=x86_64', ...artifact, ...said];
}

/** That each stack is there, and that what a payment needs has come to exist. */
async function looksRight(): Promise<void> {
  const client = new CloudFormationClient({});
  for (const stack of STACKS) {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: `Lombard-dev-${stack}` }));
    assert.equal(Stacks[0]?.StackStatus?.endsWith('_COMPLETE'), true, stack);
  }
  const tables = [...(await resourcesOf('dev', 'Data', 'AWS::DynamoDB::Table')).values()];
  assert.ok(tables.includes('lombard-dev') && tables.includes('lombard-dev-feed'), tables.join());
  const functions = await resourcesOf('dev', 'Payments', 'AWS::Lambda::Function');
  assert.equal(functions.size, 7, 'six roles and a rotation');
  assert.equal((await resourcesOf('dev', 'Payments', 'AWS::Lambda::EventSourceMapping')).size, 2);
  assert.equal((await resourcesOf('dev', 'Payments', 'AWS::StepFunctions::StateMachine')).size, 2);
}

async function isGone(): Promise<void> {
  const client = new CloudFormationClient({});
  for (const stack of STACKS) {
    const left = client.send(new DescribeStacksCommand({ StackName: `Lombard-dev-${stack}` })).then(
      ({ Stacks = [] }) => Stacks.filter((it) => it.StackStatus !== 'DELETE_COMPLETE').length,
      () => 0,
    );
    assert.equal(await left, 0, `${stack} is still there`);
  }
}

function run(command: string, ...said: string[]): void {
  const ran = spawnSync(join(HERE, 'node_modules', '.bin', command), said, { cwd: HERE, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`${command} ${said.join(' ')} failed:\n${ran.stdout}${ran.stderr}`);
}

async function ready(): Promise<void> {
  for (let tried = 0; tried < 150; tried += 1) {
    const answer = await fetch(`${url}/_ministack/health`).catch(() => undefined);
    if (answer?.ok) return;
    await pause(200);
  }
  throw new Error('MiniStack is not ready after thirty seconds');
}

/** A port that nobody listens on. */
async function free(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject).listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
