/**
 * What each role of the program may do: the whole of it, to be read as an attacker would. Every
 * statement names its resources; the two exceptions have no narrower form and say so. Reading and
 * writing of records is given by action, never as `dynamodb:*`, and nobody may scan.
 */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SHAPE, type DataStack } from './data.js';

export const ROLES = ['api', 'feed', 'sequencer', 'reconcile', 'saga', 'schedule'] as const;
export type RoleName = (typeof ROLES)[number];

/** What the statements are about. */
export interface Surroundings {
  readonly data: DataStack;
  /** The state machines, by their ARNs, which are known before the machines exist. */
  readonly machines: { readonly straight: string; readonly waiting: string };
}

/** The statements of a role, besides writing its own log and traces, which all may. */
export function statements(role: RoleName, of: Surroundings): PolicyStatement[] {
  return STATEMENTS[role](of);
}

const STATEMENTS: Record<RoleName, (of: Surroundings) => PolicyStatement[]> = {
  // Whoever takes this over can do what any caller with every tenant's key can: decide payments, and open
  // what a tenant that it names has sealed, each time on the trail. It can read the log and not add to it; it
  // cannot reach the rails' keys, the stream, or a workflow.
  api: ({ data }) => [
    ...records(data, 'read', 'list', 'write'),
    ...journal(data),
    ...vault(data, 'seal', 'open'),
    ...tokens(data),
    ...tiles(data, 's3:GetObject'),
    allow('KnowTheSigner', ['kms:GetPublicKey'], [data.keys.checkpoints.keyArn]),
  ],
  // It starts what was committed; it never speaks to a rail, so it has no rail's key.
  feed: ({ data, machines }) => [
    ...records(data, 'read', 'list', 'write'),
    ...journal(data),
    ...vault(data, 'open'),
    stream(data),
    // Lambda's poller asks for it, and the action knows no resource: it shows names of streams only.
    allow('FindStream', ['dynamodb:ListStreams'], ['*']),
    allow('Bury', ['sqs:SendMessage'], [data.queues.dead.feed.queueArn]),
    allow('Publish', ['kinesis:PutRecord', 'kinesis:PutRecords'], [data.events.streamArn]),
    allow('Announce', ['events:PutEvents'], [data.bus.eventBusArn]),
    allow('Start', ['states:StartExecution'], [machines.straight, machines.waiting]),
    allow('AnswerWaiting', ['states:SendTaskSuccess'], [machines.waiting]),
  ],
  // It adds to the log and can take nothing away: no delete, no retention, no version.
  sequencer: ({ data }) => [
    ...records(data, 'read', 'list', 'write'),
    ...journal(data, 'consume', 'feed'),
    stream(data),
    ...tiles(data, 's3:GetObject', 's3:PutObject'),
    allow('Sign', ['kms:Sign', 'kms:GetPublicKey'], [data.keys.checkpoints.keyArn]),
  ],
  // It reads what banks left for us; it cannot leave anything there itself.
  reconcile: ({ data }) => [
    ...records(data, 'read', 'list', 'write'),
    ...journal(data),
    allow('Arrivals', ['s3:GetObject', 's3:GetObjectVersion'], [data.buckets.arrivals.arnForObjects('*')]),
    allow('Take', ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
      [data.queues.arrivals.queueArn]),
    allow('Bury', ['sqs:SendMessage'], [data.queues.dead.arrivals.queueArn]),
  ],
  // The only one that knows how to sign for a rail, and so the only one that can send money.
  saga: ({ data }) => [
    ...records(data, 'read', 'write'),
    ...journal(data),
    ...vault(data, 'open'),
    allow('SignForRails', ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'], [data.rails.secretArn]),
    allow('Bury', ['sqs:SendMessage'], [data.queues.dead.saga.queueArn]),
  ],
  // It wakes what is due. A rail that owes an answer it has asked by a workflow; late webhooks it sends
  // itself, and so opens their secrets.
  schedule: ({ data, machines }) => [
    ...records(data, 'read', 'list', 'write'),
    ...journal(data),
    ...vault(data, 'open'),
    allow('Ask', ['states:StartExecution'], [machines.straight]),
  ],
};

/** Reading and writing of records, with the key that they are encrypted under. */
function records(data: DataStack, ...how: Access[]): PolicyStatement[] {
  return [...store('Records', data.records.tableArn, ...how), throughService(data, 'RecordsKey')];
}

type Access = 'read' | 'list' | 'write';

/** What is done with the table of a store. */
function store(what: string, table: string, ...how: Access[]): PolicyStatement[] {
  const given = {
    // A read of one moment is `TransactGetItems`, for which the permission is `GetItem`.
    read: allow(`Read${what}`, ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:DescribeTable'], [table]),
    list: allow(`List${what}`, ['dynamodb:Query'],
      [table, ...SHAPE.records.indexes.map(({ name }) => `${table}/index/${name}`)]),
    // A write set is `TransactWriteItems`, for which the permissions are those of its actions.
    write: allow(`Write${what}`,
      ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:ConditionCheckItem'], [table]),
  };
  return how.map((one) => given[one]);
}

/**
 * Tokens of the vault and the data keys of persons, made, opened, wrapped anew and taken away. What KMS is asked
 * names the tenant whose data it is; the two calls that are about no data at all (looking at the key, and giving
 * it new material, which leaves all that was wrapped before to be opened) name only the key.
 */
function tokens(data: DataStack): PolicyStatement[] {
  const key = data.keys.vault.keyArn;
  return [
    ...store('Tokens', data.tokens.tableArn, 'read', 'list', 'write'),
    allow('Rewrap', ['kms:ReEncryptFrom', 'kms:ReEncryptTo'], [key], NAMES_A_TENANT),
    allow('Exchange', ['kms:DescribeKey', 'kms:RotateKeyOnDemand'], [key]),
  ];
}

const NAMES_A_TENANT = { Null: { 'kms:EncryptionContext:tenant': 'false' } };

/** The files of the log. Who may not list is told that what is absent is forbidden. */
function tiles(data: DataStack, ...actions: ('s3:GetObject' | 's3:PutObject')[]): PolicyStatement[] {
  const { ledger } = data.buckets;
  return [
    allow('Tiles', actions, [ledger.arnForObjects('log/*')]),
    allow('FindNoTile', ['s3:ListBucket'], [ledger.bucketArn], { StringLike: { 's3:prefix': 'log/*' } }),
  ];
}

/** The journal: everybody may ask whether it is there; who feeds it also adds to it. */
function journal(data: DataStack, ...how: ('consume' | 'feed')[]): PolicyStatement[] {
  const table = data.feed.tableArn;
  const given = {
    consume: allow('ReadJournal', ['dynamodb:GetItem', 'dynamodb:Query'], [table]),
    feed: allow('WriteJournal', ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem'], [table]),
  };
  return [allow('FindJournal', ['dynamodb:DescribeTable'], [table]), ...how.map((one) => given[one])];
}

/** DynamoDB, S3, SQS, Kinesis and EventBridge use the key in the caller's name; nobody else may. */
function throughService(data: DataStack, sid: string): PolicyStatement {
  const services = ['dynamodb', 's3', 'sqs', 'kinesis', 'events'];
  return allow(sid, ['kms:Decrypt', 'kms:GenerateDataKey'], [data.keys.ledger.keyArn], {
    StringEquals: { 'kms:ViaService': services.map((service) => `${service}.${data.region}.amazonaws.com`) },
  });
}

/** The vault: its own keys' table, and its key, which works only for a caller that names whose data it is. */
function vault(data: DataStack, ...how: ('seal' | 'open')[]): PolicyStatement[] {
  const table = data.vault.tableArn;
  const actions = {
    open: ['dynamodb:GetItem'],
    // Put once, when there are none: that there are stays true, because nobody may take them away.
    seal: ['dynamodb:PutItem'],
  };
  const direct = how.includes('seal') ? ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey'] : ['kms:Decrypt'];
  const key = data.keys.vault.keyArn;
  return [
    allow('WrappedKeys', how.flatMap((one) => actions[one]), [table]),
    allow('Unwrap', direct, [key], NAMES_A_TENANT),
    allow('VaultAtRest', ['kms:Decrypt', 'kms:GenerateDataKey'], [key], {
      StringEquals: {
        'kms:ViaService': ['dynamodb', 'secretsmanager'].map((of) => `${of}.${data.region}.amazonaws.com`),
      },
    }),
  ];
}

/** Reading the table's stream. */
function stream(data: DataStack): PolicyStatement {
  const actions = ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'];
  return allow('Consume', actions, [data.records.tableStreamArn ?? '']);
}

export function allow(
  sid: string, actions: string[], resources: string[], conditions?: Record<string, Record<string, unknown>>,
): PolicyStatement {
  return new PolicyStatement({ sid, actions, resources, conditions });
}
