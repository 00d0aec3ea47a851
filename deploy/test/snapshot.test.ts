/**
 * The templates of production, kept beside the tests so that a change of what is deployed is read
 * as a diff. `npm run snapshot` writes them anew.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { HERE } from '../lib/settings.js';
import { templates } from './synthesised.js';

const FOLDER = join(HERE, 'test', 'snapshot');

for (const [stack, template] of Object.entries(templates('prod'))) {
  test(`${stack} is as reviewed`, () => {
    const file = join(FOLDER, `${stack}.json`);
    // What the assets hash to changes with their content, and is no decision.
    const text = `${JSON.stringify(template, null, 1).replaceAll(/[0-9a-f]{64}/g, 'HASH')}\n`;
    if (process.env.UPDATE) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(file, text);
    }
    assert.equal(text, readFileSync(file, 'utf8'), 'see the diff, then `npm run snapshot`');
  });
}
