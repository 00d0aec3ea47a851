/**
 * Deploys a stage: `npm run deploy -- dev|prod [arguments of cdk]`. It refuses to deploy functions
 * without a program, because a stage that takes payments and cannot carry them is worse than none.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HERE } from '../lib/settings.js';
import { cdk, fail, stageArgument } from './stack.js';

const stage = stageArgument();
const named = process.argv.some((it) => it.startsWith('artifact='));
if (!named && !existsSync(join(HERE, 'artifact', 'bootstrap'))) {
  fail('there is no program in deploy/artifact: package it first (deploy/README.md)');
}
// In production somebody looks at what widens access before it is so.
cdk('deploy', stage, '--require-approval', stage === 'prod' ? 'broadening' : 'never');
