/** What the firewall takes for a card number, and what it lets pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CARD_NUMBER, CARD_NUMBER_15 } from '../lib/firewall.js';

const blocked = (url: string) => [CARD_NUMBER, CARD_NUMBER_15].some((pattern) => new RegExp(pattern).test(url));

test('card numbers of each length and grouping are found in paths and queries', () => {
  for (const url of [
    '/v1/payments/4111111111111111',
    '/v1/payments?card=5555555555554444',
    '/v1/x/4111-1111-1111-1111/y',
    'pan=4111%201111%201111%201111&x=1',
    'pan=4111+1111+1111+1111',
    '/v1/378282246310005',
    'q=3782 822463 10005',
    'a=4222222222222',
    'a=6304000000000000007',
    '2223003122003222',
  ]) assert.ok(blocked(url), url);
});

test('our own ids, times, sort codes and amounts are not card numbers', () => {
  for (const url of [
    '/v1/payments/pay_01m83cxz7mbddwzfvn3ez92xwt',
    '/v1/payments/pay_41111111111111111111111111',
    '/v1/accounts/acc_6s4mkshbjgp75fbjt97ear33v4/entries?after=12&limit=100',
    '/v1/events?created_after=2026-11-23T05:09:18.197Z',
    '/v1/events?since=1763874558197',
    '/v1/payments?sort_code=200000&account_number=55779911',
    '/log/tile/0/x001/234',
  ]) assert.ok(!blocked(url), url);
});
