// A running server, somebody who asks its API, and browsers at its console.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import { chromium } from "playwright-core";

const named = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set; \`cargo xtask browser\` does`);
  return value;
};

export const server = JSON.parse(named("LOMBARD_READY"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// WCAG 2.2 at level AA, and what axe calls best practice.
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export const SCREENS = {
  desktop: { width: 1280, height: 900 },
  phone: { width: 390, height: 844 },
};

let keys = 0;

export async function ask(method, path, body) {
  const answer = await fetch(server.url + path, {
    method,
    headers: {
      authorization: `Bearer ${server.api_key}`,
      "content-type": "application/json",
      "idempotency-key": `browser-${process.pid}-${++keys}`,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(said)}`);
  return said;
}

export async function pay(amount, name) {
  return ask("POST", "/v1/payments", {
    amount,
    currency: "GBP",
    rail: "fps",
    debtor: { account: server.account },
    creditor: { name, sort_code: "040004", account_number: "12345679" },
    end_to_end_id: name.toUpperCase().replace(/ /g, "-"),
  });
}

// Sends a statement of a source, and answers what it came to.
export async function reconcile(source, statement) {
  const answer = await fetch(`${server.url}/v1/reconciliation/statements?source=${source}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${server.api_key}`,
      "idempotency-key": `browser-${process.pid}-${++keys}`,
      "content-type": "application/octet-stream",
    },
    body: statement,
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(`a statement of ${source}: ${JSON.stringify(said)}`);
  return said;
}

export async function until(what, look) {
  for (let tries = 0; tries < 120; tries++) {
    const found = await look();
    if (found) return found;
    await pause(250);
  }
  throw new Error(`${what}: it did not come to that within 30 s`);
}

export async function key(role) {
  const made = await ask("POST", "/v1/api_keys", { name: role, role });
  return made.key;
}

export async function browse(work) {
  const browser = await chromium.launch({
    executablePath: named("CHROMIUM"),
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  try {
    await work(browser);
  } finally {
    await browser.close();
  }
}

// A page of somebody signed in. What the console's policy forbids, or a script throws, fails the test.
export async function signedIn(browser, apiKey, screen, colorScheme = "light") {
  const context = await browser.newContext({ viewport: SCREENS[screen], colorScheme });
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (said) => {
    if (said.type() === "error") page.complaints.push(said.text());
  });
  await page.goto(`${server.url}/console/sign-in`);
  await page.getByLabel("API key").fill(apiKey);
  await page.getByRole("button", { name: "Use the key" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  return page;
}

// What axe finds on the page, in words. It is evaluated by the debugger, so the page's policy holds.
export async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate((values) => window.axe.run({ runOnly: { type: "tag", values } }), RULES);
  return found.violations.map(
    (one) => `${one.id} (${one.help}): ${one.nodes.map((node) => node.target.join(" ")).join("; ")}`,
  );
}

export async function shoot(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}
