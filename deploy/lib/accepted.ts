/**
 * Every rule that a pack has and we do not follow, with why. Nothing is accepted by a rule's number
 * alone: an argument has a name, says which findings it answers, and is given at the construct that
 * it is about. A finding that nobody argued for fails the synthesis.
 */
import { Stack, Validations } from 'aws-cdk-lib';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IConstruct } from 'constructs';

interface Argument {
  readonly rules: readonly string[];
  readonly why: string;
}

const ARGUMENTS = {
  'own-keys': {
    rules: ['AwsSolutions-APIG4', 'AwsSolutions-COG4'],
    why: 'Callers of /v1 show Lombard\'s own keys, which the function checks before anything else, as it '
      + 'does in every other runtime: one tenant\'s keys are rotated and revoked in one place. What is '
      + 'open to all (health, the API\'s document, the verifiable log) is GET only and public by design. '
      + 'The console, where people work, is behind Cognito.',
  },
  'validated-inside': {
    rules: ['AwsSolutions-APIG2'],
    why: 'Requests are validated by the same router that serves the published OpenAPI document, with '
      + 'errors that name the field; a second schema at the gateway would answer in another form and '
      + 'drift.',
  },
  'no-cache': {
    rules: ['PCI.DSS.321-APIGWCacheEnabledAndEncrypted'],
    why: 'There is no cache to encrypt: an answer about a payment is never served from one, because it may '
      + 'have changed and may be another tenant\'s.',
  },
  'no-client-certificate': {
    rules: ['PCI.DSS.321-APIGWSSLEnabled'],
    why: 'A client certificate authenticates the gateway to an HTTP backend. The backend is a function, '
      + 'which the gateway invokes by IAM within AWS; there is no HTTP endpoint to protect.',
  },
  'gateway-log-writer': {
    rules: ['AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]'],
    why: 'The policy that API Gateway documents for the account\'s one log writer; only API Gateway of '
      + 'this account can assume the role, and the policy can only write logs.',
  },
  'configuration-reader': {
    rules: ['AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWS_ConfigRole]'],
    why: 'AWS extends this policy as it adds types of resources; a copy of ours would silently leave new '
      + 'types unrecorded. It reads configuration, not data, and only Config of this account can assume '
      + 'the role.',
  },
  'boundary': {
    rules: ['AwsSolutions-IAM5[Resource::*]'],
    why: 'A boundary grants nothing: it is the most that an identity\'s own policy, which names resources, '
      + 'can come to mean. Its list of actions is exact, and its denials are what it is for.',
  },
  'tracing': {
    rules: ['AwsSolutions-IAM5[Resource::*]'],
    why: 'X-Ray\'s actions know no resources. They add trace segments and read sampling rules, and can '
      + 'read no trace.',
  },
  'find-stream': {
    rules: ['AwsSolutions-IAM5[Resource::*]'],
    why: 'dynamodb:ListStreams knows no resource, and Lambda\'s poller asks for it; it shows names of '
      + 'streams and no record.',
  },
  'log-delivery': {
    rules: ['AwsSolutions-IAM5[Resource::*]'],
    why: 'The calls with which Step Functions sets up its own log delivery know no resources (AWS\'s '
      + 'documentation gives this very statement); they deliver to a log group whose policy is '
      + 'another\'s.',
  },
  'no-network': {
    rules: ['PCI.DSS.321-LambdaInsideVPC', 'cdk-validator-cfnguard::lambda_inside_vpc_check'],
    why: 'The functions listen on nothing and reach only AWS\'s APIs, over TLS and by IAM, and the '
      + 'gateways of the rails. A VPC would add NAT gateways and nine interface endpoints in each zone '
      + '(docs/cost.md has the price) to reach the same public names, and protects machines, of which '
      + 'there are none. docs/aws.md says when to choose otherwise.',
  },
  'source-by-reference': {
    rules: ['cdk-validator-cfnguard::lambda_function_public_access_prohibited_check'],
    why: 'The permission names its source by a reference that the rule cannot read: it takes literals '
      + 'only. A test here asserts that every permission has a source of this account.',
  },
  'key-by-reference': {
    rules: ['cdk-validator-cfnguard::cloudwatch_log_group_encrypted_check', 'cdk-validator-cfnguard::cloud_trail_encryption_enabled_check', 'cdk-validator-cfnguard::athena_workgroup_results_encrypted_at_rest_kms_check'],
    why: 'The key is in the stack of data, and the rule cannot read references to another stack. A test '
      + 'here asserts that each of these has a key of ours.',
  },
  'short-logs': {
    rules: ['cdk-validator-cfnguard::cloudwatch_log_group_retention_period_check'],
    why: 'What the functions say about themselves is kept for thirty days, as the design has it, and holds '
      + 'no audit record: those are CloudTrail, access logs and the ledger\'s own trail, which are kept '
      + 'for a year and more.',
  },
  'one-region': {
    rules: ['PCI.DSS.321-S3BucketReplicationEnabled'],
    why: 'Data stays in London: a replica in another region would break the residency that the design '
      + 'promises, and one in the same region protects from nothing that versions, Object Lock and three '
      + 'zones do not.',
  },
  'nobody-listens': {
    rules: ['cdk-validator-cfnguard::s3_event_notifications_enabled_check'],
    why: 'Nothing is to happen when an object is written here; who wrote what is in CloudTrail and in the '
      + 'access log. Arriving files, where something is to happen, do notify.',
  },
  'may-change': {
    rules: ['cdk-validator-cfnguard::s3_bucket_object_lock_enabled_check'],
    why: 'Not a record: files that arrived are kept by version for a month and by the bank that sent them, '
      + 'analytics can be made again from the stream\'s archive, and access logs must expire. The ledger '
      + 'and the audit trail, which are records, are locked.',
  },
  'access-log-bucket': {
    rules: ['PCI.DSS.321-S3DefaultEncryptionKMS', 'cdk-validator-cfnguard::s3_bucket_default_encryption_kms_check', 'cdk-validator-cfnguard::s3_bucket_logging_enabled_check'],
    why: 'S3 delivers access logs only into buckets with its own encryption (SSE-S3), and a bucket that '
      + 'logged into itself would never end.',
  },
  'last-queue': {
    rules: ['AwsSolutions-SQS3', 'cdk-validator-cfnguard::sqs_dlq_check'],
    why: 'This queue is the place for what could not be done; behind it stands a person, whom an alarm '
      + 'calls within a minute.',
  },
  'own-key': {
    rules: ['AwsSolutions-KDS3'],
    why: 'The rule prefers the key that AWS manages because it costs nothing a call. Ours is kept on '
      + 'purpose: its policy says who may read events, and its use is on the trail.',
  },
  'rotated-elsewhere': {
    rules: ['AwsSolutions-SMG4'],
    why: 'It rotates every ninety days; the schedule is in the stack of functions, because a function does '
      + 'it (lib/rotation.ts).',
  },
  'express-errors-only': {
    rules: ['AwsSolutions-SF1'],
    why: 'At a thousand payments a second a line for every state costs more than the workflow '
      + '(docs/cost.md). The history of a payment is in the ledger and in its timeline, and errors are '
      + 'logged.',
  },
  'source-encrypted': {
    rules: ['AwsSolutions-KDF1'],
    why: 'The delivery reads from a Kinesis stream, which is encrypted under our key; Firehose then has no '
      + 'store of its own, and refuses the setting.',
  },
} as const satisfies Record<string, Argument>;

export type ArgumentName = keyof typeof ARGUMENTS;

/** Accepts, at a construct and what is in it, the findings that the named arguments answer. */
export function accept(at: IConstruct, ...names: ArgumentName[]): void {
  for (const name of names) {
    const { rules, why }: Argument = ARGUMENTS[name];
    Validations.of(at).acknowledge(...rules.map((id) => ({ id, reason: why })));
  }
}

/**
 * Accepts one wildcard in what a policy names: everything under a prefix of a bucket, with why it
 * cannot be narrower. The bucket is another stack's, and a finding names it by its export.
 */
export function acceptUnder(at: IConstruct, bucket: IBucket, prefix: string, why: string): void {
  const owner = Stack.of(bucket);
  const exported = owner.resolve(owner.exportValue(bucket.bucketArn))['Fn::ImportValue'];
  Validations.of(at).acknowledge({ id: `AwsSolutions-IAM5[Resource::${exported}/${prefix}]`, reason: why });
}
