/**
 * The functions: one program, one function a role, each with an identity, a log and bounds of its
 * own. `LOMBARD_ROLE` says which role a function plays; nothing in its environment is secret.
 */
import { Duration, Tags } from 'aws-cdk-lib';
import { ManagedPolicy, Role, ServicePrincipal, type IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Code, Function, LoggingFormat, Runtime, Tracing, ApplicationLogLevel, SystemLogLevel } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { accept, acceptUnder } from './accepted.js';
import { allow, statements, type RoleName, type Surroundings } from './roles.js';
import type { Settings } from './settings.js';

/** How big a role's function is, and how long it may take. A processor comes with 1,769 MB. */
const SIZES: Record<RoleName, { memory: number; seconds: number }> = {
  // API Gateway waits for 29 seconds; an answer that late is of no use.
  api: { memory: 1024, seconds: 28 },
  feed: { memory: 1024, seconds: 60 },
  sequencer: { memory: 1024, seconds: 60 },
  // Statements of a hundred thousand lines are matched in one go.
  reconcile: { memory: 2048, seconds: 300 },
  // A rail has three seconds to answer; then the payment is in doubt, and the commit follows.
  saga: { memory: 512, seconds: 15 },
  schedule: { memory: 512, seconds: 55 },
};

export interface RoleFunctionProps extends Surroundings {
  readonly settings: Settings;
  readonly boundary: IManagedPolicy;
  readonly role: RoleName;
  /** The most at once; undefined for no share of its own. */
  readonly reserved?: number;
}

/** The function of one role, with its identity and its log. */
export class RoleFunction extends Construct {
  readonly function: Function;
  readonly log: LogGroup;
  readonly identity: Role;

  constructor(scope: Construct, id: string, props: RoleFunctionProps) {
    super(scope, id);
    const { data, settings, role } = props;
    this.log = new LogGroup(this, 'Log', {
      retention: settings.logs,
      encryptionKey: data.keys.audit,
      removalPolicy: settings.removal,
    });
    accept(this.log, 'key-by-reference', 'short-logs');
    this.identity = new Role(this, 'Identity', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What Lombard's ${role} may do`,
      permissionsBoundary: props.boundary,
      maxSessionDuration: Duration.hours(1),
    });
    const policy = new ManagedPolicy(this, 'Policy', {
      statements: [...statements(role, props), ...telling(this.log)],
    });
    accept(policy, 'tracing');
    if (role === 'feed') accept(policy, 'find-stream');
    if (role === 'sequencer' || role === 'api') {
      acceptUnder(policy, data.buckets.ledger, 'log/*',
        'Tiles have names that follow from the size of the log: it reads, or writes, below this prefix, and only there.');
    }
    if (role === 'reconcile') {
      acceptUnder(policy, data.buckets.arrivals, '*',
        'Banks name their files; this bucket holds nothing else, and the role can only read there.');
    }
    this.identity.addManagedPolicy(policy);
    this.function = new Function(this, 'Function', {
      description: `Lombard: ${role}`,
      runtime: Runtime.PROVIDED_AL2023,
      architecture: settings.architecture,
      handler: 'bootstrap',
      code: Code.fromAsset(settings.artifact),
      memorySize: SIZES[role].memory,
      timeout: Duration.seconds(SIZES[role].seconds),
      reservedConcurrentExecutions: props.reserved,
      role: this.identity.withoutPolicyUpdates(),
      environment: environment(role, props),
      environmentEncryption: data.keys.audit,
      tracing: Tracing.ACTIVE,
      logGroup: this.log,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      systemLogLevelV2: SystemLogLevel.WARN,
    });
    // A role exists before its policy is attached; a function that starts in between cannot work.
    this.function.node.addDependency(policy);
    accept(this.function, 'no-network');
    Tags.of(this).add('component', role, { priority: 200 });
  }
}

/** Writing its own log, and traces, which have no resource to name. */
function telling(log: LogGroup) {
  return [
    allow('OwnLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], [log.logGroupArn]),
    allow('Trace', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']),
  ];
}

/** Names of things, for the roles that use them. */
function environment(role: RoleName, { data, settings, machines }: RoleFunctionProps): Record<string, string> {
  const vault = { LOMBARD_VAULT_TABLE: data.vault.tableName, LOMBARD_VAULT_KEY: data.keys.vault.keyArn };
  const log = { LOMBARD_BUCKET: data.buckets.ledger.bucketName, LOMBARD_SIGNING_KEY: data.keys.checkpoints.keyArn };
  const own: Record<RoleName, Record<string, string>> = {
    api: {
      ...vault,
      ...log,
      LOMBARD_TOKENS_TABLE: data.tokens.tableName,
      // The stage's name is the gateway's, not a part of our paths.
      AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH: 'true',
    },
    feed: {
      ...vault,
      LOMBARD_STREAM: data.events.streamName,
      LOMBARD_BUS: data.bus.eventBusName,
      LOMBARD_DEAD_LETTERS: data.queues.dead.feed.queueUrl,
      LOMBARD_SAGA_STRAIGHT: machines.straight,
      LOMBARD_SAGA_WAITING: machines.waiting,
    },
    sequencer: { ...log, LOMBARD_LOG_WAITS_SECONDS: String(settings.logWaits.toSeconds()) },
    reconcile: {
      LOMBARD_ARRIVALS: data.buckets.arrivals.bucketName,
      LOMBARD_DEAD_LETTERS: data.queues.dead.arrivals.queueUrl,
    },
    saga: {
      ...vault,
      LOMBARD_RAILS_SECRET: data.rails.secretArn,
      LOMBARD_DEAD_LETTERS: data.queues.dead.saga.queueUrl,
    },
    schedule: { ...vault, LOMBARD_SAGA_STRAIGHT: machines.straight },
  };
  return {
    LOMBARD_ROLE: role,
    LOMBARD_STAGE: settings.stage,
    LOMBARD_TABLE: data.records.tableName,
    ...own[role],
  };
}
