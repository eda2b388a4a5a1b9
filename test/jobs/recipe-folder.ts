import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { type CompressRecipeOptions, compressByRecipe } from '../../lib/jobs/recipe/recipe';
import { parseRecipe } from '../../lib/jobs/recipe/recipe-file';
import type { RecipeReport } from '../../lib/jobs/recipe/recipe-report';
import { npzOf, toyFolder, toyLogits, toySamples } from './toy';

/** The toy folder with labelled.npz (400 samples that the network knows) and unlabelled.npz (the same). */
export function recipeFolder(): string {
  const folder = toyFolder();
  const samples = toySamples(400, 9);
  const labels = samples.map((x) => {
    const logits = toyLogits(x);
    return logits.indexOf(Math.max(...logits));
  });
  writeFileSync(join(folder, 'labelled.npz'), npzOf(samples, labels));
  writeFileSync(join(folder, 'unlabelled.npz'), npzOf(samples));
  return folder;
}

/** Runs a recipe object on the toy network of a folder. */
export async function runToy(
  folder: string,
  recipe: object,
  target: string,
  options: Partial<CompressRecipeOptions> = {},
): Promise<RecipeReport> {
  const model = requireModel(await openArtifact(join(folder, 'toy.onnx')), 'test');
  const source = { recipe: parseRecipe(recipe), folder, place: '' };
  return compressByRecipe(model, { source, target: join(folder, target), ...options });
}
