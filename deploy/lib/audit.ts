/**
 * Who did what: CloudTrail into a bucket that nobody can change, with every read and write of the
 * vault and the ledger's bucket; and whether the account still is as it was built.
 */
import { Stack, Tags, type StackProps } from 'aws-cdk-lib';
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import { CfnConfigurationRecorder, CfnDeliveryChannel, ManagedRule, ManagedRuleIdentifiers, type ManagedRuleProps } from 'aws-cdk-lib/aws-config';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { accept, acceptUnder } from './accepted.js';
import type { DataStack } from './data.js';
import { allow } from './roles.js';
import type { Settings } from './settings.js';

export interface AuditProps extends StackProps {
  readonly settings: Settings;
  readonly data: DataStack;
}

export class AuditStack extends Stack {
  constructor(scope: Construct, id: string, { settings, data, ...props }: AuditProps) {
    super(scope, id, props);
    this.trail(settings, data);
    if (settings.recordsConfiguration) this.configuration(data);
    Tags.of(this).add('component', 'audit', { priority: 100 });
    Tags.of(this).add('data-class', 'audit', { priority: 100 });
  }

  private trail(settings: Settings, data: DataStack): void {
    const log = new LogGroup(this, 'TrailLog', {
      retention: settings.accessLogs,
      encryptionKey: data.keys.audit,
      removalPolicy: settings.removal,
    });
    accept(log, 'key-by-reference', 'short-logs');
    const identity = new Role(this, 'TrailIdentity', {
      assumedBy: new ServicePrincipal('cloudtrail.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
      description: 'What the trail may do',
    });
    const policy = new ManagedPolicy(this, 'TrailPolicy', {
      statements: [allow('OwnLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], [log.logGroupArn])],
    });
    identity.addManagedPolicy(policy);
    const trail = new CfnTrail(this, 'Trail', {
      trailName: `lombard-${settings.stage}`,
      isLogging: true,
      s3BucketName: data.buckets.audit.bucketName,
      s3KeyPrefix: 'trail',
      kmsKeyId: data.keys.audit.keyArn,
      // Digests, signed by AWS, so that a removed file is noticed.
      enableLogFileValidation: true,
      // IAM and other global services answer from elsewhere; what they did is recorded here.
      includeGlobalServiceEvents: true,
      isMultiRegionTrail: true,
      cloudWatchLogsLogGroupArn: log.logGroupArn,
      cloudWatchLogsRoleArn: identity.roleArn,
      advancedEventSelectors: [
        { name: 'What was changed, and every use of a key', fieldSelectors: [is('eventCategory', 'Management')] },
        {
          name: 'The vault',
          fieldSelectors: [
            is('eventCategory', 'Data'),
            is('resources.type', 'AWS::DynamoDB::Table'),
            is('resources.ARN', data.vault.tableArn, data.tokens.tableArn),
          ],
        },
        {
          name: 'The ledger, the audit trail and what banks sent',
          fieldSelectors: [
            is('eventCategory', 'Data'),
            is('resources.type', 'AWS::S3::Object'),
            {
              field: 'resources.ARN',
              startsWith: [data.buckets.ledger, data.buckets.audit, data.buckets.arrivals].map((of) => of.arnForObjects('')),
            },
          ],
        },
      ],
    });
    trail.node.addDependency(policy);
    accept(trail, 'key-by-reference');
  }

  private configuration(data: DataStack): void {
    const identity = new Role(this, 'RecorderIdentity', {
      assumedBy: new ServicePrincipal('config.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
      description: 'What the recorder of the account\'s configuration may do',
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('service-role/AWS_ConfigRole')],
    });
    const policy = new ManagedPolicy(this, 'RecorderPolicy', {
      statements: [
        allow('History', ['s3:PutObject'], [data.buckets.audit.arnForObjects(`config/AWSLogs/${this.account}/*`)], {
          StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' },
        }),
        allow('Bucket', ['s3:GetBucketAcl', 's3:ListBucket'], [data.buckets.audit.bucketArn]),
        allow('Key', ['kms:Decrypt', 'kms:GenerateDataKey'], [data.keys.audit.keyArn]),
      ],
    });
    acceptUnder(policy, data.buckets.audit, 'config/AWSLogs/<AWS::AccountId>/*',
      'Config names its files by day and type; it writes below its own prefix and nowhere else.');
    accept(identity, 'configuration-reader');
    identity.addManagedPolicy(policy);
    const recorder = new CfnConfigurationRecorder(this, 'Recorder', {
      roleArn: identity.roleArn,
      recordingGroup: { allSupported: true, includeGlobalResourceTypes: true },
    });
    const channel = new CfnDeliveryChannel(this, 'Channel', {
      s3BucketName: data.buckets.audit.bucketName,
      s3KeyPrefix: 'config',
      s3KmsKeyArn: data.keys.audit.keyArn,
    });
    for (const [name, rule] of Object.entries(RULES)) {
      new ManagedRule(this, name, rule).node.addDependency(recorder, channel);
    }
  }
}

const is = (field: string, ...equalTo: string[]) => ({ field, equalTo });

/** What must still be so, whoever changed what by hand. */
const RULES: Record<string, ManagedRuleProps> = {
  TablesRecoverable: { identifier: ManagedRuleIdentifiers.DYNAMODB_PITR_ENABLED },
  TablesEncrypted: { identifier: ManagedRuleIdentifiers.DYNAMODB_TABLE_ENCRYPTED_KMS },
  BucketsNotReadable: { identifier: ManagedRuleIdentifiers.S3_BUCKET_PUBLIC_READ_PROHIBITED },
  BucketsNotWritable: { identifier: ManagedRuleIdentifiers.S3_BUCKET_PUBLIC_WRITE_PROHIBITED },
  BucketsByTlsOnly: { identifier: ManagedRuleIdentifiers.S3_BUCKET_SSL_REQUESTS_ONLY },
  BucketsVersioned: { identifier: ManagedRuleIdentifiers.S3_BUCKET_VERSIONING_ENABLED },
  KeysRotate: { identifier: ManagedRuleIdentifiers.CMK_BACKING_KEY_ROTATION_ENABLED },
  KeysNotDying: { identifier: ManagedRuleIdentifiers.KMS_CMK_NOT_SCHEDULED_FOR_DELETION },
  TrailOn: { identifier: ManagedRuleIdentifiers.CLOUD_TRAIL_ENABLED },
  TrailValidated: { identifier: ManagedRuleIdentifiers.CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED },
  FunctionsNotPublic: { identifier: ManagedRuleIdentifiers.LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED },
  NobodyIsAdmin: { identifier: ManagedRuleIdentifiers.IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS },
  RootHasNoKeys: { identifier: ManagedRuleIdentifiers.IAM_ROOT_ACCESS_KEY_CHECK },
  SecretsRotate: { identifier: ManagedRuleIdentifiers.SECRETSMANAGER_ROTATION_ENABLED_CHECK },
};
