/** What the commands know of a deployed stage: its stacks' resources, and how to run `cdk`. */
import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
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

export function fail(why: string): never {
  console.error(why);
  process.exit(2);
}
