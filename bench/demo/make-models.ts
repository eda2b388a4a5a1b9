import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { stringify } from 'yaml';
import type { Console } from '../../lib/cli/console';
import { stepTable } from '../../lib/cli/step-table';
import { bytesText } from '../../lib/cli/text';
import { augment } from '../../lib/data/augment';
import type { Graph } from '../../lib/ir/graph';
import { type ModelArtifact, openArtifact } from '../../lib/jobs/artifact';
import { compileModel } from '../../lib/jobs/make-plan';
import { compressByRecipe } from '../../lib/jobs/recipe/recipe';
import { readRecipe } from '../../lib/jobs/recipe/recipe-file';
import type { RecipeReport } from '../../lib/jobs/recipe/recipe-report';
import { writeFileAtomically } from '../../lib/jobs/write-file';
import { writeModel } from '../../lib/onnx/write-model';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { linear } from '../../lib/train/schedules';
import { sgd } from '../../lib/train/sgd';
import { train } from '../../lib/train/train';
import { type Digits, digitsFile, partOf } from './digits';
import { buildLenet5 } from './lenet5';
import { DIGITS_FILE, RECIPE } from './recipe';

const SEED = 1;
const EPOCHS = 8;

/** A model file with its size. */
export interface ModelFile {
  readonly path: string;
  readonly bytes: number;
}

/** The network as trained and as the recipe made it, each as ONNX and as a plan. */
export interface DemoModels {
  readonly float: ModelFile;
  readonly int8: ModelFile;
  readonly floatPlan: ModelFile;
  readonly int8Plan: ModelFile;
  readonly report: RecipeReport;
}

/** Trains LeNet-5, compresses it by the recipe, and compiles both forms; everything is written to `folder`. */
export async function makeModels(folder: string, digits: Digits, console: Console): Promise<DemoModels> {
  const path = (name: string) => join(folder, name);
  const float = await write(path('lenet5.onnx'), writeModel(await trainLenet5(digits, console)));
  await write(path(DIGITS_FILE), digitsFile(digits));
  await write(path('recipe.yaml'), new TextEncoder().encode(stringify(RECIPE)));
  const model = await openModel(float.path);
  const target = path('lenet5.small.onnx');
  console.say(`compressing by ${relative(process.cwd(), path('recipe.yaml'))}, measured on the validation digits:`);
  // Every demo does the work that it shows.
  await rm(path('cache'), { recursive: true, force: true });
  const report = await compressByRecipe(model, {
    source: await readRecipe(path('recipe.yaml')),
    target,
    cache: path('cache'),
    onProgress: (what, done, total) => console.progress(what, done, total),
    signal: console.signal,
  });
  for (const line of stepTable(report)) console.say(`  ${line}`);
  const int8 = { path: target, bytes: report.result.bytes };
  const floatPlan = await write(path('lenet5.plan'), compileModel(model).plan);
  const compiled = compileModel(await openModel(target));
  const int8Plan = await write(path('lenet5.small.plan'), compiled.plan);
  console.say(
    `  ${bytesText(float.bytes)} float -> ${bytesText(int8.bytes)} int8 ONNX -> ${bytesText(int8Plan.bytes)} plan`,
  );
  return { float, int8, floatPlan, int8Plan, report };
}

async function trainLenet5(digits: Digits, console: Console): Promise<Graph> {
  const reference = createReferenceEvaluate();
  try {
    return await train(
      buildLenet5(SEED),
      augment(partOf(digits, 'training'), { shift: 2 }),
      {
        epochs: EPOCHS,
        batchSize: 32,
        learningRate: linear(0.02),
        optimizer: sgd({ weightDecay: 5e-4 }),
        seed: SEED,
        clock: () => performance.now(),
        signal: console.signal,
        onProgress: ({ step, steps, loss }) => {
          console.progress(`train, loss ${loss.toFixed(3)}, step`, step, steps);
          if (step % Math.ceil(steps / EPOCHS) === 0 || step === steps)
            console.say(`  training ${Math.round((100 * step) / steps)} %, loss ${loss.toFixed(4)}`);
        },
      },
      reference.evaluate,
    );
  } finally {
    await reference.close();
  }
}

async function openModel(path: string): Promise<ModelArtifact> {
  return (await openArtifact(path)) as ModelArtifact;
}

async function write(path: string, bytes: Uint8Array): Promise<ModelFile> {
  await writeFileAtomically(path, bytes);
  return { path, bytes: bytes.length };
}
