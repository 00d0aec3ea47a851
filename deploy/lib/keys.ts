/**
 * The customer managed keys: one a class of data, so that whoever may read one class cannot read
 * another, and destroying a class is destroying its key.
 */
import { Duration, Stack, Tags } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Settings } from './settings.js';

export class Keys extends Construct {
  /** The ledger, the records around it, queues and streams: amounts and ids, no personal data. */
  readonly ledger: Key;
  /** The data keys of personal data. Nothing is encrypted under it directly. */
  readonly vault: Key;
  /** Logs, alarms and the audit trail. */
  readonly audit: Key;
  /** Signs checkpoints. The private half exists in KMS only, so no deployment can leak it. */
  readonly checkpoints: Key;

  constructor(scope: Construct, id: string, private readonly settings: Settings) {
    super(scope, id);
    this.ledger = this.symmetric('Ledger', 'Ledger, records, queues and streams', 'financial');
    this.vault = this.symmetric('Vault', 'Wraps the data keys of personal data', 'personal');
    this.audit = this.symmetric('Audit', 'Logs, alarms and the audit trail', 'audit');
    this.checkpoints = new Key(this, 'Checkpoints', {
      description: 'Signs the checkpoints of the verifiable log (Ed25519)',
      keySpec: KeySpec.ECC_NIST_EDWARDS25519,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: settings.removal,
      pendingWindow: Duration.days(settings.protected ? 30 : 7),
    });
    Tags.of(this.checkpoints).add('data-class', 'audit', { priority: 200 });
    for (const key of [this.ledger, this.vault, this.audit, this.checkpoints]) onlyServicesGetGrants(key);
    this.lend();
  }

  private symmetric(id: string, description: string, dataClass: string): Key {
    const key = new Key(this, id, {
      description,
      enableKeyRotation: true,
      rotationPeriod: Duration.days(365),
      removalPolicy: this.settings.removal,
      pendingWindow: Duration.days(this.settings.protected ? 30 : 7),
    });
    Tags.of(key).add('data-class', dataClass, { priority: 200 });
    return key;
  }

  /** Lets the services that encrypt for us use a key, each for this account's resources only. */
  private lend(): void {
    const stack = Stack.of(this);
    const here = { StringEquals: { 'aws:SourceAccount': stack.account } };
    const use = ['kms:Decrypt', 'kms:GenerateDataKey*'];
    const to = (key: Key, service: string, more: Partial<PolicyStatementProps> = {}) =>
      key.addToResourcePolicy(new PolicyStatement({
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal(service)],
        actions: use,
        resources: ['*'],
        conditions: here,
        ...more,
      }));
    to(this.audit, `logs.${stack.region}.amazonaws.com`, {
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      conditions: {
        ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:aws:logs:${stack.region}:${stack.account}:*` },
      },
    });
    to(this.audit, 'cloudwatch.amazonaws.com');
    to(this.audit, 'budgets.amazonaws.com');
    to(this.audit, 'events.amazonaws.com');
    to(this.audit, 'config.amazonaws.com');
    to(this.audit, 'cloudtrail.amazonaws.com', {
      actions: ['kms:GenerateDataKey*', 'kms:DescribeKey'],
    });
    to(this.ledger, 's3.amazonaws.com');
    to(this.ledger, 'events.amazonaws.com');
  }
}

/** A grant is access that no policy shows. AWS's services need them; nobody else gets to make one. */
function onlyServicesGetGrants(key: Key): void {
  key.addToResourcePolicy(new PolicyStatement({
    sid: 'GrantsToServicesOnly',
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['kms:CreateGrant'],
    resources: ['*'],
    conditions: {
      BoolIfExists: { 'kms:GrantIsForAWSResource': 'false', 'aws:PrincipalIsAWSService': 'false' },
    },
  }));
}
