/**
 * The two workflows. Their definitions are rendered from the saga table of the core
 * (`core/src/saga.rs`) into `asl/`, and only deployed here: Express for the straight path, where a
 * rail answers within seconds; Standard where a person is waited for, up to days, by a task token.
 */
import { Stack, Tags } from 'aws-cdk-lib';
import { ManagedPolicy, Role, ServicePrincipal, type IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accept } from './accepted.js';
import type { DataStack } from './data.js';
import { allow } from './roles.js';
import { HERE, type Settings } from './settings.js';

export const MACHINES = ['straight', 'waiting'] as const;
export type MachineName = (typeof MACHINES)[number];

/** A rendered definition, as a value. */
export function definition(name: MachineName): { States: Record<string, unknown> } {
  return JSON.parse(readFileSync(join(HERE, 'asl', `${name}.json`), 'utf8'));
}

/** The physical name of a machine: known before it exists, because roles name its ARN. */
export function machineName(settings: Settings, name: MachineName): string {
  return `lombard-${settings.stage}-${name}`;
}

export interface MachineProps {
  readonly settings: Settings;
  readonly data: DataStack;
  readonly boundary: IManagedPolicy;
  readonly name: MachineName;
  readonly task: IFunction;
}

export class Machine extends Construct {
  readonly machine: CfnStateMachine;

  constructor(scope: Construct, id: string, props: MachineProps) {
    super(scope, id);
    const { data, settings, name, task } = props;
    const log = new LogGroup(this, 'Log', {
      // Names under /aws/vendedlogs do not use up the account's policy for log delivery.
      logGroupName: `/aws/vendedlogs/states/${machineName(settings, name)}`,
      retention: settings.logs,
      encryptionKey: data.keys.audit,
      removalPolicy: settings.removal,
    });
    accept(log, 'key-by-reference', 'short-logs');
    const identity = new Role(this, 'Identity', {
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `What Lombard's ${name} workflow may do`,
      permissionsBoundary: props.boundary,
    });
    const policy = new ManagedPolicy(this, 'Policy', {
      statements: [
        allow('Step', ['lambda:InvokeFunction'], [task.functionArn]),
        allow('Trace', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'], ['*']),
        // The calls with which Step Functions sets up its own log delivery; AWS gives them no resource.
        allow('DeliverLog', [
          'logs:CreateLogDelivery', 'logs:GetLogDelivery', 'logs:UpdateLogDelivery', 'logs:DeleteLogDelivery',
          'logs:ListLogDeliveries', 'logs:PutResourcePolicy', 'logs:DescribeResourcePolicies', 'logs:DescribeLogGroups',
        ], ['*']),
      ],
    });
    accept(policy, 'tracing', 'log-delivery');
    identity.addManagedPolicy(policy);
    this.machine = new CfnStateMachine(this, 'Machine', {
      stateMachineName: machineName(settings, name),
      stateMachineType: name === 'straight' ? 'EXPRESS' : 'STANDARD',
      roleArn: identity.roleArn,
      definitionString: JSON.stringify(definition(name)),
      definitionSubstitutions: { SagaFunctionArn: task.functionArn },
      // Errors only: at a thousand payments a second a log of every step costs more than the steps.
      loggingConfiguration: {
        level: name === 'straight' ? 'ERROR' : 'ALL',
        includeExecutionData: false,
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: log.logGroupArn } }],
      },
      tracingConfiguration: { enabled: true },
    });
    this.machine.node.addDependency(policy);
    if (name === 'straight') accept(this.machine, 'express-errors-only');
    Tags.of(this).add('component', 'saga', { priority: 200 });
  }
}
