import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compile } from '../lib/compile/compile';
import { expectedInputs } from '../lib/data/fit-input';
import { openDataset } from '../lib/data/open-dataset';
import type { Graph } from '../lib/ir/graph';
import type { Tensor } from '../lib/ir/tensor';
import { type ModelArtifact, openArtifact } from '../lib/jobs/artifact';
import { compress } from '../lib/jobs/compress';
import { requireModel } from '../lib/jobs/make-plan';
import { prepareForEngine } from '../lib/jobs/prepare-for-engine';
import { ROOT } from './environment';

/** A real model with its labelled data, by file stem. */
export interface ModelFiles {
  readonly name: string;
  /** Short name for tables. */
  readonly label: string;
  readonly calibration: string;
  readonly test: string;
}

/** The models that Hone is judged by. */
export const MODELS: readonly ModelFiles[] = [
  { name: 'mnist-8', label: 'mnist-8', calibration: 'mnist_raw_calib256', test: 'mnist_raw_test5000' },
  {
    name: 'resnet8_cifar10_mlperftiny',
    label: 'resnet8',
    calibration: 'cifar_raw_calib256',
    test: 'cifar_raw_test500',
  },
  { name: 'resnet20_cifar10', label: 'resnet20', calibration: 'cifar_norm_calib256', test: 'cifar_norm_test500' },
  { name: 'dscnn_kws_mlperftiny', label: 'dscnn', calibration: 'kws_calib100', test: 'kws_test400' },
];

/** A model with everything that the trials need of it. */
export interface BenchModel {
  readonly label: string;
  /** The float model. */
  readonly float: ModelArtifact;
  /** The float model for single samples, as onnxruntime gets it. */
  readonly floatGraph: Graph;
  /** Its int8 form with Q/DQ pairs, for single samples. */
  readonly quantized: Graph;
  /** The plan compiled from `quantized`. */
  readonly plan: Uint8Array;
  readonly calibrationPath: string;
  readonly testPath: string;
}

/** The models at hand. Each is compressed once, when a trial first asks for it. */
export interface BenchModels {
  readonly present: readonly ModelFiles[];
  /** Files that are missing, by model name. */
  readonly skipped: readonly string[];
  load(files: ModelFiles): Promise<BenchModel>;
}

/** Folder of real models and labelled data: HONE_TEST_DATA, or else `../shared/data` beside the repository. */
export const DATA_FOLDER: string = resolve(process.env.HONE_TEST_DATA ?? join(ROOT, '../shared/data'));

/** Finds the models below the data folder. */
export function findModels(folder: string = DATA_FOLDER): BenchModels {
  const modelPath = ({ name }: ModelFiles): string => resolve(folder, 'models', `${name}.onnx`);
  const dataPath = (name: string): string => resolve(folder, 'npz', `${name}.npz`);
  const lacking = (files: ModelFiles): string | undefined =>
    [modelPath(files), dataPath(files.calibration), dataPath(files.test)].find((path) => !existsSync(path));
  const loaded = new Map<string, Promise<BenchModel>>();
  return {
    present: MODELS.filter((files) => lacking(files) === undefined),
    skipped: MODELS.flatMap((files) => {
      const path = lacking(files);
      return path === undefined ? [] : [`${files.label}: ${path} is not there`];
    }),
    load(files) {
      const known = loaded.get(files.name);
      if (known) return known;
      const model = loadModel(files.label, modelPath(files), dataPath(files.calibration), dataPath(files.test));
      loaded.set(files.name, model);
      return model;
    },
  };
}

async function loadModel(label: string, path: string, calibrationPath: string, testPath: string): Promise<BenchModel> {
  const float = requireModel(await openArtifact(path), 'compress');
  const { graph } = await compress(float, { data: calibrationPath });
  const quantized = prepareForEngine(graph);
  const { plan } = compile(quantized, { sourceHash: float.hash });
  return { label, float, floatGraph: prepareForEngine(float.graph), quantized, plan, calibrationPath, testPath };
}

/** The first `count` test samples, each with a leading axis of 1. */
export async function firstSamples(model: BenchModel, count: number): Promise<ReadonlyMap<string, Tensor>[]> {
  const dataset = await openDataset(model.testPath, { inputs: expectedInputs(model.quantized) });
  const samples: ReadonlyMap<string, Tensor>[] = [];
  for await (const { inputs } of dataset.batches({ size: 1 })) {
    if (samples.length === count) break;
    samples.push(inputs);
  }
  return samples;
}
