/**
 * Questions: events from the stream, as Parquet, by day, for Athena. Nothing here is needed to pay,
 * and nothing in it says who a person is: events carry ids and amounts (docs/aws.md, streams).
 */
import { CfnOutput, Stack, Tags, type StackProps } from 'aws-cdk-lib';
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnDeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import { LogGroup, LogStream } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { accept, acceptUnder } from './accepted.js';
import type { DataStack } from './data.js';
import { allow } from './roles.js';
import type { Settings } from './settings.js';

/** The columns of an event, by its schema's version 1; a new version adds columns and removes none. */
export const COLUMNS: readonly { name: string; type: string; comment: string }[] = [
  { name: 'schema', type: 'int', comment: 'version of the event\'s schema' },
  { name: 'id', type: 'string', comment: 'of the event' },
  { name: 'type', type: 'string', comment: 'such as payment.cleared' },
  { name: 'number', type: 'int', comment: 'its place in the payment\'s timeline, from 1' },
  { name: 'at', type: 'timestamp', comment: 'when it happened, UTC' },
  { name: 'tenant', type: 'string', comment: 'whose it is' },
  { name: 'payment', type: 'string', comment: 'id' },
  { name: 'status', type: 'string', comment: 'one of the six' },
  { name: 'reason', type: 'string', comment: 'why, where something went wrong' },
  { name: 'waits_for', type: 'string', comment: 'verification, funds or rails, while it is pending' },
  { name: 'rail', type: 'string', comment: 'such as fps' },
  { name: 'amount', type: 'bigint', comment: 'in minor units' },
  { name: 'currency', type: 'string', comment: 'ISO 4217' },
  { name: 'trace', type: 'string', comment: 'W3C trace id' },
];

const PREFIX = 'events/day=!{timestamp:yyyy-MM-dd}/';

export interface AnalyticsProps extends StackProps {
  readonly settings: Settings;
  readonly data: DataStack;
}

export class AnalyticsStack extends Stack {
  readonly delivery: CfnDeliveryStream;

  constructor(scope: Construct, id: string, { settings, data, ...props }: AnalyticsProps) {
    super(scope, id, props);
    const database = new CfnDatabase(this, 'Database', {
      catalogId: this.account,
      databaseInput: { name: `lombard_${settings.stage}`, description: 'Events of payments' },
    });
    const table = this.table(database, data);
    this.delivery = this.deliver(settings, data, database, table);
    this.asks(settings, data);
    Tags.of(this).add('component', 'analytics', { priority: 100 });
  }

  private table(database: CfnDatabase, data: DataStack): CfnTable {
    const bucket = data.buckets.analytics.bucketName;
    const table = new CfnTable(this, 'Events', {
      catalogId: this.account,
      databaseName: database.ref,
      tableInput: {
        name: 'events',
        tableType: 'EXTERNAL_TABLE',
        partitionKeys: [{ name: 'day', type: 'string' }],
        parameters: {
          classification: 'parquet',
          // Days need not be registered: a query's own range says where to look.
          'projection.enabled': 'true',
          'projection.day.type': 'date',
          'projection.day.format': 'yyyy-MM-dd',
          'projection.day.range': '2026-01-01,NOW',
          'storage.location.template': `s3://${bucket}/events/day=\${day}/`,
        },
        storageDescriptor: {
          location: `s3://${bucket}/events/`,
          columns: COLUMNS.map((column) => ({ ...column })),
          inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
          serdeInfo: { serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
        },
      },
    });
    return table;
  }

  private deliver(settings: Settings, data: DataStack, database: CfnDatabase, table: CfnTable): CfnDeliveryStream {
    const { analytics } = data.buckets;
    const log = new LogGroup(this, 'Log', {
      retention: settings.logs,
      encryptionKey: data.keys.audit,
      removalPolicy: settings.removal,
    });
    accept(log, 'key-by-reference', 'short-logs');
    const errors = new LogStream(this, 'Errors', { logGroup: log, removalPolicy: settings.removal });
    const identity = new Role(this, 'Identity', {
      assumedBy: new ServicePrincipal('firehose.amazonaws.com', {
        conditions: { StringEquals: { 'sts:ExternalId': this.account } },
      }),
      description: 'What the delivery of events may do',
      permissionsBoundary: data.boundary,
    });
    const catalog = (path: string) => this.formatArn({ service: 'glue', resource: path });
    const policy = new ManagedPolicy(this, 'Policy', {
      statements: [
        allow('Read', ['kinesis:DescribeStream', 'kinesis:GetShardIterator', 'kinesis:GetRecords', 'kinesis:ListShards'],
          [data.events.streamArn]),
        allow('Write', ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
          [analytics.arnForObjects('events/*'), analytics.arnForObjects('failed/*')]),
        allow('Bucket', ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [analytics.bucketArn]),
        allow('Key', ['kms:Decrypt', 'kms:GenerateDataKey'], [data.keys.ledger.keyArn], {
          StringEquals: { 'kms:ViaService': ['s3', 'kinesis'].map((of) => `${of}.${this.region}.amazonaws.com`) },
        }),
        allow('Columns', ['glue:GetTable', 'glue:GetTableVersion', 'glue:GetTableVersions'],
          [catalog('catalog'), catalog(`database/${database.ref}`), catalog(`table/${database.ref}/events`)]),
        allow('OwnLog', ['logs:PutLogEvents'], [`${log.logGroupArn}:log-stream:${errors.logStreamName}`]),
      ],
    });
    for (const under of ['events/*', 'failed/*']) {
      acceptUnder(policy, analytics, under,
        'Firehose names its files by time; it writes below these prefixes and nowhere else.');
    }
    identity.addManagedPolicy(policy);
    const delivery = new CfnDeliveryStream(this, 'Delivery', {
      deliveryStreamType: 'KinesisStreamAsSource',
      kinesisStreamSourceConfiguration: { kinesisStreamArn: data.events.streamArn, roleArn: identity.roleArn },
      extendedS3DestinationConfiguration: {
        bucketArn: analytics.bucketArn,
        roleArn: identity.roleArn,
        prefix: PREFIX,
        errorOutputPrefix: 'failed/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/',
        // Parquet compresses by itself; big files are what makes a question cheap.
        compressionFormat: 'UNCOMPRESSED',
        bufferingHints: { sizeInMBs: 128, intervalInSeconds: 300 },
        encryptionConfiguration: { kmsEncryptionConfig: { awskmsKeyArn: data.keys.ledger.keyArn } },
        cloudWatchLoggingOptions: { enabled: true, logGroupName: log.logGroupName, logStreamName: errors.logStreamName },
        dataFormatConversionConfiguration: {
          enabled: true,
          inputFormatConfiguration: { deserializer: { openXJsonSerDe: {} } },
          outputFormatConfiguration: { serializer: { parquetSerDe: { compression: 'SNAPPY' } } },
          schemaConfiguration: {
            catalogId: this.account,
            databaseName: database.ref,
            tableName: table.ref,
            region: this.region,
            roleArn: identity.roleArn,
            versionId: 'LATEST',
          },
        },
      },
    });
    delivery.node.addDependency(policy);
    accept(delivery, 'source-encrypted');
    return delivery;
  }

  /** A place to ask from, which bounds what a question may read and encrypts what it answers. */
  private asks(settings: Settings, data: DataStack): void {
    const group = new CfnWorkGroup(this, 'Questions', {
      name: `lombard-${settings.stage}`,
      recursiveDeleteOption: !settings.protected,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        // About five pence: a question that forgot its days is stopped.
        bytesScannedCutoffPerQuery: 10 * 1024 ** 3,
        resultConfiguration: {
          outputLocation: `s3://${data.buckets.analytics.bucketName}/answers/`,
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: data.keys.ledger.keyArn },
        },
      },
    });
    accept(group, 'key-by-reference');
    new CfnOutput(this, 'WorkGroup', { value: group.ref });
  }
}
