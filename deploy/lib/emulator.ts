/**
 * What an emulator of AWS lacks is taken out of a stage that is deployed to one, all of it here, so
 * that nothing else in this folder knows of emulators. Nothing of it carries a payment.
 */
import { CfnResource } from 'aws-cdk-lib';
import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import type { IConstruct } from 'constructs';

/** Types that MiniStack 1.5 does not know. */
export const LACKING: readonly string[] = [
  'AWS::Budgets::Budget',
  'AWS::CloudTrail::Trail',
  'AWS::Events::Archive',
  'AWS::SecretsManager::RotationSchedule',
  'AWS::WAFv2::LoggingConfiguration',
  'AWS::WAFv2::RegexPatternSet',
  'AWS::WAFv2::WebACLAssociation',
];

/** Takes them out of everything in `scope`. */
export function leaveOutLacking(scope: IConstruct): void {
  for (const node of scope.node.findAll()) {
    if (node instanceof CfnWebACL) node.rules = [];
    if (node instanceof CfnResource && LACKING.includes(node.cfnResourceType)) {
      node.node.scope?.node.tryRemoveChild(node.node.id);
    }
  }
}
