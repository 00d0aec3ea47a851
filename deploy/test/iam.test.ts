/**
 * Who may do what, read as somebody would who has taken a function over. The table of actions is
 * exact: a role that gains or loses one must change a line here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIONS } from '../lib/residency.js';
import { ROLES, type RoleName } from '../lib/roles.js';
import { resources, type Named } from './synthesised.js';

interface Statement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
  Resource?: unknown;
  Principal?: any;
  Condition?: Record<string, any>;
}

const listed = <T>(one: T | T[]): T[] => (Array.isArray(one) ? one : [one]);
const statementsOf = (policy: Named): Statement[] => policy.Properties.PolicyDocument.Statement;
const policies = () => resources('prod', 'AWS::IAM::ManagedPolicy');
const policyOf = (role: RoleName): Statement[] => {
  const found = policies().filter((it) => it.stack === 'Payments' && it.id.startsWith(`${role}Policy`));
  assert.equal(found.length, 1, role);
  return statementsOf(found[0]!);
};

const TELLING = ['logs:CreateLogStream', 'logs:PutLogEvents', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
const READ = ['dynamodb:BatchGetItem', 'dynamodb:DescribeTable', 'dynamodb:GetItem'];
const WRITE = ['dynamodb:ConditionCheckItem', 'dynamodb:DeleteItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'];
const KEY = ['kms:Decrypt', 'kms:GenerateDataKey'];
const STREAM = ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'];

const MAY: Record<RoleName, string[]> = {
  api: [
    ...READ, ...WRITE, ...KEY, ...TELLING, 'dynamodb:Query', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GetPublicKey',
    'kms:ReEncryptFrom', 'kms:ReEncryptTo', 'kms:RotateKeyOnDemand', 's3:GetObject', 's3:ListBucket',
  ],
  feed: [
    ...READ, ...WRITE, ...KEY, ...TELLING, ...STREAM, 'dynamodb:ListStreams', 'dynamodb:Query', 'events:PutEvents',
    'kinesis:PutRecord', 'kinesis:PutRecords', 'sqs:SendMessage', 'states:SendTaskSuccess', 'states:StartExecution',
  ],
  sequencer: [
    ...READ, ...WRITE, ...KEY, ...TELLING, ...STREAM, 'dynamodb:Query', 'kms:GetPublicKey', 'kms:Sign', 's3:GetObject',
    's3:ListBucket', 's3:PutObject',
  ],
  reconcile: [
    ...READ, ...WRITE, ...KEY, ...TELLING, 'dynamodb:Query', 's3:GetObject', 's3:GetObjectVersion',
    'sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage', 'sqs:SendMessage',
  ],
  saga: [
    ...READ, ...WRITE, ...KEY, ...TELLING, 'secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue',
    'sqs:SendMessage',
  ],
  schedule: [...READ, ...WRITE, ...KEY, ...TELLING, 'dynamodb:Query', 'states:StartExecution'],
};

for (const role of ROLES) {
  test(`${role} may do exactly what it needs`, () => {
    const actions = new Set(policyOf(role).flatMap((it) => listed(it.Action)));
    assert.deepEqual([...actions].sort(), [...new Set(MAY[role])].sort());
  });
}

/** Actions that know no resource, and what each shows or does at the worst. */
const WITHOUT_RESOURCE = new Set([
  'xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets',
  'dynamodb:ListStreams',
  'logs:CreateLogDelivery', 'logs:GetLogDelivery', 'logs:UpdateLogDelivery', 'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries', 'logs:PutResourcePolicy', 'logs:DescribeResourcePolicies', 'logs:DescribeLogGroups',
]);

test('no identity has a wildcard for an action, nor for a resource where one can be named', () => {
  for (const policy of policies()) {
    if (policy.id.startsWith('Boundary')) continue;
    for (const statement of statementsOf(policy)) {
      const where = `${policy.stack}/${policy.id} ${statement.Sid}`;
      for (const action of listed(statement.Action)) {
        assert.ok(!action.includes('*'), `${where}: ${action}`);
        if (listed(statement.Resource).includes('*')) assert.ok(WITHOUT_RESOURCE.has(action), `${where}: ${action} on *`);
      }
    }
  }
});

test('nobody scans, deletes a table, or changes what an identity may do', () => {
  const never = /:(Scan|DeleteTable|CreateTable|UpdateTable|ExportTable.*|RestoreTable.*)$|^(iam|sts|organizations):/;
  for (const policy of policies()) {
    for (const statement of statementsOf(policy).filter((it) => it.Effect === 'Allow')) {
      for (const action of listed(statement.Action)) assert.doesNotMatch(action, never, policy.id);
    }
  }
});

test('only the saga reads the rails\' keys, and only it and their rotation', () => {
  const readers = policies().filter((policy) => !policy.id.startsWith('Boundary') && statementsOf(policy)
    .some((it) => listed(it.Action).includes('secretsmanager:GetSecretValue')));
  assert.deepEqual(readers.map((it) => it.id.replace(/[0-9A-F]{8}$/, '')).sort(), ['RotationPolicy', 'sagaPolicy']);
});

test('only the sequencer writes to the ledger\'s bucket or signs, and it can take nothing away', () => {
  for (const role of ROLES) {
    const actions = policyOf(role).flatMap((it) => listed(it.Action));
    assert.equal(actions.includes('s3:PutObject'), role === 'sequencer', role);
    assert.equal(actions.includes('kms:Sign'), role === 'sequencer', role);
    for (const action of actions) assert.doesNotMatch(action, /^s3:(Delete|Bypass|PutObjectRetention|PutBucket)/, role);
  }
});

test('keys work only through the services that hold data, or for a caller that says whose data it is', () => {
  for (const role of ROLES) {
    for (const statement of policyOf(role)) {
      if (!listed(statement.Action).some((action) => action === 'kms:Decrypt')) continue;
      const bound = statement.Condition?.StringEquals?.['kms:ViaService'] ?? statement.Condition?.Null?.['kms:EncryptionContext:tenant'];
      assert.ok(bound, `${role} ${statement.Sid}`);
    }
  }
});

test('only those who seal or open personal data know of the vault, and only the API of its tokens', () => {
  const knows = (sid: string): RoleName[] => ROLES.filter((role) => policyOf(role).some((it) => it.Sid === sid));
  assert.deepEqual(knows('WrappedKeys'), ['api', 'feed', 'saga', 'schedule']);
  for (const sid of ['ReadTokens', 'ListTokens', 'WriteTokens', 'Rewrap', 'Exchange']) assert.deepEqual(knows(sid), ['api'], sid);
});

test('nothing is sealed, opened or wrapped anew without saying whose it is, and nobody can take the keys away', () => {
  const data = /^kms:(Decrypt|Encrypt|GenerateDataKey|ReEncrypt(From|To))$/;
  for (const role of ROLES) {
    for (const statement of policyOf(role)) {
      const actions = listed(statement.Action);
      if (!actions.some((action) => data.test(action))) continue;
      const { StringEquals, Null } = statement.Condition ?? {};
      assert.ok(StringEquals?.['kms:ViaService'] ?? Null?.['kms:EncryptionContext:tenant'] === 'false', `${role} ${statement.Sid}`);
      // One statement about two keys would lend the condition of one to the other.
      assert.equal(listed(statement.Resource).length, 1, `${role} ${statement.Sid}`);
    }
    const onKeys = policyOf(role).find((it) => it.Sid === 'WrappedKeys');
    if (onKeys) for (const action of listed(onKeys.Action)) assert.match(action, /^dynamodb:(GetItem|PutItem)$/, role);
  }
});

test('every function\'s and workflow\'s identity is bounded, and only its service can be it', () => {
  const roles = resources('prod', 'AWS::IAM::Role').filter((it) => it.stack === 'Payments' || it.stack === 'Analytics');
  for (const role of roles) {
    const { Statement } = role.Properties.AssumeRolePolicyDocument;
    for (const one of Statement as Statement[]) {
      assert.equal(one.Action, 'sts:AssumeRole', role.id);
      assert.match(String(one.Principal.Service), /^[a-z]+\.amazonaws\.com$/, role.id);
    }
    if (!role.id.includes('LogWriter')) assert.ok(role.Properties.PermissionsBoundary, role.id);
    assert.equal(role.Properties.Policies, undefined, `${role.id} has an inline policy`);
  }
  assert.equal(resources('prod', 'AWS::IAM::Policy').length, 0);
  assert.equal(resources('prod', 'AWS::IAM::User', 'AWS::IAM::AccessKey').length, 0);
});

test('the boundary lists what the identities do and nothing else, and denies what would loosen it', () => {
  const bounded = policies().filter((it) => it.stack !== 'Audit' && !it.id.startsWith('Boundary'));
  const done = new Set(bounded.flatMap(statementsOf).flatMap((it) => listed(it.Action)));
  assert.deepEqual([...ACTIONS].sort(), [...done].sort());
  const boundary = policies().find((it) => it.id.startsWith('Boundary'))!;
  const denied = statementsOf(boundary).filter((it) => it.Effect === 'Deny');
  const elsewhere = denied.find((it) => it.Sid === 'NowhereElse')!;
  assert.deepEqual(elsewhere.Condition, { StringNotEquals: { 'aws:RequestedRegion': ['eu-west-2'] } });
  const words = denied.flatMap((it) => listed(it.Action));
  for (const action of ['iam:*', 's3:BypassGovernanceRetention', 'kms:ScheduleKeyDeletion', 'cloudtrail:StopLogging', 'kms:CreateGrant']) {
    assert.ok(words.includes(action), action);
  }
});

test('whoever may invoke a function is one service, on behalf of one thing of this account', () => {
  for (const permission of resources('prod', 'AWS::Lambda::Permission')) {
    const { Principal, SourceArn, SourceAccount, FunctionUrlAuthType } = permission.Properties;
    assert.match(Principal, /^[a-z]+\.amazonaws\.com$/, permission.id);
    assert.ok(SourceArn ?? SourceAccount, permission.id);
    assert.equal(FunctionUrlAuthType, undefined, permission.id);
  }
  assert.equal(resources('prod', 'AWS::Lambda::Url').length, 0);
});

test('who is not of this account is let in nowhere', () => {
  const types = ['AWS::KMS::Key', 'AWS::S3::BucketPolicy', 'AWS::SQS::QueuePolicy', 'AWS::SNS::TopicPolicy'];
  for (const it of resources('prod', ...types)) {
    const { KeyPolicy, PolicyDocument } = it.Properties;
    for (const statement of (KeyPolicy ?? PolicyDocument).Statement as Statement[]) {
      if (statement.Effect === 'Deny') continue;
      const where = `${it.id} ${statement.Sid ?? JSON.stringify(statement.Action)}`;
      assert.notEqual(statement.Principal, '*', where);
      if (statement.Principal.Service) {
        const condition = JSON.stringify(statement.Condition ?? {});
        // Log delivery is bound to the bucket by S3 itself; it names account and source bucket too.
        assert.match(condition, /SourceAccount|SourceArn|kms:EncryptionContext|"kms:ViaService"/, where);
      } else {
        assert.match(JSON.stringify(statement.Principal), /AWS::AccountId/, where);
      }
    }
  }
});
