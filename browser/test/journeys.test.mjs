// A day's work in a real browser: money that left for a failed payment is compensated by two people and found in the
// audit; a line that could be several payments is matched by hand; a payment that waits for a review is approved;
// many cases are closed at once; and every role opens every page without one that fails.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { SCREENS, ask, browse, key, pay, reconcile, server, shoot, signedIn, until, violations } from "../world.mjs";

const made = {};

const today = () => new Date().toISOString().slice(2, 10).replace(/-/g, "");

// A case about something, once there is one.
const caseOf = (what, fits) =>
  until(what, async () => (await ask("GET", "/v1/exceptions?standing=active&limit=100")).data.find(fits));

before(async () => {
  made.contradicted = (await pay(666_043, "No and later yes")).id;
  made.twins = [(await pay(4_321, "Twin one")).id, (await pay(4_321, "Twin two")).id];
  made.review = await ask("POST", "/v1/payments", {
    amount: 7_700,
    currency: "GBP",
    rail: "fps",
    debtor: { account: server.account },
    creditor: { name: "Looked at first", sort_code: "040004", account_number: "12345679" },
    verification: "fraud_suspected",
  });
  for (const id of made.twins) {
    await until("a twin clears", async () => (await ask("GET", `/v1/payments/${id}`)).status === "CLEARED");
  }
  const day = today();
  await reconcile(
    "journeys",
    `:20:7\n:25:20000055779911\n:28C:7/1\n:60F:C${day}GBP100,00\n:61:${day}D43,21NTRFUNHEARD//B7\n:62F:C${day}GBP56,79\n-\n`,
  );
});

for (const screen of Object.keys(SCREENS)) {
  test(`money that left is compensated by two, shown before it is done, and put on record: ${screen}`, () =>
    browse(async (browser) => {
      // At the second width the case is opened again first, which takes back what was posted.
      const one = await until("the case", async () =>
        (await ask("GET", "/v1/exceptions?kind=contradiction&limit=100")).data.find((it) => it.subject === made.contradicted),
      );
      if (one.state === "resolved") await ask("POST", `/v1/exceptions/${one.id}/reopen`, { note: "once more" });
      const at = `${server.url}/console/exceptions/${one.id}`;

      const operator = await signedIn(browser, await key("operator"), screen);
      await operator.goto(at);
      await operator.getByText("Resolve", { exact: true }).first().click();
      const sheet = operator.locator("details[open] .sheet");
      await sheet.getByRole("radio", { name: "Compensate" }).check();
      await sheet.getByLabel("Why").fill(`Their report has it: ${screen}`);
      await sheet.getByRole("button", { name: "Resolve" }).click();
      await operator.getByRole("heading", { name: "What would be posted" }).waitFor();
      await operator.getByRole("cell", { name: "6,660.43" }).first().waitFor();
      assert.deepEqual(await violations(operator), []);
      await shoot(operator, `compensating-${screen}`);
      await operator.getByRole("button", { name: "Propose: compensate" }).click();
      await operator.getByRole("status").filter({ hasText: "it is proposed" }).waitFor();

      const approver = await signedIn(browser, await key("approver"), screen);
      await approver.goto(`${server.url}/console/exceptions?standing=waiting_for_approval`);
      await approver.locator(`a[href$="${one.id}"]`).click();
      await shoot(approver, `approving-${screen}`);
      assert.deepEqual(await violations(approver), []);
      await approver.getByRole("button", { name: "See what it would do" }).click();
      await approver.getByRole("button", { name: "Compensate", exact: true }).click();
      await approver.getByText("It is done, and on record.").waitFor();

      const auditor = await signedIn(browser, await key("auditor"), screen);
      await auditor.goto(`${server.url}/console/audit`);
      const row = auditor.getByRole("row").filter({ hasText: `Their report has it: ${screen}` }).filter({ hasText: "compensate" });
      await row.first().getByRole("link", { name: /Verify/ }).click();
      await auditor.getByText("Verified.").waitFor();
    }));
}

test("a line that could be several payments is matched by hand, beside them", () =>
  browse(async (browser) => {
    const one = await caseOf("a case of the line", (it) => it.actions.includes("link") && it.evidence.amount === "-4321");
    const page = await signedIn(browser, await key("operator"), "desktop");
    await page.goto(`${server.url}/console/exceptions/${one.id}`);
    await page.getByRole("heading", { name: "Payments that it could be" }).waitFor();
    assert.deepEqual(await violations(page), []);
    await shoot(page, "matching-desktop");
    const candidate = page.getByRole("listitem").filter({ has: page.locator(`a[href$="${made.twins[1]}"]`) });
    await candidate.getByRole("button", { name: "Link" }).click();
    await page.getByRole("heading", { name: "What would be posted" }).waitFor();
    await page.locator("main").getByRole("button", { name: "Link", exact: true }).click();
    await page.getByText("It is done, and on record.").waitFor();
    assert.equal((await ask("GET", `/v1/payments/${made.twins[1]}`)).status, "SETTLED");
    assert.equal((await ask("GET", `/v1/payments/${made.twins[0]}`)).status, "CLEARED");
  }));

test("a payment that waits for a review is found and approved", () =>
  browse(async (browser) => {
    const page = await signedIn(browser, await key("risk"), "desktop");
    await page.goto(`${server.url}/console/payments?pending=verification`);
    await page.locator(`a[href$="${made.review.id}"]`).click();
    await page.getByText("Approve", { exact: true }).first().click();
    await page.locator("details[open]").getByRole("button", { name: "Approve" }).click();
    await page.getByRole("status").filter({ hasText: "Approved." }).waitFor();
    await until("it is paid", async () => (await ask("GET", `/v1/payments/${made.review.id}`)).status === "CLEARED");
  }));

test("many cases are tried first and then closed as it was shown", () =>
  browse(async (browser) => {
    const mine = [];
    for (let at = 1; at <= 2; at++) {
      const { id } = await pay(666_043, `One of many ${at}`);
      mine.push((await caseOf("its case", (it) => it.subject === id)).id);
    }
    const page = await signedIn(browser, await key("operator"), "desktop");
    await page.goto(`${server.url}/console/exceptions?standing=active&kind=contradiction`);
    for (const id of mine) await page.getByLabel(`Pick ${id}`).check();
    await page.getByLabel("About those picked").selectOption("resolve:ignore");
    await page.getByLabel("Why; it is kept").fill("All of one gateway's test");
    await shoot(page, "many-desktop");
    await page.getByRole("button", { name: "See what it would do" }).click();
    await page.getByText("Nothing was done yet.").waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole("button", { name: /^Close: / }).click();
    await page.getByRole("heading", { name: `${mine.length} done` }).waitFor();
  }));

test("every role opens every page that it is shown, and is refused the others in words", () =>
  browse(async (browser) => {
    const all = new Set();
    const roles = ["viewer", "operator", "approver", "risk", "auditor", "admin"];
    for (const role of roles) {
      const page = await signedIn(browser, await key(role), "desktop");
      const shown = await page.locator("nav.side a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
      shown.forEach((path) => all.add(path));
      for (const path of all) {
        const answer = await page.goto(server.url + path);
        assert.equal(answer.status(), shown.includes(path) ? 200 : 403, `${role} at ${path}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
      }
    }
  }));
