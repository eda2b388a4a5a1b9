import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartialQuantizeOptions } from '../../lib/compress/quantize/quantize-options';
import { Rng } from '../../lib/core/rng';
import { expectedInputs } from '../../lib/data/fit-input';
import { writeNpz } from '../../lib/data/npz';
import { openDataset } from '../../lib/data/open-dataset';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, tensorOf, viewAs } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { compress } from '../../lib/jobs/compress';
import { evaluateArtifact } from '../../lib/jobs/evaluate';
import { requireModel } from '../../lib/jobs/make-plan';
import { writeModel } from '../../lib/onnx/write-model';
import { imageNetwork, NetworkBuilder } from '../compress/quantize/networks';
import { casePath, dataPath } from '../data';

// What compress reports and decides must not depend on the host. Networks of at most 50,000 weights and 64 samples: the gate
// `haswell` runs the tests of them on an emulated CPU, where it would show.

const SAMPLES = 64;

const folder = mkdtempSync(join(tmpdir(), 'hone-hosts-'));
afterAll(() => rmSync(folder, { recursive: true }));

export interface HostCase {
  readonly what: string;
  /** Writes model and samples into a folder; their paths. */
  readonly files: () => Promise<HostFiles>;
  /** Layers that AdaRound takes, as a glob: each costs an emulated CPU seconds; without it the plain form alone is compared. */
  readonly adaround?: string;
}

export interface HostFiles {
  readonly model: string;
  readonly data: string;
}

/** Weights of one sign and inputs far from zero: the sums that 16 bits cannot hold. */
function positive(graph: Graph): Graph {
  const initializers = [...graph.initializers].map(([name, tensor]) => {
    const shifted = name.endsWith('_w') ? viewAs(tensor, 'float32').map((w) => Math.abs(w)) : undefined;
    return [name, shifted ? tensorOf('float32', tensor.dims, shifted) : tensor] as const;
  });
  return { ...graph, initializers: new Map(initializers) };
}

function written(name: string, graph: Graph, dims: readonly number[], draw: (rng: Rng) => number) {
  const [model, data] = [join(folder, `${name}.onnx`), join(folder, `${name}.npz`)];
  const rng = new Rng(11);
  const x = Float32Array.from({ length: SAMPLES * elementCount(dims) }, () => draw(rng));
  writeFileSync(model, writeModel(graph));
  writeFileSync(data, writeNpz(new Map([['x', tensorOf('float32', [SAMPLES, ...dims], x)]])));
  return { model, data };
}

/** Made here. */
export const SIBLINGS: readonly HostCase[] = [
  {
    what: 'fully connected layers on inputs from 0.5 to 1',
    adaround: '*',
    files: async () => {
      const net = new NetworkBuilder({ name: 'mlp' });
      net.input('x', 'float32', ['N', 48]);
      const hidden = net.apply('Relu', 'relu', net.dense('first', 'x', 48, 96));
      const graph = positive(net.finish(net.dense('second', hidden, 96, 6)));
      return written('mlp', graph, [48], (rng) => 0.5 + 0.5 * rng.uniform());
    },
  },
  {
    what: 'convolutions on pictures from 0 to 255',
    adaround: 'conv*',
    files: async () => {
      const net = imageNetwork(4);
      const stem = net.apply('Relu', 'relu1', net.conv('conv1', 'x', 4, 16));
      const depthwise = net.apply('Relu', 'relu2', net.conv('depthwise', stem, 16, 16, { group: 16 }));
      const last = net.apply('Relu', 'relu3', net.conv('conv2', depthwise, 16, 12));
      const pooled = net.apply('Flatten', 'flat', net.apply('GlobalAveragePool', 'pool', last));
      const graph = positive(net.finish(net.dense('head', pooled, 12, 5)));
      return written('convolutions', graph, [4, 8, 8], (rng) => 255 * Math.sqrt(rng.uniform()));
    },
  },
  {
    what: 'weights of both signs',
    adaround: 'second',
    files: async () => {
      const net = new NetworkBuilder({ name: 'mixed' });
      net.input('x', 'float32', ['N', 64]);
      const hidden = net.apply('Relu', 'relu', net.dense('first', 'x', 64, 128));
      return written('mixed', net.finish(net.dense('second', hidden, 128, 8)), [64], (rng) => rng.uniform());
    },
  },
];

/** Of the cases. */
export const GIVEN: readonly HostCase[] = [
  {
    what: 'saturate',
    adaround: '*',
    files: async () => ({
      model: casePath('saturate.onnx'),
      data: await firstSamples('saturate', casePath('saturate.onnx'), casePath('saturate.npz')),
    }),
  },
];

/** Of the real models. */
export const REAL: readonly HostCase[] = [
  {
    what: 'dscnn',
    adaround: 'n11',
    files: async () => {
      const model = dataPath('models', 'dscnn_kws_mlperftiny.onnx');
      // 2.7 million multiply-accumulates each, on an emulated CPU.
      return { model, data: await firstSamples('dscnn', model, dataPath('npz', 'kws_calib100.npz'), SAMPLES / 4) };
    },
  },
  {
    what: 'resnet8',
    files: async () => {
      const model = dataPath('models', 'resnet8_cifar10_mlperftiny.onnx');
      // 12.5 million multiply-accumulates each.
      return {
        model,
        data: await firstSamples('resnet8', model, dataPath('npz', 'cifar_raw_calib256.npz'), SAMPLES / 8),
      };
    },
  },
];

/** A file with the first samples of another. */
async function firstSamples(name: string, model: string, data: string, count = SAMPLES): Promise<string> {
  const { graph } = requireModel(await openArtifact(model), 'test');
  const all = await openDataset(data, { inputs: expectedInputs(graph) });
  const first = all.select(Array.from({ length: count }, (_, index) => index));
  const path = join(folder, `${name}.npz`);
  for await (const { inputs } of first.batches({ size: SAMPLES })) writeFileSync(path, writeNpz(inputs));
  return path;
}

/** Compresses a case; what is printed, what eval finds on the same samples, and the file. */
export async function compressed({ model, data }: HostFiles, quantize: PartialQuantizeOptions) {
  const target = join(folder, 'compressed.onnx');
  const float = requireModel(await openArtifact(model), 'test');
  const { graph, report } = await compress(float, { data, quantize });
  writeFileSync(target, writeModel(graph));
  const { sqnrDb: found, executor } = await evaluateArtifact(await openArtifact(target), { data, float: model });
  expect(executor).toBe('native');
  return { graph, report, printedDb: report.outputs[0].sqnrDb, foundDb: found! };
}
