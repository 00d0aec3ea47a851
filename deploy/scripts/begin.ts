/**
 * Makes the first tenant of a stage and shows the keys of its admin and its approver, once:
 * `npm run begin -- dev|prod`. Asks the function itself, which nobody but this account's people can.
 */
import { fail, invoke, nameOf, resourcesOf, stageArgument } from './stack.js';

const functions = await resourcesOf(stageArgument(), 'Payments', 'AWS::Lambda::Function');
const name = nameOf(functions, 'apiFunction') ?? fail('the stage has no API');
const made = await invoke(name, { begin: 'first' });
if (!made.key) fail('there is a tenant already');
console.log(`admin     ${made.key}\napprover  ${made.approver_key}`);
