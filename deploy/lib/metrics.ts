/**
 * What is watched, by what it means to whoever is woken. `page` is somebody's sleep: a customer
 * notices, or a payment is stuck. `warn` is tomorrow's work.
 */
import { Duration } from 'aws-cdk-lib';
import { Metric, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { AnalyticsStack } from './analytics.js';
import type { DataStack } from './data.js';
import type { PaymentsStack } from './payments.js';
import { ROLES } from './roles.js';
import { MACHINES } from './saga.js';
import type { Settings } from './settings.js';

export interface Entry {
  readonly id: string;
  readonly group: string;
  /** In words, for who is told. */
  readonly means: string;
  readonly runbook: string;
  readonly severity: 'page' | 'warn';
  readonly metric: IMetric;
  /** It rings above this. */
  readonly threshold: number;
  /** Whether no figure at all rings too. */
  readonly silenceRings?: boolean;
  /** For how many periods in a row; one unless said. */
  readonly periods?: number;
}

export interface Watched {
  readonly data: DataStack;
  readonly payments: PaymentsStack;
  readonly analytics: AnalyticsStack;
  readonly settings: Settings;
}

const MINUTE = Duration.minutes(1);
const FIVE = Duration.minutes(5);

/** Everything that is watched. */
export function catalogue(of: Watched): Entry[] {
  return [...dead(of), ...entry(of), ...functions(of), ...records(of), ...workflows(of), ...streams(of)];
}

function dead({ data }: Watched): Entry[] {
  return Object.entries(data.queues.dead).map(([name, queue]) => ({
    id: `Dead-${name}`,
    group: 'What could not be done',
    means: `Something that ${name} could not do waits for somebody: each message may be a stuck payment.`,
    runbook: 'docs/runbooks/dead-letters.md',
    severity: 'page',
    metric: queue.metricApproximateNumberOfMessagesVisible({ period: MINUTE, statistic: 'Maximum', label: name }),
    threshold: 0,
  }));
}

function entry({ payments }: Watched): Entry[] {
  const { api, firewall } = payments.entry;
  const blocked = new Metric({
    namespace: 'AWS/WAFV2',
    metricName: 'BlockedRequests',
    dimensionsMap: { WebACL: firewall.acl.attrId, Region: payments.region, Rule: 'card-numbers' },
    statistic: 'Sum',
    period: FIVE,
    label: 'card numbers in addresses',
  });
  return [
    {
      id: 'Api-Errors', group: 'The way in', severity: 'page', periods: 2, threshold: 5, runbook: 'docs/runbooks/aws.md',
      means: 'Callers get errors that are ours, five in a minute or more.',
      metric: api.metricServerError({ period: MINUTE, label: '5xx' }),
    },
    {
      id: 'Api-Slow', group: 'The way in', severity: 'page', periods: 3, threshold: 1000, runbook: 'docs/runbooks/aws.md',
      means: 'One call in a hundred takes more than a second.',
      metric: api.metricLatency({ period: MINUTE, statistic: 'p99', label: 'p99, ms' }),
    },
    {
      id: 'Api-Cards', group: 'The way in', severity: 'warn', threshold: 0, runbook: 'docs/runbooks/aws.md',
      means: 'Somebody puts card numbers into addresses; they were refused, and their sender has a bug.',
      metric: blocked,
    },
  ];
}

function functions({ payments }: Watched): Entry[] {
  return ROLES.flatMap((role): Entry[] => {
    const it = payments.functions[role].function;
    return [
      {
        id: `${role}-Errors`, group: 'Functions: errors', severity: role === 'api' ? 'page' : 'warn', periods: 2,
        threshold: 3, runbook: 'docs/runbooks/aws.md',
        means: `The function of ${role} fails.`,
        metric: it.metricErrors({ period: MINUTE, label: role }),
      },
      {
        id: `${role}-Throttled`, group: 'Functions: turned away', severity: role === 'api' ? 'page' : 'warn', periods: 2,
        threshold: 0, runbook: 'docs/runbooks/aws.md',
        means: `The account, or its share, has no room for another execution of ${role}.`,
        metric: it.metricThrottles({ period: MINUTE, label: role }),
      },
    ];
  });
}

function records({ data }: Watched): Entry[] {
  const of = (metricName: string, label: string) => new Metric({
    namespace: 'AWS/DynamoDB',
    metricName,
    dimensionsMap: { TableName: data.records.tableName },
    statistic: 'Sum',
    period: MINUTE,
    label,
  });
  const throttled = (kind: 'Read' | 'Write'): Entry => ({
    id: `Records-${kind}-Throttled`, group: 'Records', severity: 'warn', periods: 3, threshold: 0, runbook: 'docs/runbooks/aws.md',
    means: `The table turns ${kind.toLowerCase()}s away: a partition is hot, or load grew faster than it can split.`,
    metric: of(`${kind}ThrottleEvents`, `${kind.toLowerCase()}s turned away`),
  });
  return [
    throttled('Read'),
    throttled('Write'),
    {
      id: 'Records-Conflicts', group: 'Records', severity: 'warn', periods: 5, threshold: 600, runbook: 'docs/runbooks/aws.md',
      means: 'Ten decisions a second are made anew because an account had changed: one account is very busy.',
      metric: of('TransactionConflict', 'conflicts'),
    },
  ];
}

function workflows({ payments }: Watched): Entry[] {
  return MACHINES.flatMap((name): Entry[] => {
    const of = (metricName: string) => new Metric({
      namespace: 'AWS/States',
      metricName,
      dimensionsMap: { StateMachineArn: payments.machines[name].machine.attrArn },
      statistic: 'Sum',
      period: MINUTE,
      label: `${name}: ${metricName}`,
    });
    return ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionThrottled'].map((metricName) => ({
      id: `${name}-${metricName}`, group: 'Workflows', severity: 'page', threshold: 0, runbook: 'docs/runbooks/dead-letters.md',
      means: `A payment's ${name} workflow ended without an outcome (${metricName}).`,
      metric: of(metricName),
    }));
  });
}

function streams({ data, payments, analytics, settings }: Watched): Entry[] {
  const behind: Entry = {
    id: 'feed-Behind', group: 'Behind, ms', severity: 'page', periods: 2, threshold: 60_000, runbook: 'docs/runbooks/aws.md',
    means: 'What was committed a minute ago has not reached the feed.',
    metric: payments.functions.feed.function.metric('IteratorAge', { period: MINUTE, statistic: 'Maximum', label: 'feed' }),
  };
  // What the sequencer itself tells (lambda/src/pace.rs), under the name in docs/metrics.md.
  const log: Entry = {
    id: 'Log-Behind', group: 'The verifiable log: behind, s', severity: 'page', periods: 5, silenceRings: true,
    // Twice what a lone entry waits by design, and two minutes for the look itself.
    threshold: 2 * settings.logWaits.toSeconds() + 120, runbook: 'docs/runbooks/exceptions/log_behind.md',
    means: 'Entries of the ledger wait for a checkpoint, or nobody looks: nothing committed since can be proven.',
    metric: new Metric({
      namespace: 'Lombard',
      metricName: 'lombard_log_lag',
      dimensionsMap: { stage: settings.stage },
      statistic: 'Maximum',
      period: MINUTE,
      label: 'log',
    }),
  };
  return [
    behind,
    log,
    {
      id: 'Events-Throttled', group: 'Events', severity: 'warn', periods: 3, threshold: 0, runbook: 'docs/runbooks/aws.md',
      means: 'The stream of events takes no more: add shards.',
      metric: data.events.metricWriteProvisionedThroughputExceeded({ period: MINUTE, statistic: 'Sum', label: 'refused' }),
    },
    {
      id: 'Delivery-Behind', group: 'Events', severity: 'warn', threshold: 3600, runbook: 'docs/runbooks/aws.md',
      means: 'Events of an hour ago are not in the bucket yet.',
      metric: new Metric({
        namespace: 'AWS/Firehose',
        metricName: 'DeliveryToS3.DataFreshness',
        dimensionsMap: { DeliveryStreamName: analytics.delivery.ref },
        statistic: 'Maximum',
        period: FIVE,
        label: 'delivery, s',
      }),
    },
  ];
}
