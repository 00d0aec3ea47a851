/**
 * The rotation of the rails' keys every ninety days, by a function that can touch this secret and
 * nothing else (`functions/rotate.mjs`).
 */
import { Duration, Stack, Tags } from 'aws-cdk-lib';
import { ManagedPolicy, Role, ServicePrincipal, type IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Code, Function, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnRotationSchedule } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { join } from 'node:path';
import { accept } from './accepted.js';
import type { DataStack } from './data.js';
import { allow } from './roles.js';
import { HERE, type Settings } from './settings.js';

export interface RotationProps {
  readonly settings: Settings;
  readonly data: DataStack;
  readonly boundary: IManagedPolicy;
}

export class Rotation extends Construct {
  constructor(scope: Construct, id: string, { settings, data, boundary }: RotationProps) {
    super(scope, id);
    const secret = data.rails;
    const log = new LogGroup(this, 'Log', {
      retention: settings.accessLogs,
      encryptionKey: data.keys.audit,
      removalPolicy: settings.removal,
    });
    accept(log, 'key-by-reference', 'short-logs');
    const identity = new Role(this, 'Identity', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'What the rotation of the rails\' keys may do',
      permissionsBoundary: boundary,
    });
    const policy = new ManagedPolicy(this, 'Policy', {
      statements: [
        allow('RotateThisOne', [
          'secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue',
          'secretsmanager:UpdateSecretVersionStage',
        ], [secret.secretArn]),
        allow('ItsKey', ['kms:Decrypt', 'kms:GenerateDataKey'], [data.keys.vault.keyArn], {
          StringEquals: { 'kms:ViaService': `secretsmanager.${data.region}.amazonaws.com` },
        }),
        allow('OwnLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], [log.logGroupArn]),
        allow('Trace', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']),
      ],
    });
    accept(policy, 'tracing');
    identity.addManagedPolicy(policy);
    const rotate = new Function(this, 'Function', {
      description: 'Lombard: rotates the keys of the rails',
      runtime: Runtime.NODEJS_24_X,
      architecture: settings.architecture,
      handler: 'rotate.handler',
      code: Code.fromAsset(join(HERE, 'functions')),
      memorySize: 256,
      timeout: Duration.seconds(30),
      role: identity.withoutPolicyUpdates(),
      environmentEncryption: data.keys.audit,
      tracing: Tracing.ACTIVE,
      logGroup: log,
      loggingFormat: LoggingFormat.JSON,
    });
    accept(rotate, 'no-network', 'source-by-reference');
    rotate.addPermission('BySecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceAccount: Stack.of(this).account,
      sourceArn: secret.secretArn,
    });
    const schedule = new CfnRotationSchedule(this, 'Schedule', {
      secretId: secret.secretArn,
      rotationLambdaArn: rotate.functionArn,
      rotationRules: { scheduleExpression: 'rate(90 days)', duration: '4h' },
      rotateImmediatelyOnUpdate: false,
    });
    schedule.node.addDependency(rotate);
    Tags.of(this).add('component', 'secrets', { priority: 200 });
  }
}
