/**
 * Gives what could not be done another try: `npm run redrive -- dev|prod arrivals`. Messages of a
 * queue go back to it. Harmless when repeated: a consumer that sees a message twice does its work once.
 *
 * What a stream's consumer buried has no queue to go back to; the program's own `redrive` reads it.
 */
import { GetQueueAttributesCommand, SQSClient, StartMessageMoveTaskCommand } from '@aws-sdk/client-sqs';
import { fail, resourcesOf, stageArgument } from './stack.js';

const stage = stageArgument();
const wanted = process.argv[3] ?? fail('say what is to be redriven: arrivals');
const queues = await resourcesOf(stage, 'Data', 'AWS::SQS::Queue');
const found = [...queues].find(([id]) => id.toLowerCase().startsWith(`queues${wanted.toLowerCase()}dead`));
if (!found) fail(`there is no queue of what ${wanted} could not do`);
const sqs = new SQSClient({});
const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: found[1], AttributeNames: ['All'] }));
const waiting = Number(Attributes?.ApproximateNumberOfMessages ?? 0);
if (waiting > 0) await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: Attributes?.QueueArn }));
console.log(`${waiting} messages go back`);
