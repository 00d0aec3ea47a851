// Makes a payment with types that openapi-typescript generated from the API's document.
// Arguments: the server's URL, an API key, an account.
import createClient from "openapi-fetch";
import type { components, paths } from "./lombard";

declare const process: { argv: string[]; exit(code: number): never };

const [url, key, account] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

const order: components["schemas"]["CreatePayment"] = {
  amount: 1250,
  currency: "GBP",
  debtor: { account },
  creditor: { name: "Ann Other", sort_code: "200000", account_number: "55779911" },
  reference: "INV 1",
};

async function main(): Promise<void> {
  const made = await client.POST("/v1/payments", {
    params: { header: { "Idempotency-Key": "from-typescript", Prefer: "wait=5" } },
    body: order,
  });
  if (!made.data) throw new Error(JSON.stringify(made.error));
  const read = await client.GET("/v1/payments/{id}", { params: { path: { id: made.data.id } } });
  if (read.data?.status !== "CLEARED") throw new Error(JSON.stringify(read.data ?? read.error));
  const amount: number = read.data.amount;
  if (amount !== 1250) throw new Error(`${amount} minor units`);
  console.log(`paid ${read.data.id}: ${read.data.status}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
