/**
 * Payments on a deployed stage, from the request to the proof: HTTP, the functions, the workflows, a
 * simulated rail, the stream, the sequencer, the bucket. The same payments are made on `lombard up`, and
 * each must come to the same history there.
 */
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expires, paysByToken, proves, settles } from './beside.js';
import { ask } from './emulated.js';
import { invoke, nameOf, resourcesOf } from './stack.js';

/** What is paid, and what the simulated rail does with such an amount (docs/rails.md). */
const CASES = [
  { name: 'straight', amount: 1_250, ends: 'CLEARED' },
  { name: 'refused by the rail', amount: 666_001, ends: 'FAILED' },
  { name: 'answer lost, found by enquiry', amount: 666_021, ends: 'CLEARED' },
  { name: 'refusal lost, found by enquiry', amount: 666_022, ends: 'FAILED' },
  { name: 'waited for a person', amount: 1_300, ends: 'CLEARED', verification: true },
] as const;
/** Written into no event. */
const PAYEE = 'Wilhelmina Quackenbush';

interface Made { tenant: string; key: string; account: string }
interface Event { type: string; status: string; reason?: string; actor: string; id: string }
type History = string[];

/** Somewhere payments can be made. */
export class Lombard {
  constructor(private readonly base: string, private readonly made: Made) {}

  async call(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await fetch(`${this.base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.made.key}`,
        'content-type': 'application/json',
        'idempotency-key': randomBytes(16).toString('hex'),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }

  /** What anybody may read. */
  async text(path: string): Promise<string> {
    const answer = await fetch(`${this.base}${path}`);
    assert.ok(answer.ok, `GET ${path}: ${answer.status}`);
    return answer.text();
  }

  /** Makes a payment and follows it to its end; its id and what happened to it. */
  async pay(of: (typeof CASES)[number]): Promise<{ id: string; history: History }> {
    const waits = 'verification' in of;
    const { id } = await this.call('POST', '/v1/payments', {
      amount: of.amount,
      currency: 'GBP',
      debtor: { account: this.made.account },
      creditor: { name: PAYEE, sort_code: '20-00-00', account_number: '55779911' },
      ...(waits ? { verification: 'fraud_suspected' } : {}),
    });
    if (waits) {
      await this.until(id, (payment) => payment.status === 'AUTH_PENDING', of.name);
      await pause(3_000);
      await this.call('POST', `/v1/payments/${id}/verification`, { result: 'passed' });
    }
    await this.until(id, (payment) => payment.status === of.ends, of.name);
    const { data } = await this.call('GET', `/v1/payments/${id}/timeline`);
    return { id, history: (data as Event[]).map(told) };
  }

  private async until(id: string, done: (payment: { status: string }) => boolean, name: string): Promise<void> {
    let payment;
    for (let tried = 0; tried < 150; tried += 1) {
      payment = await this.call('GET', `/v1/payments/${id}`);
      if (done(payment)) return;
      await pause(400);
    }
    assert.fail(`${name}: it stays ${JSON.stringify(payment)}`);
  }
}

/** What of an event must be the same wherever it happens: not who exactly asked, nor when. */
function told({ type, status, reason, actor }: Event): string {
  return [type, status, reason ?? '', actor.startsWith('key/') ? 'key' : actor].join(' ').trimEnd();
}

export class Journey {
  /** The folder with the program, set up for the simulated rail. */
  readonly artifact: string;
  private readonly running: ChildProcess[] = [];

  private constructor(
    private readonly emulator: string,
    private readonly programs: string,
    private readonly folder: string,
    rail: string,
    private readonly secret: string,
  ) {
    this.artifact = join(folder, 'artifact');
    mkdirSync(this.artifact);
    copyFileSync(join(programs, 'bootstrap'), join(this.artifact, 'bootstrap'));
    // The secret here is nobody's: each function draws one of its own, and `saga` asks for the real one.
    writeFileSync(join(this.artifact, 'lombard.toml'),
      `[rails.fps]\nurl = "${rail}"\nsecret = "in-secrets-manager"\nown_agent = "000001"\n`);
  }

  /** Starts the simulated rail and packs the program for it. */
  static async begin(emulator: string, programs: string): Promise<Journey> {
    const folder = mkdtempSync(join(tmpdir(), 'lombard-journey-'));
    const secret = randomBytes(32).toString('hex');
    const rail = spawn(join(programs, 'lombard'), ['sim', 'rail', '--json', '--listen', '127.0.0.1:0', '--secret', secret], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { rail_url: url } = await said(rail);
    const journey = new Journey(emulator, programs, folder, url, secret);
    journey.running.push(rail);
    return journey;
  }

  end(): void {
    for (const process of this.running) process.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Makes every payment in both places, and looks at what came of them. */
  async make(): Promise<void> {
    const functions = await resourcesOf('dev', 'Payments', 'AWS::Lambda::Function');
    const named = (role: string): string => nameOf(functions, `${role}Function`)!;
    const [secret] = (await resourcesOf('dev', 'Data', 'AWS::SecretsManager::Secret')).values();
    await ask('secretsmanager', 'secretsmanager.PutSecretValue', {
      SecretId: secret,
      SecretString: JSON.stringify({ fps: { current: this.secret, previous: this.secret } }),
      ClientRequestToken: randomBytes(16).toString('hex'),
    });
    const made: Made = await invoke(named('api'), { begin: 'demo' });
    const [api] = (await resourcesOf('dev', 'Payments', 'AWS::ApiGateway::RestApi')).values();
    const deployed = new Lombard(`${this.emulator}/restapis/${api}/live/_user_request_`, made);
    const local = await this.local();
    const ids = new Set<string>();
    for (const one of CASES) {
      const there = await deployed.pay(one);
      const here = await local.pay(one);
      assert.deepEqual(there.history, here.history, `${one.name}: not the same history on AWS`);
      ids.add(there.id);
      console.log(`${one.name}: ${there.history.length} events, the same in both places`);
    }
    await this.wereLed();
    await this.isTold(ids);
    const stage = { lombard: deployed, tenant: made.tenant, account: made.account, named };
    await paysByToken(stage);
    await settles(stage);
    await expires(stage);
    await proves(stage, await this.isProven(named('sequencer'), ids.size));
  }

  private async local(): Promise<Lombard> {
    const args = ['up', '--json', '--data', join(this.folder, 'data'), '--listen', '127.0.0.1:0'];
    const up = spawn(join(this.programs, 'lombard'), args, {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LOMBARD_BIN: undefined, LOMBARD_MINISTACK: undefined, LOMBARD_RAIL_LISTEN: '127.0.0.1:0' },
    });
    this.running.push(up);
    const { url, api_key: key, tenant, account } = await said(up);
    return new Lombard(url, { tenant, key, account });
  }

  /** That workflows led the payments, each to its end: also the one that waited, by its token. */
  private async wereLed(): Promise<void> {
    const machines = (await resourcesOf('dev', 'Payments', 'AWS::StepFunctions::StateMachine')).values();
    for (const stateMachineArn of machines) {
      const waits = stateMachineArn.endsWith('-waiting');
      const wanted = CASES.filter((one) => !waits || 'verification' in one).length;
      let ended: string[] = [];
      for (let tried = 0; tried < 50 && ended.filter((it) => it === 'SUCCEEDED').length < wanted; tried += 1) {
        await pause(400);
        const { executions } = await ask('states', 'AWSStepFunctions.ListExecutions', { stateMachineArn });
        ended = executions.map(({ status }: { status: string }) => status);
      }
      assert.deepEqual(ended, Array(wanted).fill('SUCCEEDED'), stateMachineArn);
    }
  }

  /** That the stream has every payment's events, and nothing of persons. */
  private async isTold(ids: Set<string>): Promise<void> {
    const [StreamName] = (await resourcesOf('dev', 'Data', 'AWS::Kinesis::Stream')).values();
    const kinesis = (action: string, body: object) => ask('kinesis', `Kinesis_20131202.${action}`, body);
    const { Shards } = await kinesis('ListShards', { StreamName });
    const texts: string[] = [];
    for (const { ShardId } of Shards) {
      const { ShardIterator } = await kinesis('GetShardIterator', { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' });
      const { Records } = await kinesis('GetRecords', { ShardIterator });
      texts.push(...Records.map(({ Data }: { Data: string }) => Buffer.from(Data, 'base64').toString()));
    }
    const events = texts.map((text) => JSON.parse(text));
    assert.deepEqual(new Set(events.map(({ payment }) => payment)), ids);
    for (const text of texts) assert.doesNotMatch(text, /Quackenbush|55779911/);
    for (const { schema } of events) assert.equal(schema, 1);
    console.log(`${events.length} events in the stream, without a name in them`);
  }

  /** That the log in the bucket has every payment's postings and proves them. */
  private async isProven(sequencer: string, payments: number): Promise<number> {
    const { size, keys } = await invoke(sequencer, { now: true });
    assert.ok(size >= payments, `${size} leaves`);
    const Bucket = nameOf(await resourcesOf('dev', 'Data', 'AWS::S3::Bucket'), 'BucketsLedger');
    const s3 = new S3Client({ forcePathStyle: true });
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'log/' }));
    for (const { Key } of Contents) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      const file = join(this.folder, Key!);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, await Body!.transformToByteArray());
    }
    const key = join(this.folder, 'log.pub');
    writeFileSync(key, keys.join('\n'));
    const verified = spawnSync(join(this.programs, 'lombard'), ['verify', join(this.folder, 'log'), '--key', key], { encoding: 'utf8' });
    assert.equal(verified.status, 0, `${verified.stdout}${verified.stderr}`);
    console.log(`${size} leaves, verified from the bucket by a key that KMS keeps`);
    return size;
  }
}

/** The first object that a program says. */
async function said(of: ChildProcess): Promise<any> {
  let text = '';
  for await (const part of of.stdout!) {
    text += part;
    try {
      return JSON.parse(text);
    } catch {
      // More is to come.
    }
  }
  throw new Error(`it ended and said: ${text}`);
}
