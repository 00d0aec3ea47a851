/**
 * The application: one stage an environment, each checked by the same rules before it is written.
 *
 * Without context it synthesises both stages; `-c stage=dev` only that one, and `-c region=…` asks
 * for another region, which the guard refuses unless the settings allow it.
 */
import { App } from 'aws-cdk-lib';
import { leaveOutLacking } from '../lib/emulator.js';
import { settingsOf, STAGES } from '../lib/settings.js';
import { LombardStage } from '../lib/stage.js';
import { check } from '../lib/checks.js';

const app = new App();
const wanted = app.node.tryGetContext('stage');
const emulated = app.node.tryGetContext('emulator') !== undefined;
for (const name of STAGES) {
  if (wanted === undefined || wanted === name) {
    const stage = new LombardStage(app, `Lombard-${name}`, settingsOf(name, app.node));
    if (emulated) leaveOutLacking(stage);
  }
}
// What goes to an emulator has passed the packs of rules as what it is: a stage of an account.
if (!emulated) check(app);
app.synth();
