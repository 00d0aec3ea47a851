/** What the commands know of a deployed stage: its stacks' resources, and how to run `cdk`. */
import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { HERE, STAGES, type StageName } from '../lib/settings.js';

/** The stage that the command line names first. */
export function stageArgument(allowed: readonly StageName[] = STAGES): StageName {
  const name = process.argv[2];
  const found = allowed.find((stage) => stage === name);
  if (!found) fail(`say which stage: ${allowed.join(' or ')}`);
  return found;
}

/** Runs `cdk` on all stacks of a stage, with what else the command line says. */
export function cdk(command: string, stage: StageName, ...more: string[]): void {
  const said = process.argv.slice(3);
  const ran = spawnSync(
    join(HERE, 'node_modules', '.bin', 'cdk'),
    [command, `Lombard-${stage}/*`, '-c', `stage=${stage}`, '--no-notices', ...more, ...said],
    { cwd: HERE, stdio: 'inherit' },
  );
  if (ran.status !== 0) process.exit(ran.status ?? 1);
}

/** The physical names of a stack's resources of a type, by their logical names. */
export async function resourcesOf(stage: StageName, stack: string, type: string): Promise<Map<string, string>> {
  const client = new CloudFormationClient({});
  const found = new Map<string, string>();
  let NextToken: string | undefined;
  do {
    const page = await client.send(new ListStackResourcesCommand({ StackName: `Lombard-${stage}-${stack}`, NextToken }));
    for (const it of page.StackResourceSummaries ?? []) {
      if (it.ResourceType === type && it.LogicalResourceId && it.PhysicalResourceId) {
        found.set(it.LogicalResourceId, it.PhysicalResourceId);
      }
    }
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

/** The physical name of the resource whose logical name begins so. */
export function nameOf(resources: Map<string, string>, prefix: string): string | undefined {
  return [...resources].find(([id]) => id.startsWith(prefix))?.[1];
}

/** Invokes a function, and gives what it answers. */
export async function invoke(name: string, event: object): Promise<any> {
  const client = new LambdaClient({});
  const { FunctionError, Payload } = await client.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) }));
  const text = Payload?.transformToString() ?? '';
  if (FunctionError) throw new Error(`${name}: ${text}`);
  return JSON.parse(text);
}

export function fail(why: string): never {
  console.error(why);
  process.exit(2);
}
