/**
 * Refuses what would put data outside the permitted regions. Three walls, of which this file has
 * two: the templates are not written, and no role can act elsewhere. The third is the service
 * control policy in `policies/residency.json`, for whoever owns the organisation.
 */
import { Annotations, CfnResource, Stack, Token, type IAspect } from 'aws-cdk-lib';
import { Effect, ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct, IConstruct } from 'constructs';
import { accept } from './accepted.js';
import { REGIONS } from './settings.js';

/** Types that exist to have copies in several regions, or at the edge. */
const ROAMING = [
  'AWS::DynamoDB::GlobalTable',
  'AWS::CloudFront::Distribution',
  'AWS::KMS::ReplicaKey',
  'AWS::S3::MultiRegionAccessPoint',
];

/** Properties that send data of a resource to another region, with the value that does. */
const COPIES: Record<string, (properties: Record<string, unknown>) => boolean> = {
  'AWS::S3::Bucket': (of) => of.replicationConfiguration !== undefined,
  'AWS::SecretsManager::Secret': (of) => of.replicaRegions !== undefined,
  'AWS::KMS::Key': (of) => of.multiRegion === true,
  'AWS::CloudTrail::Trail': (of) => of.isMultiRegionTrail === true && of.s3BucketName === undefined,
  'AWS::WAFv2::WebACL': (of) => of.scope === 'CLOUDFRONT',
};

/** An error for every resource that would be, or copy, outside. */
export class Residency implements IAspect {
  visit(node: IConstruct): void {
    if (node instanceof Stack && (Token.isUnresolved(node.region) || !REGIONS.includes(node.region))) {
      refuse(node, `the region ${node.region} is not one of ${REGIONS.join(', ')}`);
    }
    if (!(node instanceof CfnResource)) return;
    const type = node.cfnResourceType;
    if (ROAMING.includes(type)) refuse(node, `${type} has copies outside the region`);
    const copies = COPIES[type];
    // Some properties are lists that are filled later; what counts is what they come to.
    const said = new Proxy(node as unknown as Record<string, unknown>, {
      get: (of, name: string) => Stack.of(node).resolve(of[name]),
    });
    if (copies?.(said)) {
      refuse(node, `${type} would copy its data outside the region`);
    }
  }
}

function refuse(node: IConstruct, why: string): void {
  Annotations.of(node).addError(`residency: ${why}`);
}

/**
 * What no role of ours may ever do, whatever its own policy comes to say: act in another region,
 * loosen its own bounds, unlock what is locked, or switch off the records about it.
 */
export function boundary(scope: Construct): ManagedPolicy {
  const deny = (sid: string, actions: string[], conditions?: Record<string, unknown>) =>
    new PolicyStatement({ sid, effect: Effect.DENY, actions, resources: ['*'], conditions });
  const policy = new ManagedPolicy(scope, 'Boundary', {
    description: 'The most that any function or workflow may do.',
    statements: [
      // A boundary grants nothing: what a role may do is what its own policy and this both allow.
      new PolicyStatement({ sid: 'AtMostThese', actions: [...ACTIONS], resources: ['*'] }),
      deny('NowhereElse', ['*'], { StringNotEquals: { 'aws:RequestedRegion': [...REGIONS] } }),
      deny('NotItsOwnBounds', ['iam:*', 'organizations:*', 'sts:AssumeRole']),
      deny('NotTheLock', [
        's3:BypassGovernanceRetention', 's3:PutObjectRetention', 's3:PutObjectLegalHold',
        's3:PutBucketObjectLockConfiguration', 's3:DeleteObjectVersion', 's3:PutLifecycleConfiguration',
      ]),
      deny('NotTheKeys', ['kms:ScheduleKeyDeletion', 'kms:DisableKey', 'kms:PutKeyPolicy', 'kms:CreateGrant']),
      deny('NotTheRecords', [
        'cloudtrail:StopLogging', 'cloudtrail:DeleteTrail', 'cloudtrail:UpdateTrail',
        'config:StopConfigurationRecorder', 'logs:DeleteLogGroup', 'logs:DeleteLogStream',
        'logs:PutRetentionPolicy', 'dynamodb:DeleteTable', 'dynamodb:UpdateContinuousBackups',
      ]),
    ],
  });
  accept(policy, 'boundary');
  return policy;
}

/** Everything that any of them does, action by action; a test holds it to what their policies say. */
export const ACTIONS: readonly string[] = [
  'dynamodb:BatchGetItem', 'dynamodb:ConditionCheckItem', 'dynamodb:DeleteItem', 'dynamodb:DescribeStream',
  'dynamodb:DescribeTable', 'dynamodb:GetItem', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator',
  'dynamodb:ListStreams', 'dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:UpdateItem',
  'events:PutEvents',
  'glue:GetTable', 'glue:GetTableVersion', 'glue:GetTableVersions',
  'kinesis:DescribeStream', 'kinesis:GetRecords', 'kinesis:GetShardIterator', 'kinesis:ListShards',
  'kinesis:PutRecord', 'kinesis:PutRecords',
  'kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:GetPublicKey', 'kms:ReEncryptFrom',
  'kms:ReEncryptTo', 'kms:RotateKeyOnDemand', 'kms:Sign',
  'lambda:InvokeFunction',
  'logs:CreateLogDelivery', 'logs:CreateLogStream', 'logs:DeleteLogDelivery', 'logs:DescribeLogGroups',
  'logs:DescribeResourcePolicies', 'logs:GetLogDelivery', 'logs:ListLogDeliveries', 'logs:PutLogEvents',
  'logs:PutResourcePolicy', 'logs:UpdateLogDelivery',
  's3:AbortMultipartUpload', 's3:GetBucketLocation', 's3:GetObject', 's3:GetObjectVersion', 's3:ListBucket',
  's3:ListBucketMultipartUploads', 's3:ListMultipartUploadParts', 's3:PutObject',
  'secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue',
  'secretsmanager:UpdateSecretVersionStage',
  'sns:Publish',
  'sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:SendMessage',
  'states:SendTaskSuccess', 'states:StartExecution',
  'xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments',
];
