/**
 * Those who sign in: operators, with a second factor, always. Payers' strong authentication is a
 * step of the payment itself; this pool is who may work the console.
 */
import { Duration, Stack } from 'aws-cdk-lib';
import {
  AccountRecovery, FeaturePlan, Mfa, OAuthScope, ResourceServerScope, StandardThreatProtectionMode, UserPool,
  type UserPoolClient,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import type { Settings } from './settings.js';

export class People extends Construct {
  /** What a token must allow for the console to open. */
  static readonly SCOPE = 'lombard/operate';

  readonly pool: UserPool;
  readonly console: UserPoolClient;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    this.pool = new UserPool(this, 'Pool', {
      userPoolName: `lombard-${settings.stage}`,
      // Operators are invited by an operator; nobody signs up.
      selfSignUpEnabled: false,
      signInAliases: { email: true, username: false },
      mfa: Mfa.REQUIRED,
      // Texts can be redirected by whoever talks a carrier into it.
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: {
        minLength: 12,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: true,
        passwordHistorySize: 4,
        tempPasswordValidity: Duration.days(1),
      },
      featurePlan: FeaturePlan.PLUS,
      standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION,
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      deletionProtection: settings.protected,
      removalPolicy: settings.removal,
    });
    const operate = new ResourceServerScope({ scopeName: 'operate', scopeDescription: 'Work the console' });
    const server = this.pool.addResourceServer('Server', { identifier: 'lombard', scopes: [operate] });
    this.pool.addDomain('Domain', {
      // Domains are unique among all accounts, so the account's number is part of it.
      cognitoDomain: { domainPrefix: `lombard-${settings.stage}-${Stack.of(this).account}` },
    });
    this.console = this.pool.addClient('Console', {
      oAuth: {
        // The code is bound to who asked for it (PKCE), and there is no secret to leak.
        flows: { authorizationCodeGrant: true, implicitCodeGrant: false, clientCredentials: false },
        scopes: [OAuthScope.OPENID, OAuthScope.resourceServer(server, operate)],
        callbackUrls: ['http://localhost:8080/console/signed-in'],
      },
      authFlows: { userSrp: true },
      generateSecret: false,
      preventUserExistenceErrors: true,
      enableTokenRevocation: true,
      // PCI DSS 8.2.8: after fifteen minutes' idleness somebody signs in again.
      accessTokenValidity: Duration.minutes(15),
      idTokenValidity: Duration.minutes(15),
      refreshTokenValidity: Duration.hours(8),
    });
  }
}
