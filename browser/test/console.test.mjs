// The console in a real browser: every page without a violation that axe knows, at the width of a desk
// and of a phone, light and dark; what a role may not do; and a day's work from a stuck payment to the audit.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { SCREENS, ask, browse, key, pay, reconcile, server, shoot, signedIn, until, violations } from "../world.mjs";

const made = {};

before(async () => {
  for (let at = 1; at <= 12; at++) await pay(at * 12_345, `Order ${at}`);
  // Amounts with which the simulated rail does something of its own: docs/rails.md.
  made.stuck = (await pay(666_023, "Never decided")).id;
  made.refused = (await pay(666_001, "Account unknown")).id;
  made.contradicted = (await pay(666_043, "No and then yes")).id;
  await ask("POST", "/v1/webhook_endpoints", { url: "http://127.0.0.1:9/hooks", description: "Orders" });
  await until("a payment in doubt", async () => (await ask("GET", `/v1/payments/${made.stuck}`)).in_doubt);
  made.case = await until("a case", async () => {
    const { data } = await ask("GET", "/v1/exceptions");
    return data.find((one) => one.subject === made.contradicted)?.id;
  });
  const statement =
    ":20:1\n:25:20000055779911\n:28C:1/1\n:60F:C261120GBP100,00\n:61:2611201120C12,50NTRFNOBODY\n:62F:C261120GBP112,50\n-\n";
  await reconcile("bank", statement);
  made.run = (await ask("GET", "/v1/reconciliation/runs")).data[0].id;
  await judged();
  made.deed = (await ask("GET", "/v1/audit")).data[0].id;
  made.endpoint = (await ask("GET", "/v1/webhook_endpoints")).data[0].id;
  made.transaction = (await ask("GET", `/v1/ledger?payment=${made.stuck}`)).data[0].id;
});

// A rule with a version in force and one in the shadow, somebody on a list, and a payment that waits.
async function judged() {
  const rule = { name: "large", action: "review", says: "it is large", reason: "case 7" };
  const mode = { mode: "shadow", reason: "to see" };
  await ask("POST", "/v1/risk/rules", { ...rule, after_version: 0, condition: "amount > 900000" });
  await ask("POST", "/v1/risk/rules/large/mode", { ...mode, version: 1, revision: 1 });
  await ask("POST", "/v1/risk/rules", { ...rule, after_version: 1, condition: "amount > 800000" });
  await ask("POST", "/v1/risk/lists", { name: "watched", reason: "case 8" });
  await ask("POST", "/v1/risk/lists/watched/entries", { subject: "00000000000000ab", reason: "a mule" });
  await pay(950_000, "Held back");
}

const pages = () => ({
  overview: "",
  payments: "/payments",
  payment: `/payments/${made.stuck}`,
  exceptions: "/exceptions",
  case: `/exceptions/${made.case}`,
  reconciliation: "/reconciliation",
  run: `/reconciliation/${made.run}`,
  batches: "/batches",
  accounts: "/accounts",
  account: `/accounts/${server.account}`,
  transaction: `/ledger/${made.transaction}`,
  log: "/log",
  audit: "/audit",
  deed: `/audit/${made.deed}`,
  risk: "/risk",
  rule: "/risk/rules/large",
  trial: "/risk/try?name=large&condition=amount%20%3E%2050000",
  list: "/risk/lists/watched",
  webhooks: "/webhooks",
  endpoint: `/webhooks/${made.endpoint}`,
  settings: "/settings",
  nowhere: "/payments/pay_nowhere",
});

for (const [screen, { width }] of Object.entries(SCREENS)) {
  for (const scheme of ["light", "dark"]) {
    test(`every page is accessible: ${screen}, ${scheme}`, () =>
      browse(async (browser) => {
        const page = await signedIn(browser, server.api_key, screen, scheme);
        const found = [];
        for (const [name, path] of Object.entries(pages())) {
          await page.goto(`${server.url}/console${path}`);
          await shoot(page, `${name}-${screen}-${scheme}`);
          found.push(...(await violations(page)).map((one) => `${name}: ${one}`));
          const across = await page.evaluate(() => document.documentElement.scrollWidth);
          if (across > width) found.push(`${name}: it is ${across} wide, on a screen of ${width}`);
        }
        assert.deepEqual(found, []);
        // A page that is not there is an error to the browser too.
        assert.deepEqual(page.complaints.filter((one) => !one.includes("404")), []);
      }));
  }
}

test("who may only look finds nothing to press", () =>
  browse(async (browser) => {
    const page = await signedIn(browser, await key("viewer"), "desktop");
    assert.equal(await page.getByRole("link", { name: "Audit" }).count(), 0);
    for (const path of [`/payments/${made.stuck}`, `/exceptions/${made.case}`, `/webhooks/${made.endpoint}`]) {
      await page.goto(`${server.url}/console${path}`);
      const forms = page.locator("main form");
      assert.equal(await forms.count(), 0, path);
    }
    const audit = await page.goto(`${server.url}/console/audit`);
    assert.equal(audit.status(), 403);
  }));

for (const screen of Object.keys(SCREENS)) {
  test(`a stuck payment is asked about, a case resolved, and both are on record: ${screen}`, () =>
    browse(async (browser) => {
      const operator = await signedIn(browser, await key("operator"), screen);
      await operator.goto(`${server.url}/console/payments/${made.stuck}`);
      await operator.getByText("Ask the rail", { exact: true }).click();
      await operator.getByRole("button", { name: "Ask the rail now" }).click();
      await operator.getByRole("status").filter({ hasText: /asked|changed since/ }).waitFor();

      await operator.goto(`${server.url}/console/exceptions/${made.case}`);
      const reopen = operator.getByText("Open again", { exact: true }).first();
      if (await reopen.isVisible()) {
        await reopen.click();
        await operator.getByRole("group").filter({ hasText: "taken back" }).getByLabel("Why").fill("once more");
        await operator.getByRole("button", { name: "Open again" }).click();
        await operator.getByText("It is open again.").waitFor();
      }
      await operator.getByText("Resolve", { exact: true }).first().click();
      const sheet = operator.locator("details[open] .sheet");
      await sheet.getByRole("radio", { name: "Close" }).check();
      await sheet.getByLabel("Why").fill(`The payee has the money: ${screen}`);
      await shoot(operator, `resolving-${screen}`);
      assert.deepEqual(await violations(operator), []);
      await sheet.getByRole("button", { name: "Resolve" }).click();
      await operator.getByText("It is done, and on record.").waitFor();

      const auditor = await signedIn(browser, await key("auditor"), screen);
      await auditor.goto(`${server.url}/console/audit`);
      const row = auditor.getByRole("row").filter({ hasText: `The payee has the money: ${screen}` });
      await row.getByRole("link", { name: /Verify/ }).click();
      await auditor.getByText("Verified.").waitFor();
    }));
}

test("the keyboard alone is enough", () =>
  browse(async (browser) => {
    const page = await signedIn(browser, server.api_key, "desktop");
    await page.keyboard.press("g");
    await page.keyboard.press("p");
    await page.getByRole("heading", { name: "Payments" }).waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Timeline" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type(made.case);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Contradiction" }).first().waitFor();
  }));
