/**
 * Who is told what: alarms with where to read on, one dashboard, one budget. Anything that waits
 * in a place for what could not be done rings within a minute.
 */
import { Duration, Stack, Tags, type StackProps } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Alarm, ComparisonOperator, Dashboard, GraphWidget, Metric, TreatMissingData, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { Effect, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { AnalyticsStack } from './analytics.js';
import type { DataStack } from './data.js';
import { catalogue, type Entry as Catalogued } from './metrics.js';
import type { PaymentsStack } from './payments.js';
import { allow } from './roles.js';
import type { Settings } from './settings.js';

export interface WatchProps extends StackProps {
  readonly settings: Settings;
  readonly data: DataStack;
  readonly payments: PaymentsStack;
  readonly analytics: AnalyticsStack;
}

export class WatchStack extends Stack {
  constructor(scope: Construct, id: string, { settings, ...props }: WatchProps) {
    super(scope, id, props);
    const page = this.topic('Page', settings, props.data);
    const warn = this.topic('Warn', settings, props.data);
    const entries = catalogue({ ...props, settings });
    for (const entry of entries) this.alarm(entry, entry.severity === 'page' ? page : warn);
    this.exceptions(settings, props.data, page);
    this.dashboard(settings, entries);
    this.budget(settings, warn);
    Tags.of(this).add('component', 'watch', { priority: 100 });
  }

  private topic(id: string, settings: Settings, data: DataStack): Topic {
    const topic = new Topic(this, id, { masterKey: data.keys.audit, enforceSSL: true });
    // Alarms and budgets of this account only: a topic is an address that anybody can guess.
    topic.addToResourcePolicy(new PolicyStatement({
      sid: 'TellUs',
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com'), new ServicePrincipal('budgets.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
    }));
    if (settings.alarmEmail) topic.addSubscription(new EmailSubscription(settings.alarmEmail));
    return topic;
  }

  /** Exceptions that cannot wait: the feed tells the bus of them, and the bus tells people. */
  private exceptions(settings: Settings, data: DataStack, to: Topic): void {
    // A role, because what a topic's own policy says to EventBridge can have no condition.
    const identity = new Role(this, 'Ringing', {
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
      description: 'Tells people of exceptions that cannot wait',
      permissionsBoundary: data.boundary,
    });
    const policy = new ManagedPolicy(this, 'RingingPolicy', {
      statements: [
        allow('Ring', ['sns:Publish'], [to.topicArn]),
        allow('TopicsKey', ['kms:Decrypt', 'kms:GenerateDataKey'], [data.keys.audit.keyArn], {
          StringEquals: { 'kms:ViaService': `sns.${data.region}.amazonaws.com` },
        }),
      ],
    });
    identity.addManagedPolicy(policy);
    const said = (field: string): string => EventField.fromPath(`$.detail.${field}`);
    new Rule(this, 'Exceptions', {
      description: 'Exceptions that a person must see within a minute',
      eventBus: data.bus,
      eventPattern: { source: ['lombard'], detailType: ['exception.opened'] },
      targets: [new SnsTopic(to, {
        authorizeUsingRole: true,
        role: identity.withoutPolicyUpdates(),
        message: RuleTargetInput.fromText(
          `Lombard ${settings.stage}: ${said('kind')}, ${said('id')} of ${said('tenant')}. Read on: ${said('runbook')}`),
      })],
    });
  }

  private alarm(entry: Catalogued, to: Topic): void {
    const alarm = new Alarm(this, entry.id, {
      alarmDescription: `${entry.means} Read on: ${entry.runbook}`,
      metric: unlabelled(entry.metric),
      threshold: entry.threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: entry.periods ?? 1,
      // Silence is good news where what went wrong is counted, and bad news where somebody is to report.
      treatMissingData: entry.silenceRings ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(to));
    alarm.addOkAction(new SnsAction(to));
  }

  private dashboard(settings: Settings, entries: readonly Catalogued[]): void {
    const groups = new Map<string, IMetric[]>();
    for (const entry of entries) {
      groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry.metric]);
    }
    const widgets = [...groups].map(([title, left]) => new GraphWidget({ title, left, width: 12, height: 6 }));
    new Dashboard(this, 'Dashboard', {
      dashboardName: `lombard-${settings.stage}`,
      defaultInterval: Duration.hours(3),
      widgets: [widgets],
    });
  }

  /** Told at four fifths of the month's money, and when the month will not be enough. */
  private budget(settings: Settings, to: Topic): void {
    const told = (notificationType: string, threshold: number) => ({
      notification: { notificationType, comparisonOperator: 'GREATER_THAN', threshold, thresholdType: 'PERCENTAGE' },
      subscribers: [{ subscriptionType: 'SNS', address: to.topicArn }],
    });
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: `lombard-${settings.stage}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: settings.budget, unit: 'USD' },
        costFilters: { TagKeyValue: [`user:environment$${settings.stage}`] },
      },
      notificationsWithSubscribers: [told('ACTUAL', 80), told('ACTUAL', 100), told('FORECASTED', 100)],
    });
  }
}

/** The same metric without its label, which an alarm would take for an expression. */
function unlabelled(metric: IMetric): IMetric {
  if (!(metric instanceof Metric)) return metric;
  const { namespace, metricName, dimensions, statistic, period } = metric;
  return new Metric({ namespace, metricName, dimensionsMap: dimensions, statistic, period });
}
