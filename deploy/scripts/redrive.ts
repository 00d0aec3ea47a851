/**
 * Gives what could not be done another try: `npm run redrive -- dev|prod arrivals|feed|saga`. Each message
 * is handed over once more and removed when that went well; what fails again stays. Harmless when
 * repeated: who sees something twice does its work once.
 *
 * A message is one of three things: what a function buried itself, with the original and the reason;
 * what Lambda says of a part of the table's stream that it gave up, which is read again there (within its
 * 24 hours); or a message that a queue gave up, which goes back to it.
 */
import {
  DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand, type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import {
  DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient,
} from '@aws-sdk/client-sqs';
import { fail, invoke, nameOf, resourcesOf, stageArgument } from './stack.js';

const stage = stageArgument();
const wanted = process.argv[3] ?? fail('say what is to be redriven: arrivals, feed or saga');
const queues = await resourcesOf(stage, 'Data', 'AWS::SQS::Queue');
const queue = (name: string): string => nameOf(queues, `Queues${name}`) ?? fail(`there is no queue of what ${wanted} could not do`);
const dead = queue(`${wanted.charAt(0).toUpperCase()}${wanted.slice(1)}Dead`);
const functions = await resourcesOf(stage, 'Payments', 'AWS::Lambda::Function');
const sqs = new SQSClient({});

/** What Lambda tells of a part of a stream. */
interface GivenUp { streamArn: string; shardId: string; startSequenceNumber: string; endSequenceNumber: string }

let [done, left] = [0, 0];
for (;;) {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({
    QueueUrl: dead, MaxNumberOfMessages: 10, VisibilityTimeout: 300, WaitTimeSeconds: 1,
  }));
  if (Messages.length === 0) break;
  for (const { Body = '', ReceiptHandle } of Messages) {
    try {
      await again(Body);
      await sqs.send(new DeleteMessageCommand({ QueueUrl: dead, ReceiptHandle }));
      done += 1;
    } catch (error) {
      left += 1;
      console.error(`it stays: ${error instanceof Error ? error.message : error}`);
    }
  }
}
console.log(`${done} handed over again, ${left} stay`);
process.exitCode = left > 0 ? 1 : 0;

async function again(body: string): Promise<void> {
  const message = JSON.parse(body);
  if (message.role && message.original) return hand(message.role, message.original);
  if (message.DDBStreamBatchInfo) return hand('feed', { Records: await records(message.DDBStreamBatchInfo) });
  if (wanted !== 'arrivals') throw new Error('it is of no kind that is known');
  await sqs.send(new SendMessageCommand({ QueueUrl: queue('Arrivals'), MessageBody: body }));
}

async function hand(role: string, event: object): Promise<void> {
  const name = nameOf(functions, `${role}Function`) ?? fail(`there is no function ${role}`);
  const { batchItemFailures = [] } = await invoke(name, event);
  if (batchItemFailures.length > 0) throw new Error(`${role} could not do ${batchItemFailures.length} of it`);
}

/** A part of the stream as Lambda hands it over: bytes in base64. */
async function records({ streamArn, shardId, startSequenceNumber, endSequenceNumber }: GivenUp): Promise<unknown[]> {
  const streams = new DynamoDBStreamsClient({});
  let { ShardIterator } = await streams.send(new GetShardIteratorCommand({
    StreamArn: streamArn, ShardId: shardId, ShardIteratorType: 'AT_SEQUENCE_NUMBER', SequenceNumber: startSequenceNumber,
  }));
  const found: StreamRecord[] = [];
  const end = BigInt(endSequenceNumber);
  const place = (record: StreamRecord): bigint => BigInt(record.dynamodb?.SequenceNumber ?? '0');
  while (ShardIterator) {
    const { Records = [], NextShardIterator } = await streams.send(new GetRecordsCommand({ ShardIterator }));
    found.push(...Records.filter((record) => place(record) <= end));
    ShardIterator = Records.length === 0 || Records.some((record) => place(record) >= end) ? undefined : NextShardIterator;
  }
  const plain = JSON.stringify(found, (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value));
  return JSON.parse(plain);
}
