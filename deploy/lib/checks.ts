/**
 * The packs of rules that every synthesis must pass: a finding that nobody argued against fails it.
 */
import { Validations, type App } from 'aws-cdk-lib';
import { CfnGuardValidator } from '@cdklabs/cdk-validator-cfnguard';
import { AwsSolutionsChecks, PCIDSS321Checks } from 'cdk-nag';

export function check(app: App): void {
  Validations.of(app).addPlugins(
    new AwsSolutionsChecks(app),
    new PCIDSS321Checks(app),
    new CfnGuardValidator({ disabledRules: [] }),
  );
}
