/**
 * What stands beside payments on a deployed stage: tokens of the vault and what falls due there, a bank's
 * statement that arrives in the bucket, what the clock sets off, and proofs over the API.
 */
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { Lombard } from './journey.js';
import { invoke, nameOf, resourcesOf } from './stack.js';

/** A place to pay, with the functions behind it. */
export interface Stage {
  readonly lombard: Lombard;
  readonly tenant: string;
  readonly account: string;
  /** The name of a role's function. */
  readonly named: (role: string) => string;
}

/** How often something is looked for, and the pause between looks. */
const LOOKS = 60;
const PAUSE = 500;

/** A payee is kept and paid by his token; then his data key is exchanged, and he is paid again. */
export async function paysByToken({ lombard, account, named }: Stage): Promise<void> {
  const token = await lombard.call('POST', '/v1/tokens', {
    bank_account: { sort_code: '200000', account_number: '55779911', holder: 'Wilhelmina Quackenbush' },
    scope: { operations: ['payout'] },
  });
  const pay = (): Promise<{ id: string }> => lombard.call('POST', '/v1/payments', {
    amount: 1_400, currency: 'GBP', debtor: { account }, creditor: { token: token.id },
  });
  const { id } = await pay();
  await becomes(lombard, id, 'CLEARED');
  // Of the two exchanges the one that an emulator's KMS can carry: none has material that rotates.
  await lombard.call('POST', '/v1/vault/rotations', { what: 'data_keys' });
  await invoke(named('api'), { tend: 'vault' });
  const { data } = await lombard.call('GET', '/v1/vault/rotations');
  assert.ok(data.length === 1 && data[0].ended_at && data[0].done === data[0].total, JSON.stringify(data));
  const again = await pay();
  await becomes(lombard, again.id, 'CLEARED');
  console.log('paid by token, before and after an exchange of its data key');
}

/** A statement is left in the bucket, as a bank would; the payment that it tells of is settled. */
export async function settles({ lombard, tenant, account }: Stage): Promise<void> {
  const { id } = await lombard.call('POST', '/v1/payments', {
    amount: 1_250,
    currency: 'GBP',
    debtor: { account },
    creditor: { name: 'Ann Other', sort_code: '20-00-00', account_number: '55779911' },
    end_to_end_id: 'E2E-ARRIVED',
  });
  await becomes(lombard, id, 'CLEARED');
  const day = new Date().toISOString().slice(2, 10).replaceAll('-', '');
  const statement = [
    ':20:S1', ':25:20000055779911', ':28C:1/1', `:60F:C${day}GBP10000,00`,
    `:61:${day}D12,50NTRFE2E-ARRIVED//B1`, ':86:/EREF/E2E-ARRIVED/REMI/test', `:62F:C${day}GBP9987,50`, '-',
  ].join('\n');
  const Bucket = nameOf(await resourcesOf('dev', 'Data', 'AWS::S3::Bucket'), 'BucketsArrivals');
  const s3 = new S3Client({ forcePathStyle: true });
  await s3.send(new PutObjectCommand({ Bucket, Key: `${tenant}/bank/a day's statement.sta`, Body: statement }));
  await becomes(lombard, id, 'SETTLED');
  // The run is entered when everything of its file is settled.
  const run = await found(async () => (await lombard.call('GET', '/v1/reconciliation/runs')).data[0]);
  assert.equal(run.by, 'worker/reconcile', JSON.stringify(run));
  console.log('a statement arrived in the bucket, and its payment is settled');
}

/** A payment that nobody verifies in time is ended by the clock. */
export async function expires({ lombard, account, named }: Stage): Promise<void> {
  const { id } = await lombard.call('POST', '/v1/payments', {
    amount: 1_500,
    currency: 'GBP',
    debtor: { account },
    creditor: { name: 'Ann Other', sort_code: '20-00-00', account_number: '55779911' },
    verification: 'fraud_suspected',
    expires_in_seconds: 2,
  });
  await becomes(lombard, id, 'AUTH_PENDING');
  await pause(2_500);
  await invoke(named('schedule'), {});
  const ended = await becomes(lombard, id, 'FAILED');
  assert.equal(ended.reason, 'expired');
  console.log('what nobody verified in time is ended by the clock');
}

/** The API proves what the sequencer has signed. To be called when the log has had its turn. */
export async function proves({ lombard }: Stage, size: number): Promise<void> {
  const { data } = await lombard.call('GET', '/v1/ledger?limit=1');
  const { index, checkpoint } = await lombard.call('GET', `/v1/ledger/${data[0].id}/proof`);
  assert.ok(index < size && checkpoint.size === size, JSON.stringify(checkpoint));
  const note = await lombard.text('/log/checkpoint');
  assert.equal(note, checkpoint.note);
  const { from, to } = await lombard.call('GET', '/v1/log/consistency?from=1');
  assert.deepEqual([from, to], [1, size]);
  console.log('the API proves the newest entry under the checkpoint that it shows');
}

/** A payment, when it stands there. */
async function becomes(lombard: Lombard, id: string, status: string): Promise<{ status: string; reason?: string }> {
  return found(async () => {
    const payment = await lombard.call('GET', `/v1/payments/${id}`);
    return payment.status === status ? payment : undefined;
  }, `${id} does not become ${status}`);
}

/** Looks until something is there. */
async function found<T>(look: () => Promise<T | undefined>, otherwise = 'it does not come'): Promise<T> {
  for (let looked = 0; looked < LOOKS; looked += 1) {
    const it = await look();
    if (it !== undefined) return it;
    await pause(PAUSE);
  }
  assert.fail(otherwise);
}
