/**
 * All that differs between the stages, in one place, each with its reason. Nothing else in this
 * folder asks which stage it is in.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Node } from 'constructs';

/** This folder, wherever the commands are run. */
export const HERE = join(dirname(fileURLToPath(import.meta.url)), '..');

export const STAGES = ['dev', 'prod'] as const;
export type StageName = (typeof STAGES)[number];

/** Where payments and personal data may be: London, and nowhere else (docs/aws.md, residency). */
export const REGIONS: readonly string[] = ['eu-west-2'];

export interface Settings {
  readonly stage: StageName;
  readonly region: string;
  /** The folder with `bootstrap`, one program for all roles. */
  readonly artifact: string;
  readonly architecture: Architecture;
  /** What becomes of data when a stack is removed. */
  readonly removal: RemovalPolicy;
  /** Whether tables and stacks refuse to be deleted. */
  readonly protected: boolean;
  /** How long the ledger's tiles and checkpoints cannot be changed or removed by anybody. */
  readonly ledgerLock: ObjectLockRetention;
  /** The same for the audit trail. */
  readonly auditLock: ObjectLockRetention;
  /** How long what the functions say is kept where it can be searched. */
  readonly logs: RetentionDays;
  /** How long access logs are kept: PCI DSS 10.5.1 asks for twelve months. */
  readonly accessLogs: RetentionDays;
  /** How long the archive of business events can be replayed from. */
  readonly archive: Duration;
  /** Requests a minute that one address may make without a key. */
  readonly anonymousRate: number;
  /** Requests a minute that one key may make. */
  readonly keyRate: number;
  /** The most executions at once of what a caller can set off; undefined for the account's own. */
  readonly reservedApi?: number;
  /** Shards of the event stream: 1 MB/s or 1,000 records/s each. */
  readonly shards: number;
  /** How long a lone entry of the ledger waits for others before it gets a checkpoint (docs/cost.md). */
  readonly logWaits: Duration;
  /** US dollars a month after which somebody is told. */
  readonly budget: number;
  /** Who is told; nobody when empty, which is right for a stage without operators. */
  readonly alarmEmail?: string;
  /** Whether this stage records the account's configuration: one recorder an account and region. */
  readonly recordsConfiguration: boolean;
}

/** The settings of a stage, with what the command line says of them. */
export function settingsOf(stage: StageName, node: Node): Settings {
  const context = (key: string): string | undefined => node.tryGetContext(key);
  const common = {
    stage,
    region: context('region') ?? 'eu-west-2',
    artifact: context('artifact') ?? artifactFolder(),
    // Graviton costs a fifth less a millisecond; tests run the binary of the machine they are on.
    architecture: context('arch') === 'x86_64' ? Architecture.X86_64 : Architecture.ARM_64,
    alarmEmail: context('alarmEmail'),
  };
  return stage === 'prod' ? { ...common, ...PROD } : { ...common, ...DEV };
}

const PROD = {
  removal: RemovalPolicy.RETAIN,
  protected: true,
  // Seven years for the ledger, one for the audit trail; compliance mode, so that not even the
  // account's root can shorten it.
  ledgerLock: ObjectLockRetention.compliance(Duration.days(2557)),
  auditLock: ObjectLockRetention.compliance(Duration.days(366)),
  logs: RetentionDays.ONE_MONTH,
  accessLogs: RetentionDays.THIRTEEN_MONTHS,
  archive: Duration.days(90),
  anonymousRate: 100,
  keyRate: 60_000,
  // The rest of the account's 1,000 stays with those who finish what was accepted.
  reservedApi: 600,
  shards: 2,
  logWaits: Duration.minutes(15),
  budget: 5_000,
  recordsConfiguration: true,
} as const;

const DEV = {
  removal: RemovalPolicy.DESTROY,
  protected: false,
  // The same machinery in the mode that an owner can lift, or no stage could ever be destroyed.
  ledgerLock: ObjectLockRetention.governance(Duration.days(1)),
  auditLock: ObjectLockRetention.governance(Duration.days(1)),
  logs: RetentionDays.ONE_WEEK,
  accessLogs: RetentionDays.ONE_WEEK,
  archive: Duration.days(3),
  anonymousRate: 100,
  keyRate: 6_000,
  shards: 1,
  logWaits: Duration.minutes(1),
  budget: 100,
  recordsConfiguration: false,
} as const;

/** What was packaged, or what stands in for it so that templates can be made without it. */
function artifactFolder(): string {
  const packaged = join(HERE, 'artifact');
  return existsSync(join(packaged, 'bootstrap')) ? packaged : join(HERE, 'no-artifact');
}
