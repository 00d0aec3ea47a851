/**
 * What must outlive everything else: keys, tables, buckets, streams, queues, secrets.
 */
import { CfnOutput, Duration, Stack, Tags, type StackProps } from 'aws-cdk-lib';
import {
  AttributeType, BillingMode, ContributorInsightsMode, ProjectionType, StreamViewType, Table, TableEncryption,
  type TableProps,
} from 'aws-cdk-lib/aws-dynamodb';
import type { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Stream, StreamEncryption, StreamMode } from 'aws-cdk-lib/aws-kinesis';
import { EventBus, Archive } from 'aws-cdk-lib/aws-events';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { accept } from './accepted.js';
import { lendAuditBucket } from './audit-bucket.js';
import { Buckets } from './buckets.js';
import { Keys } from './keys.js';
import { Queues } from './queues.js';
import { boundary } from './residency.js';
import { HERE, type Settings } from './settings.js';

/** The tables' keys: the one place here that says them; `aws/src/dynamo/table.rs` makes the same. */
export const SHAPE: {
  readonly records: { partition: string; sort: string; indexes: { name: string; partition: string; sort: string }[] };
  readonly feed: { partition: string; sort: string; expires: string };
} = JSON.parse(readFileSync(join(HERE, 'table.json'), 'utf8'));

export interface DataProps extends StackProps {
  readonly settings: Settings;
}

export class DataStack extends Stack {
  readonly keys: Keys;
  readonly buckets: Buckets;
  readonly queues: Queues;
  /** Every record: payments, ledger, idempotency, work to do. */
  readonly records: Table;
  /** The numbered journal of what was committed: what consumers read, and where they are. */
  readonly feed: Table;
  /** The vault's own keys, wrapped. */
  readonly vault: Table;
  /** Tokens, and the wrapped data keys of persons; taking a key away is erasing the person. */
  readonly tokens: Table;
  /** The most that any function or workflow may do. */
  readonly boundary: ManagedPolicy;
  readonly events: Stream;
  readonly bus: EventBus;
  /** What the rails' gateways know us by. */
  readonly rails: Secret;

  constructor(scope: Construct, id: string, props: DataProps) {
    super(scope, id, props);
    const { settings } = props;
    this.boundary = boundary(this);
    this.keys = new Keys(this, 'Keys', settings);
    this.buckets = new Buckets(this, 'Buckets', settings, this.keys);
    lendAuditBucket(this, settings);
    this.queues = new Queues(this, 'Queues', this.keys.ledger, this.buckets.arrivals);
    const name = `lombard-${settings.stage}`;
    this.records = this.recordsTable('Records', settings, {
      tableName: name,
      encryptionKey: this.keys.ledger,
      stream: StreamViewType.NEW_IMAGE,
    });
    this.feed = this.table('Feed', settings, {
      // The program finds it by this name.
      tableName: `${name}-feed`,
      encryptionKey: this.keys.ledger,
      partitionKey: { name: SHAPE.feed.partition, type: AttributeType.STRING },
      sortKey: { name: SHAPE.feed.sort, type: AttributeType.NUMBER },
      timeToLiveAttribute: SHAPE.feed.expires,
    });
    this.vault = this.table('Vault', settings, {
      encryptionKey: this.keys.vault,
      partitionKey: { name: 'p', type: AttributeType.STRING },
    });
    // Its name is the one that `lombard export --aws-table` looks for.
    this.tokens = this.recordsTable('Tokens', settings, { tableName: `${name}-vault`, encryptionKey: this.keys.vault });
    for (const table of [this.records, this.feed]) Tags.of(table).add('data-class', 'financial', { priority: 200 });
    for (const table of [this.vault, this.tokens]) Tags.of(table).add('data-class', 'personal', { priority: 200 });

    this.events = new Stream(this, 'Events', {
      streamMode: StreamMode.PROVISIONED,
      shardCount: settings.shards,
      retentionPeriod: Duration.hours(settings.protected ? 168 : 24),
      encryption: StreamEncryption.KMS,
      encryptionKey: this.keys.ledger,
      removalPolicy: settings.removal,
    });
    accept(this.events, 'own-key');
    this.bus = new EventBus(this, 'Bus', { kmsKey: this.keys.ledger });
    new Archive(this, 'Replayable', {
      sourceEventBus: this.bus,
      eventPattern: { source: ['lombard'] },
      retention: settings.archive,
      description: 'Business events, to be replayed to a consumer that was added or mended',
    });
    this.rails = new Secret(this, 'Rails', {
      description: 'The signing keys that the gateways of the rails know us by, by rail',
      encryptionKey: this.keys.vault,
      removalPolicy: settings.removal,
      generateSecretString: { secretStringTemplate: '{}', generateStringKey: 'fps', excludePunctuation: true, passwordLength: 64 },
    });
    accept(this.rails, 'rotated-elsewhere');
    Tags.of(this.rails).add('data-class', 'secret', { priority: 200 });
    new CfnOutput(this, 'RecordsName', { value: this.records.tableName });
  }

  /** A table that a store of records lives in, with its two orders. */
  private recordsTable(id: string, settings: Settings, more: Omit<TableProps, 'partitionKey'>): Table {
    const { partition, sort, indexes } = SHAPE.records;
    const table = this.table(id, settings, {
      partitionKey: { name: partition, type: AttributeType.STRING },
      sortKey: { name: sort, type: AttributeType.STRING },
      ...more,
    });
    for (const index of indexes) {
      table.addGlobalSecondaryIndex({
        indexName: index.name,
        partitionKey: { name: index.partition, type: AttributeType.STRING },
        sortKey: { name: index.sort, type: AttributeType.STRING },
        // Only keys: an index is written when a record enters or leaves an order, not each time
        // that the record changes (docs/cost.md shows what that saves).
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    return table;
  }

  private table(id: string, settings: Settings, more: TableProps): Table {
    return new Table(this, id, {
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true, recoveryPeriodInDays: 35 },
      deletionProtection: settings.protected,
      // Which keys are hot, without reading a single request.
      contributorInsightsSpecification: {
        enabled: settings.protected,
        mode: ContributorInsightsMode.THROTTLED_KEYS,
      },
      removalPolicy: settings.removal,
      ...more,
    });
  }
}
