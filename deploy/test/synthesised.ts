/** The stages, synthesised in this process as the command would, without the packs of rules. */
import { App, Stage, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HERE, settingsOf, type StageName } from '../lib/settings.js';
import { LombardStage } from '../lib/stage.js';

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, any>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Named extends Resource {
  readonly stack: string;
  readonly id: string;
}

export function app(context: Record<string, unknown> = {}): App {
  const { context: flags } = JSON.parse(readFileSync(join(HERE, 'cdk.json'), 'utf8'));
  // What was packaged here must not change what is asserted.
  const artifact = join(HERE, 'no-artifact');
  return new App({ context: { ...flags, artifact, ...context }, analyticsReporting: false });
}

export function stageOf(name: StageName, context: Record<string, unknown> = {}): LombardStage {
  const within = app(context);
  return new LombardStage(within, `Lombard-${name}`, settingsOf(name, within.node));
}

const kept = new Map<StageName, Record<string, any>>();

/** The templates of a stage, by the name of the stack. */
export function templates(name: StageName): Record<string, any> {
  const found = kept.get(name);
  if (found) return found;
  const stage = stageOf(name);
  const stacks = stage.node.children.filter((child): child is Stack => 'templateFile' in child && !Stage.isStage(child));
  const made = Object.fromEntries(stacks.map((stack) => [stack.node.id, Template.fromStack(stack).toJSON()]));
  kept.set(name, made);
  return made;
}

/** Every resource of a stage, or those of some types. */
export function resources(name: StageName, ...types: string[]): Named[] {
  return Object.entries(templates(name)).flatMap(([stack, template]) =>
    Object.entries(template.Resources as Record<string, Resource>)
      .filter(([, it]) => types.length === 0 || types.includes(it.Type))
      .map(([id, it]) => ({ stack, id, ...it, Properties: it.Properties ?? {} })));
}
