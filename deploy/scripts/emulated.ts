/** Calls to the emulator for which the commands need no client: it checks no signature. */
import assert from 'node:assert/strict';

function headers(service: string): Record<string, string> {
  const scope = `test/20260101/eu-west-2/${service}/aws4_request`;
  return { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none` };
}

/** Calls a service that speaks JSON. */
export async function ask(service: string, target: string, body: object): Promise<any> {
  const answer = await fetch(process.env.AWS_ENDPOINT_URL!, {
    method: 'POST',
    headers: { ...headers(service), 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${target}: ${answer.status} ${text}`);
  return JSON.parse(text);
}
