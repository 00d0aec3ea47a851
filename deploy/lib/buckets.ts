/**
 * The buckets. Each is private, versioned, encrypted under a key of ours, reached by TLS 1.2 or
 * better only, and logs who reached it. What must not change cannot: Object Lock.
 */
import { Duration, Tags } from 'aws-cdk-lib';
import { Effect, AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership, StorageClass,
  type BucketProps, type LifecycleRule,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { accept } from './accepted.js';
import type { Keys } from './keys.js';
import type { Settings } from './settings.js';

export class Buckets extends Construct {
  /** Tiles and checkpoints of the verifiable log. */
  readonly ledger: Bucket;
  /** CloudTrail, configuration history and delivered access logs. */
  readonly audit: Bucket;
  /** Statements and settlement files as they arrive. */
  readonly arrivals: Bucket;
  /** Events as Parquet, for questions; can be made again from the archive. */
  readonly analytics: Bucket;

  private readonly accessLogs: Bucket;

  constructor(scope: Construct, id: string, private readonly settings: Settings, keys: Keys) {
    super(scope, id);
    this.accessLogs = this.forAccessLogs();
    this.ledger = this.bucket('Ledger', keys.ledger, 'financial', {
      objectLockEnabled: true,
      objectLockDefaultRetention: settings.ledgerLock,
      // Tiles are read by whoever verifies, mostly the newest: old ones pay less for lying there.
      lifecycleRules: [cool(90, StorageClass.INFREQUENT_ACCESS), unfinished()],
    });
    this.audit = this.bucket('Audit', keys.audit, 'audit', {
      objectLockEnabled: true,
      objectLockDefaultRetention: settings.auditLock,
      // Three months at once at hand, then cold, as PCI DSS 10.5.1 has it.
      lifecycleRules: [cool(90, StorageClass.GLACIER_INSTANT_RETRIEVAL), unfinished()],
    });
    this.arrivals = this.bucket('Arrivals', keys.ledger, 'personal', {
      lifecycleRules: [
        { id: 'done-with', expiration: Duration.days(400), noncurrentVersionExpiration: Duration.days(30) },
        unfinished(),
      ],
    });
    this.analytics = this.bucket('Analytics', keys.ledger, 'internal', {
      lifecycleRules: [
        { id: 'old-events', expiration: Duration.days(400), noncurrentVersionExpiration: Duration.days(7) },
        unfinished(),
      ],
    });
  }

  private bucket(id: string, key: Key, dataClass: string, more: BucketProps): Bucket {
    const bucket = new Bucket(this, id, {
      ...this.common(),
      encryption: BucketEncryption.KMS,
      encryptionKey: key,
      // One call to KMS a bucket and while, not one an object (docs/cost.md).
      bucketKeyEnabled: true,
      versioned: true,
      serverAccessLogsBucket: this.accessLogs,
      serverAccessLogsPrefix: `${id.toLowerCase()}/`,
      ...more,
    });
    // Whoever names no key gets the bucket's own. Naming another one is refused.
    const header = 's3:x-amz-server-side-encryption';
    refuse(bucket, 'NoOtherEncryption', header, 'aws:kms');
    refuse(bucket, 'NoOtherKey', `${header}-aws-kms-key-id`, key.keyArn);
    accept(bucket, 'one-region', 'nobody-listens');
    if (!more.objectLockEnabled) accept(bucket, 'may-change');
    Tags.of(bucket).add('data-class', dataClass, { priority: 200 });
    return bucket;
  }

  private forAccessLogs(): Bucket {
    const bucket = new Bucket(this, 'AccessLogs', {
      ...this.common(),
      encryption: BucketEncryption.S3_MANAGED,
      versioned: true,
      lifecycleRules: [
        { id: 'a-year', expiration: Duration.days(400), noncurrentVersionExpiration: Duration.days(1) },
        unfinished(),
      ],
    });
    accept(bucket, 'access-log-bucket', 'one-region', 'nobody-listens', 'may-change');
    Tags.of(bucket).add('data-class', 'audit', { priority: 200 });
    return bucket;
  }

  private common(): BucketProps {
    return {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: this.settings.removal,
    };
  }
}

function cool(days: number, storageClass: StorageClass): LifecycleRule {
  return { id: 'cool', transitions: [{ storageClass, transitionAfter: Duration.days(days) }] };
}

function unfinished(): LifecycleRule {
  return { id: 'unfinished-uploads', abortIncompleteMultipartUploadAfter: Duration.days(2) };
}

/** Refuses objects that are put with a header which says something else than `value`. */
function refuse(bucket: Bucket, sid: string, header: string, value: string): void {
  bucket.addToResourcePolicy(new PolicyStatement({
    sid,
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['s3:PutObject'],
    resources: [bucket.arnForObjects('*')],
    // A comparison alone would hold for requests without the header too.
    conditions: { Null: { [header]: 'false' }, StringNotEquals: { [header]: value } },
  }));
}
