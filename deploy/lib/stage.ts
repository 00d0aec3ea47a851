/**
 * One environment. What holds data is apart from what can be thrown away: a broken deployment of
 * functions never touches a table, and a stack of data changes about once a year.
 */
import { Aspects, Stage, Tags, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { AnalyticsStack } from './analytics.js';
import { AuditStack } from './audit.js';
import { DataStack } from './data.js';
import { Residency } from './residency.js';
import { PaymentsStack } from './payments.js';
import type { Settings } from './settings.js';
import { WatchStack } from './watch.js';

export class LombardStage extends Stage {
  constructor(scope: Construct, id: string, readonly settings: Settings) {
    super(scope, id, { env: { region: settings.region } });
    const stack: StackProps = { terminationProtection: settings.protected };

    const data = new DataStack(this, 'Data', { ...stack, settings });
    const payments = new PaymentsStack(this, 'Payments', { ...stack, settings, data });
    const analytics = new AnalyticsStack(this, 'Analytics', { ...stack, settings, data });
    const audit = new AuditStack(this, 'Audit', { ...stack, settings, data });
    const watch = new WatchStack(this, 'Watch', { ...stack, settings, data, payments, analytics });

    Tags.of(this).add('environment', settings.stage);
    Tags.of(this).add('cost-centre', 'payments');
    const components = { data, payments, analytics, audit, watch };
    for (const [component, of] of Object.entries(components)) {
      Tags.of(of).add('component', component, { priority: 50 });
      // What holds something more sensitive says so itself; this is what the rest is.
      Tags.of(of).add('data-class', 'internal', { priority: 50 });
    }
    Aspects.of(this).add(new Residency());
  }
}
