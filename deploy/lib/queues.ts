/**
 * The queues, each with a place for what cannot be done. Messages stay there for fourteen days; an
 * alarm rings within a minute of the first (`watch.ts`), and redrive is one command
 * (`npm run redrive`), harmless when repeated because every consumer is idempotent.
 */
import { Duration, Stack, Tags } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { Queue, QueueEncryption, RedrivePermission } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { accept } from './accepted.js';

/** How often a message is tried before it is somebody's work. */
export const TRIES = 3;

export class Queues extends Construct {
  /** Files that arrived. */
  readonly arrivals: Queue;
  /** Every place for what could not be done, by the consumer that could not. */
  readonly dead: Record<'arrivals' | 'feed' | 'sequencer' | 'saga' | 'schedule', Queue>;

  constructor(scope: Construct, id: string, private readonly key: Key, arrivals: Bucket) {
    super(scope, id);
    this.dead = {
      // The one that a queue itself fills; the others are filled by functions' own failures.
      arrivals: this.graveyard('ArrivalsDead', undefined),
      feed: this.graveyard('FeedDead'),
      sequencer: this.graveyard('SequencerDead'),
      saga: this.graveyard('SagaDead'),
      schedule: this.graveyard('ScheduleDead'),
    };
    this.arrivals = new Queue(this, 'Arrivals', {
      ...this.common(),
      // Six times the function's own limit, so that a message is not seen twice while it is read.
      visibilityTimeout: Duration.minutes(30),
      retentionPeriod: Duration.days(4),
      deadLetterQueue: { queue: this.dead.arrivals, maxReceiveCount: TRIES },
    });
    this.hearOf(arrivals);
    this.buryWhatNeverRan();
    Tags.of(this).add('data-class', 'financial', { priority: 200 });
  }

  /**
   * The bucket tells the queue. Written on the bucket itself, because the usual construct would
   * bring a function of its own, with an identity that may rewrite any bucket's notifications.
   */
  private hearOf(bucket: Bucket): void {
    this.arrivals.addToResourcePolicy(new PolicyStatement({
      sid: 'Arrived',
      principals: [new ServicePrincipal('s3.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [this.arrivals.queueArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
    }));
    const resource = bucket.node.defaultChild as CfnBucket;
    resource.notificationConfiguration = {
      queueConfigurations: [{ event: 's3:ObjectCreated:*', queue: this.arrivals.queueArn }],
    };
    // S3 tries the queue when it is told of it, so the queue's policy must be there before.
    bucket.node.addDependency(this.arrivals);
  }

  /** What EventBridge could not even start ends here. */
  private buryWhatNeverRan(): void {
    const { account } = Stack.of(this);
    for (const queue of [this.dead.schedule, this.dead.sequencer]) {
      queue.addToResourcePolicy(new PolicyStatement({
        sid: 'NeverRan',
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [queue.queueArn],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }));
    }
  }

  private graveyard(id: string, from: RedrivePermission | undefined = RedrivePermission.DENY_ALL): Queue {
    const queue = new Queue(this, id, {
      ...this.common(),
      retentionPeriod: Duration.days(14),
      redriveAllowPolicy: from && { redrivePermission: from },
    });
    accept(queue, 'last-queue');
    return queue;
  }

  private common() {
    return {
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: this.key,
      // One data key a day, not one a five minutes: KMS calls are part of a payment's cost.
      dataKeyReuse: Duration.hours(24),
      enforceSSL: true,
    };
  }
}
