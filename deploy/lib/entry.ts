/**
 * The way in: a regional REST API behind a web application firewall. REST and not HTTP API,
 * because only REST takes a firewall without an edge network outside the region (docs/cost.md has
 * what that costs).
 *
 * Callers of `/v1` show Lombard's own keys, which the function checks as it does everywhere else;
 * people at the console sign in with a second factor at Cognito, which the gateway checks.
 */
import { Duration, Stack, Tags } from 'aws-cdk-lib';
import {
  AccessLogField, AccessLogFormat, AuthorizationType, CfnAccount, CognitoUserPoolsAuthorizer, EndpointType,
  LambdaIntegration, LogGroupLogDestination, MethodLoggingLevel, RestApi, type MethodOptions,
} from 'aws-cdk-lib/aws-apigateway';
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { accept } from './accepted.js';
import type { DataStack } from './data.js';
import { Firewall } from './firewall.js';
import { People } from './people.js';
import type { Settings } from './settings.js';

/** What anybody may read without a key: health, the API's document, and the verifiable log. */
export const OPEN = ['healthz', 'readyz', 'openapi.json', 'log/{proxy+}'] as const;

export interface EntryProps {
  readonly settings: Settings;
  readonly data: DataStack;
  readonly handler: Function;
}

export class Entry extends Construct {
  readonly api: RestApi;
  readonly people: People;
  readonly firewall: Firewall;

  constructor(scope: Construct, id: string, { settings, data, handler }: EntryProps) {
    super(scope, id);
    const access = new LogGroup(this, 'Access', {
      retention: settings.accessLogs,
      encryptionKey: data.keys.audit,
      removalPolicy: settings.removal,
    });
    accept(access, 'key-by-reference', 'short-logs');
    this.people = new People(this, 'People', settings);
    this.api = new RestApi(this, 'Api', {
      restApiName: `lombard-${settings.stage}`,
      description: 'Payments',
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: false,
      deployOptions: {
        stageName: 'live',
        tracingEnabled: true,
        metricsEnabled: true,
        loggingLevel: MethodLoggingLevel.ERROR,
        // Bodies hold names and account numbers, which no log may.
        dataTraceEnabled: false,
        accessLogDestination: new LogGroupLogDestination(access),
        accessLogFormat: ACCESS,
        throttlingRateLimit: 10_000,
        throttlingBurstLimit: 5_000,
      },
    });
    this.route(new LambdaIntegration(handler, { proxy: true, timeout: Duration.seconds(29), allowTestInvoke: false }));
    this.writesLogs();
    this.firewall = new Firewall(this, 'Firewall', settings, data.keys.audit, this.api.deploymentStage);
    accept(this.api, 'own-keys', 'validated-inside', 'no-cache', 'no-client-certificate', 'source-by-reference');
    Tags.of(this).add('component', 'api', { priority: 200 });
  }

  private route(integration: LambdaIntegration): void {
    const none: MethodOptions = { authorizationType: AuthorizationType.NONE };
    for (const path of OPEN) this.api.root.resourceForPath(path).addMethod('GET', integration, none);
    this.api.root.resourceForPath('v1/{proxy+}').addMethod('ANY', integration, none);
    const authorizer = new CognitoUserPoolsAuthorizer(this, 'SignedIn', {
      cognitoUserPools: [this.people.pool],
      resultsCacheTtl: Duration.minutes(1),
    });
    this.api.root.resourceForPath('console/{proxy+}').addMethod('ANY', integration, {
      authorizer,
      authorizationType: AuthorizationType.COGNITO,
      authorizationScopes: [People.SCOPE],
    });
  }

  /** An account has one role with which API Gateway writes logs. */
  private writesLogs(): void {
    const role = new Role(this, 'LogWriter', {
      assumedBy: new ServicePrincipal('apigateway.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      managedPolicies: [
        ManagedPolicy.fromAwsManagedPolicyName('service-role/AmazonAPIGatewayPushToCloudWatchLogs'),
      ],
    });
    accept(role, 'gateway-log-writer');
    const account = new CfnAccount(this, 'Account', { cloudWatchRoleArn: role.roleArn });
    this.api.deploymentStage.node.addDependency(account);
  }
}

/** Who asked for what, and what came of it. Paths hold ids only; queries and headers are left out. */
const ACCESS = AccessLogFormat.custom(JSON.stringify({
  at: AccessLogField.contextRequestTimeEpoch(),
  request: AccessLogField.contextRequestId(),
  trace: AccessLogField.contextXrayTraceId(),
  from: AccessLogField.contextIdentitySourceIp(),
  who: AccessLogField.contextAuthorizerClaims('sub'),
  method: AccessLogField.contextHttpMethod(),
  path: AccessLogField.contextPath(),
  status: AccessLogField.contextStatus(),
  error: AccessLogField.contextErrorMessage(),
  firewall: '$context.wafResponseCode',
  ms: AccessLogField.contextResponseLatency(),
  ours_ms: AccessLogField.contextIntegrationLatency(),
  bytes: AccessLogField.contextResponseLength(),
}));
