/** What every stage must be, whatever the stacks come to look like: where, how long, under which key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { Stack } from 'aws-cdk-lib';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { CfnGlobalTable } from 'aws-cdk-lib/aws-dynamodb';
import { LombardStage } from '../lib/stage.js';
import { settingsOf, STAGES } from '../lib/settings.js';
import { app, resources, templates } from './synthesised.js';

const TAGS = ['component', 'cost-centre', 'data-class', 'environment'];

/** Types whose tags CloudFormation takes as a map, and those that take none. */
const tagged = (value: unknown): string[] =>
  Array.isArray(value) ? value.map((tag) => tag.Key) : Object.keys(value ?? {});

for (const stage of STAGES) {
  test(`${stage}: whatever costs money says what it is for`, () => {
    const types = [
      'AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::SQS::Queue', 'AWS::Kinesis::Stream', 'AWS::Lambda::Function',
      'AWS::Logs::LogGroup', 'AWS::StepFunctions::StateMachine', 'AWS::SecretsManager::Secret', 'AWS::WAFv2::WebACL', 'AWS::SNS::Topic',
      'AWS::KinesisFirehose::DeliveryStream', 'AWS::CloudTrail::Trail', 'AWS::ApiGateway::RestApi', 'AWS::ApiGateway::Stage',
      'AWS::CloudWatch::Alarm', 'AWS::Events::EventBus', 'AWS::Athena::WorkGroup',
    ];
    const found = resources(stage, ...types);
    assert.ok(found.length > 50);
    for (const it of found) {
      const keys = tagged(it.Properties.Tags);
      for (const tag of TAGS) assert.ok(keys.includes(tag), `${it.stack}/${it.id} has no tag ${tag}`);
    }
  });

  test(`${stage}: tables are under a key of ours, recoverable, and protected where it matters`, () => {
    for (const { id, Properties: it, DeletionPolicy } of resources(stage, 'AWS::DynamoDB::Table')) {
      assert.equal(it.SSESpecification.SSEType, 'KMS', id);
      assert.ok(it.SSESpecification.KMSMasterKeyId['Fn::GetAtt'], id);
      assert.equal(it.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled, true, id);
      assert.equal(it.DeletionProtectionEnabled ?? false, stage === 'prod', id);
      assert.equal(DeletionPolicy, stage === 'prod' ? 'Retain' : 'Delete', id);
      assert.equal(it.Replicas, undefined, id);
    }
  });

  test(`${stage}: the indexes have keys only, and names that DynamoDB takes`, () => {
    const records = resources(stage, 'AWS::DynamoDB::Table').find((it) => it.Properties.GlobalSecondaryIndexes)!;
    for (const index of records.Properties.GlobalSecondaryIndexes) {
      assert.equal(index.Projection.ProjectionType, 'KEYS_ONLY');
      assert.match(index.IndexName, /^[A-Za-z0-9_.-]{3,255}$/);
    }
  });

  test(`${stage}: buckets are private, versioned, by TLS, under a key of ours, and log who came`, () => {
    const policies = resources(stage, 'AWS::S3::BucketPolicy');
    for (const { id, Properties: it } of resources(stage, 'AWS::S3::Bucket')) {
      assert.deepEqual(Object.values(it.PublicAccessBlockConfiguration), [true, true, true, true], id);
      assert.equal(it.VersioningConfiguration.Status, 'Enabled', id);
      const [{ ServerSideEncryptionByDefault: by }] = it.BucketEncryption.ServerSideEncryptionConfiguration;
      const logs = id.startsWith('BucketsAccessLogs');
      assert.equal(by.SSEAlgorithm, logs ? 'AES256' : 'aws:kms', id);
      assert.equal(it.LoggingConfiguration !== undefined, !logs, id);
      assert.equal(it.ReplicationConfiguration, undefined, id);
      const policy = policies.find((one) => one.Properties.Bucket.Ref === id);
      const text = JSON.stringify(policy?.Properties.PolicyDocument);
      assert.match(text, /aws:SecureTransport/, id);
      assert.match(text, /s3:TlsVersion/, id);
    }
  });

  test(`${stage}: whatever keeps anything keeps it under a key`, () => {
    for (const { id, Properties: it } of resources(stage, 'AWS::Logs::LogGroup')) {
      assert.ok(it.KmsKeyId, id);
      assert.ok(it.RetentionInDays, `${id} is kept for ever`);
    }
    for (const { id, Properties: it } of resources(stage, 'AWS::SQS::Queue', 'AWS::SNS::Topic')) assert.ok(it.KmsMasterKeyId, id);
    for (const { id, Properties: it } of resources(stage, 'AWS::Kinesis::Stream')) assert.equal(it.StreamEncryption.EncryptionType, 'KMS', id);
    for (const { id, Properties: it } of resources(stage, 'AWS::SecretsManager::Secret', 'AWS::CloudTrail::Trail')) assert.ok(it.KmsKeyId ?? it.KMSKeyId, id);
    for (const { id, Properties: it } of resources(stage, 'AWS::Lambda::Function')) assert.ok(it.KmsKeyArn, id);
    for (const { id, Properties: it } of resources(stage, 'AWS::Events::EventBus')) assert.ok(it.KmsKeyIdentifier, id);
    for (const { Properties: it } of resources(stage, 'AWS::Athena::WorkGroup')) {
      assert.equal(it.WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration.EncryptionOption, 'SSE_KMS');
      assert.equal(it.WorkGroupConfiguration.EnforceWorkGroupConfiguration, true);
    }
    for (const { id, Properties: it } of resources(stage, 'AWS::KMS::Key')) {
      assert.equal(it.EnableKeyRotation ?? false, it.KeySpec === undefined, id);
      assert.notEqual(it.MultiRegion, true, id);
    }
  });

  test(`${stage}: nothing secret is in a function's environment`, () => {
    for (const { id, Properties: it } of resources(stage, 'AWS::Lambda::Function')) {
      const environment = it.Environment?.Variables ?? {};
      assert.doesNotMatch(JSON.stringify(environment), /resolve:(secretsmanager|ssm)|SecretString|AKIA|sk_(test|live)/, id);
      // Names and numbers of things only; the one that is called a secret is its ARN.
      for (const key of Object.keys(environment)) assert.match(key, /^(LOMBARD|AWS_LAMBDA_HTTP)_[A-Z_]+$/, id);
    }
  });

  test(`${stage}: each place for what could not be done has an alarm within a minute`, () => {
    const queues = resources(stage, 'AWS::SQS::Queue').filter((it) => it.id.includes('Dead'));
    const alarms = resources(stage, 'AWS::CloudWatch::Alarm').filter((it) => it.Properties.MetricName === 'ApproximateNumberOfMessagesVisible');
    assert.deepEqual([queues.length, alarms.length], [5, 5]);
    for (const { Properties: it } of alarms) {
      assert.deepEqual([it.Period, it.EvaluationPeriods, it.Threshold, it.ComparisonOperator], [60, 1, 0, 'GreaterThanThreshold']);
      assert.equal(it.AlarmActions.length, 1);
    }
    for (const queue of queues) assert.equal(queue.Properties.MessageRetentionPeriod, 14 * 86_400, queue.id);
  });

  test(`${stage}: what feeds on a stream reports its failures one by one and buries what it cannot do`, () => {
    const mappings = resources(stage, 'AWS::Lambda::EventSourceMapping');
    assert.equal(mappings.length, 2);
    for (const { id, Properties: it } of mappings) {
      assert.deepEqual(it.FunctionResponseTypes, ['ReportBatchItemFailures'], id);
      if (it.StartingPosition) {
        assert.ok(it.DestinationConfig.OnFailure.Destination, id);
        assert.equal(it.MaximumRetryAttempts, 3, id);
        assert.equal(it.BisectBatchOnFunctionError, true, id);
      }
    }
  });
}

test('in production nobody, not even root, can change the ledger or the audit trail before their time', () => {
  const locked = resources('prod', 'AWS::S3::Bucket').filter((it) => it.Properties.ObjectLockEnabled);
  assert.deepEqual(
    locked.map((it) => [it.id.replace(/[0-9A-F]{8}$/, ''), it.Properties.ObjectLockConfiguration.Rule.DefaultRetention]).sort(),
    [['BucketsAudit', { Days: 366, Mode: 'COMPLIANCE' }], ['BucketsLedger', { Days: 2557, Mode: 'COMPLIANCE' }]],
  );
});

test('production keeps logs for a month, access logs for over a year, and says so', () => {
  const kept = resources('prod', 'AWS::Logs::LogGroup').map((it) => [it.id.replace(/[0-9A-F]{8}$/, ''), it.Properties.RetentionInDays]);
  const long = kept.filter(([, days]) => days === 400).map(([id]) => id).sort();
  assert.deepEqual(long, ['EntryAccess', 'EntryFirewallLog', 'RotationLog', 'TrailLog']);
  for (const [id, days] of kept) assert.ok(days === 30 || days === 400, String(id));
});

test('the log that is behind rings, and so does nobody looking', () => {
  const found = resources('prod', 'AWS::CloudWatch::Alarm').filter((it) => it.Properties.MetricName === 'lombard_log_lag');
  assert.equal(found.length, 1);
  const { Namespace, TreatMissingData, Dimensions, Threshold } = found[0]!.Properties;
  assert.deepEqual([Namespace, TreatMissingData, Threshold], ['Lombard', 'breaching', 1_920]);
  assert.deepEqual(Dimensions, [{ Name: 'stage', Value: 'prod' }]);
});

test('exceptions that cannot wait reach people, and the message says nothing of anybody', () => {
  const rule = resources('prod', 'AWS::Events::Rule').find((it) => it.stack === 'Watch')!.Properties;
  assert.deepEqual(rule.EventPattern, { source: ['lombard'], 'detail-type': ['exception.opened'] });
  const [target] = rule.Targets;
  assert.ok(target.RoleArn && target.Arn.Ref.startsWith('Page'));
  const said = Object.values(target.InputTransformer.InputPathsMap).sort();
  assert.deepEqual(said, ['id', 'kind', 'runbook', 'tenant'].map((field) => `$.detail.${field}`));
});

test('every read and write of the vault is on the trail', () => {
  const [trail] = resources('prod', 'AWS::CloudTrail::Trail');
  const vault = trail!.Properties.AdvancedEventSelectors.find((it: any) => it.Name === 'The vault');
  const text = JSON.stringify(vault);
  assert.match(text, /AWS::DynamoDB::Table/);
  for (const table of ['Vault', 'Tokens']) assert.match(text, new RegExp(`ExportsOutputFnGetAtt${table}`));
  assert.doesNotMatch(text, /readOnly/, 'reads and writes both');
  assert.equal(trail!.Properties.EnableLogFileValidation, true);
});

test('another region is refused', () => {
  for (const region of ['us-east-1', 'eu-west-1']) {
    const within = app({ region });
    const stage = new LombardStage(within, 'Elsewhere', settingsOf('dev', within.node));
    const data = stage.node.findChild('Data') as Stack;
    Annotations.fromStack(data).hasError('*', Match.stringLikeRegexp(`residency: the region ${region}`));
  }
});

test('a copy in another region is refused', () => {
  const within = app();
  const stage = new LombardStage(within, 'Copying', settingsOf('dev', within.node));
  const stack = new Stack(stage, 'Copies');
  new CfnGlobalTable(stack, 'Roams', { attributeDefinitions: [], keySchema: [], replicas: [{ region: 'us-east-1' }] });
  new CfnBucket(stack, 'Copied', { replicationConfiguration: { role: 'r', rules: [] } });
  Annotations.fromStack(stack).hasError('*', Match.stringLikeRegexp('GlobalTable has copies outside'));
  Annotations.fromStack(stack).hasError('*', Match.stringLikeRegexp('AWS::S3::Bucket would copy'));
});

test('both stages have the same resources, but for what only production records', () => {
  const types = (stage: 'dev' | 'prod', stack: string) =>
    Object.values(templates(stage)[stack].Resources as Record<string, { Type: string }>).map((it) => it.Type).sort();
  for (const stack of ['Data', 'Payments', 'Analytics', 'Watch']) assert.deepEqual(types('dev', stack), types('prod', stack), stack);
  assert.ok(types('prod', 'Audit').includes('AWS::Config::ConfigRule'));
  assert.ok(!types('dev', 'Audit').includes('AWS::Config::ConfigRule'));
});
