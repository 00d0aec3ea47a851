/**
 * What carries payments and holds nothing: the way in, the functions, the workflows.
 */
import { ArnFormat, CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { EventSourceMapping, FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { DataStack } from './data.js';
import { Entry } from './entry.js';
import { RoleFunction } from './functions.js';
import { TRIES } from './queues.js';
import { Rotation } from './rotation.js';
import { ROLES, type RoleName } from './roles.js';
import { Machine, machineName, MACHINES, type MachineName } from './saga.js';
import type { Settings } from './settings.js';

export interface PaymentsProps extends StackProps {
  readonly settings: Settings;
  readonly data: DataStack;
}

export class PaymentsStack extends Stack {
  readonly functions: Record<RoleName, RoleFunction>;
  readonly machines: Record<MachineName, Machine>;
  readonly entry: Entry;

  constructor(scope: Construct, id: string, { settings, data, ...props }: PaymentsProps) {
    super(scope, id, props);
    const bounds = data.boundary;
    const machines = {
      straight: this.machineArn(settings, 'straight'),
      waiting: this.machineArn(settings, 'waiting'),
    };
    this.functions = each(ROLES, (role) => new RoleFunction(this, role, {
      data, machines, settings, role, boundary: bounds,
      reserved: role === 'api' ? settings.reservedApi : undefined,
    }));
    this.machines = each(MACHINES, (name) => new Machine(this, `saga-${name}`, {
      data, settings, name, boundary: bounds, task: this.functions.saga.function,
    }));
    this.entry = new Entry(this, 'Entry', { settings, data, handler: this.functions.api.function });
    new Rotation(this, 'Rotation', { settings, data, boundary: bounds });
    this.feeds(data);
    new Rule(this, 'EveryMinute', {
      description: 'Wakes what is due: expiries, enquiries, roll-ups',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.functions.schedule.function, {
        // By its name: the queue itself already says who may bury what there.
        deadLetterQueue: Queue.fromQueueArn(this, 'ScheduleDead', data.queues.dead.schedule.queueArn),
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      })],
    });
    new CfnOutput(this, 'Url', { value: this.entry.api.url });
  }

  private machineArn(settings: Settings, name: MachineName): string {
    return this.formatArn({
      service: 'states',
      resource: 'stateMachine',
      resourceName: machineName(settings, name),
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  /** Who consumes what. A shard of a table's stream feeds two readers at the most, and these are two. */
  private feeds(data: DataStack): void {
    const stream = {
      eventSourceArn: data.records.tableStreamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: TRIES,
      maxRecordAge: Duration.hours(23),
    };
    new EventSourceMapping(this, 'ToFeed', {
      ...stream,
      target: this.functions.feed.function,
      onFailure: new SqsDlq(data.queues.dead.feed),
      batchSize: 100,
      // Ten batches of a shard at once; what concerns one payment stays in order, by its partition.
      parallelizationFactor: 10,
    });
    new EventSourceMapping(this, 'ToSequencer', {
      ...stream,
      target: this.functions.sequencer.function,
      onFailure: new SqsDlq(data.queues.dead.sequencer),
      // A checkpoint costs what three payments do, whatever it covers: ten seconds' worth share one.
      batchSize: 1000,
      maxBatchingWindow: Duration.seconds(10),
      filters: [FilterCriteria.filter({ eventName: FilterRule.isEqual('INSERT') })],
    });
    new EventSourceMapping(this, 'ToReconcile', {
      target: this.functions.reconcile.function,
      eventSourceArn: data.queues.arrivals.queueArn,
      batchSize: 1,
      reportBatchItemFailures: true,
      maxConcurrency: 4,
    });
  }
}

/** A record with a value for each name. */
function each<Name extends string, Value>(names: readonly Name[], make: (name: Name) => Value): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}
