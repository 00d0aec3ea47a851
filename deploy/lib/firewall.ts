/**
 * The firewall in front of the API: what is known to be bad, what comes too often, and card numbers
 * where they may never be, in an address.
 */
import { Tags } from 'aws-cdk-lib';
import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnLoggingConfiguration, CfnRegexPatternSet, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { accept } from './accepted.js';
import type { Settings } from './settings.js';

/**
 * A token of 13 to 19 digits that begins as payment cards do, whole or in groups of four. A whole
 * token, so that an id which happens to hold many digits is not one.
 */
export const CARD_NUMBER =
  '(^|[^0-9A-Za-z])[2-6][0-9]{3}([ +_.-]|%20)?[0-9]{4}([ +_.-]|%20)?[0-9]{4}([ +_.-]|%20)?[0-9]{1,7}([^0-9A-Za-z]|$)';
/** American Express: 4, 6 and 5 digits. */
export const CARD_NUMBER_15 =
  '(^|[^0-9A-Za-z])3[47][0-9]{2}([ +_.-]|%20)?[0-9]{6}([ +_.-]|%20)?[0-9]{5}([^0-9A-Za-z]|$)';

type Rule = CfnWebACL.RuleProperty;

export class Firewall extends Construct {
  readonly acl: CfnWebACL;

  constructor(scope: Construct, id: string, settings: Settings, key: IKey, stage: Stage) {
    super(scope, id);
    const cards = new CfnRegexPatternSet(this, 'CardNumbers', {
      scope: 'REGIONAL',
      description: 'What looks like a card number',
      regularExpressionList: [CARD_NUMBER, CARD_NUMBER_15],
    });
    this.acl = new CfnWebACL(this, 'Acl', {
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: seen('all'),
      rules: [
        cardNumbers(0, cards.attrArn),
        anonymousRate(1, settings.anonymousRate),
        keyRate(2, settings.keyRate),
        managed(3, 'AWSManagedRulesAmazonIpReputationList'),
        managed(4, 'AWSManagedRulesKnownBadInputsRuleSet'),
        // Files of payments are larger than 8 KB, and the function bounds bodies itself.
        managed(5, 'AWSManagedRulesCommonRuleSet', ['SizeRestrictions_BODY']),
      ],
    });
    new CfnWebACLAssociation(this, 'InFront', { resourceArn: stage.stageArn, webAclArn: this.acl.attrArn });
    const log = new LogGroup(this, 'Log', {
      logGroupName: `aws-waf-logs-lombard-${settings.stage}`,
      retention: settings.accessLogs,
      encryptionKey: key,
      removalPolicy: settings.removal,
    });
    accept(log, 'key-by-reference', 'short-logs');
    new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: this.acl.attrArn,
      logDestinationConfigs: [log.logGroupArn],
      // What was blocked; a line for every good request would cost more than the payment.
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          { Behavior: 'KEEP', Requirement: 'MEETS_ANY', Conditions: [{ ActionCondition: { Action: 'BLOCK' } }] },
        ],
      },
      // A blocked address may hold a card number, and a header a key: neither is written down.
      redactedFields: [
        { uriPath: {} },
        { queryString: {} },
        { singleHeader: { Name: 'authorization' } },
        { singleHeader: { Name: 'cookie' } },
      ],
    });
    Tags.of(this).add('component', 'firewall', { priority: 250 });
  }
}

function cardNumbers(priority: number, patterns: string): Rule {
  const within = (field: CfnWebACL.FieldToMatchProperty) => ({
    regexPatternSetReferenceStatement: {
      arn: patterns,
      fieldToMatch: field,
      textTransformations: [{ priority: 0, type: 'URL_DECODE' }],
    },
  });
  return {
    name: 'card-numbers',
    priority,
    action: { block: { customResponse: { responseCode: 400 } } },
    statement: { orStatement: { statements: [within({ uriPath: {} }), within({ queryString: {} })] } },
    visibilityConfig: seen('card-numbers'),
  };
}

/** Requests without a key are health checks, readers of the log, and those who try doors. */
function anonymousRate(priority: number, limit: number): Rule {
  const hasKey = {
    sizeConstraintStatement: {
      fieldToMatch: { singleHeader: { Name: 'authorization' } },
      comparisonOperator: 'GT',
      size: 0,
      textTransformations: [{ priority: 0, type: 'NONE' }],
    },
  };
  return rate('rate-anonymous', priority, {
    limit,
    evaluationWindowSec: 60,
    aggregateKeyType: 'IP',
    scopeDownStatement: { notStatement: { statement: hasKey } },
  });
}

/** A merchant's whole traffic comes from a few addresses, so what counts is whose key it is. */
function keyRate(priority: number, limit: number): Rule {
  return rate('rate-key', priority, {
    limit,
    evaluationWindowSec: 60,
    aggregateKeyType: 'CUSTOM_KEYS',
    customKeys: [{ header: { name: 'authorization', textTransformations: [{ priority: 0, type: 'NONE' }] } }],
  });
}

function rate(name: string, priority: number, rateBasedStatement: CfnWebACL.RateBasedStatementProperty): Rule {
  return {
    name,
    priority,
    action: { block: { customResponse: { responseCode: 429 } } },
    statement: { rateBasedStatement },
    visibilityConfig: seen(name),
  };
}

function managed(priority: number, name: string, onlyCount: string[] = []): Rule {
  return {
    name,
    priority,
    overrideAction: { none: {} },
    statement: {
      managedRuleGroupStatement: {
        vendorName: 'AWS',
        name,
        ruleActionOverrides: onlyCount.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
      },
    },
    visibilityConfig: seen(name),
  };
}

/** Counted, but not sampled: a sample holds the whole request. */
function seen(metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: false };
}
