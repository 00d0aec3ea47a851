/**
 * What carries payments and holds nothing: the way in, the functions, the workflows.
 */
import { ArnFormat, CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { EventSourceMapping, StartingPosition } from 'aws-cdk-lib/aws-lambda';
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
    this.tendsTheVault();
    this.eachMinute('EveryMinute', 'schedule', data, 'Wakes what is due: expiries, enquiries, late webhooks');
    this.eachMinute('InOrder', 'sequencer', data, 'Takes what was committed into the journal and the verifiable log');
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

  /** The only role that may change the vault also does what falls due there: erasures, and exchanges of keys. */
  private tendsTheVault(): void {
    new Rule(this, 'VaultTended', {
      description: 'Erasures that are due, and exchanges of keys that were asked for',
      schedule: Schedule.rate(Duration.minutes(5)),
      targets: [new LambdaFunction(this.functions.api.function, {
        event: RuleTargetInput.fromObject({ tend: 'vault' }),
        retryAttempts: 0,
        maxEventAge: Duration.minutes(5),
      })],
    });
  }

  /** Wakes a role. One that could not be woken is told of; the next minute makes up for it. */
  private eachMinute(id: string, role: 'schedule' | 'sequencer', data: DataStack, description: string): void {
    new Rule(this, id, {
      description,
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.functions[role].function, {
        // By its name: the queue itself already says who may bury what there.
        deadLetterQueue: Queue.fromQueueArn(this, `${id}Dead`, data.queues.dead[role].queueArn),
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      })],
    });
  }

  /**
   * Who consumes what. A shard of a table's stream feeds two readers at the most: the feed, which is
   * handed it, and the sequencer, which reads it by itself into the journal.
   */
  private feeds(data: DataStack): void {
    new EventSourceMapping(this, 'ToFeed', {
      target: this.functions.feed.function,
      eventSourceArn: data.records.tableStreamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      retryAttempts: TRIES,
      maxRecordAge: Duration.hours(23),
      onFailure: new SqsDlq(data.queues.dead.feed),
      batchSize: 100,
      // Ten batches of a shard at once; what concerns one payment stays in order, by its partition.
      parallelizationFactor: 10,
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
