import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, compileVariants } from '../../lib/compile/compile';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import type { Graph } from '../../lib/ir/graph';
import type { Tensor } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { bindInputs } from '../../lib/passes/bind-inputs';
import { dataPath, MODELS, ZOO_DIR } from '../data';
import { DRAWS } from '../random/draws/table';
import { randomGraphOf } from '../random/random-graph';
import { planOfRandom } from '../random/run-graph';
import { feedsOf, givenFor, SHIPPED_NETWORKS } from '../shipped-networks';
import { IMAGE_SIZES, imageNetwork, STATE_NETWORKS } from './plan-networks';
import { HASH } from './run-case';
import { quantized, samplePlans } from './sample-plans';

/** Writes a plan with what is fed to it: beside random bytes, indices would lead nowhere. */
type Write = (name: string, plan: Uint8Array, feeds?: ReadonlyMap<string, Tensor>, inputs?: readonly string[]) => void;

/** One small graph of every operator, plans with states, and one with variants. */
function writeOperators(write: Write): void {
  for (const op of Object.keys(DRAWS))
    for (let seed = 1; seed <= 8; seed++) {
      const item = randomGraphOf(op, seed);
      if (!item) continue;
      try {
        write(`op-${op.replace(':', '-')}`, planOfRandom(item.graph), item.feeds, item.graph.inputs);
        break;
      } catch {
        // Forms that the engine names as missing: the next seed has another.
      }
    }
  for (const [name, graph, states] of STATE_NETWORKS)
    write(`states-${name.split(' ')[0]}`, compile(prepareForEngine(graph), { sourceHash: HASH, states }).plan);
  const variants = IMAGE_SIZES.map((size) => ({
    name: size.join('x'),
    graph: prepareForEngine(bindInputs(imageNetwork(), new Map([['x', [1, 3, ...size]]]))),
  }));
  write('variants', compileVariants(variants, { sourceHash: HASH }).plan);
}

/** All real models and the networks that people ship, float and, where feeds are floats alone, quantized with those. */
async function writeModels(write: Write): Promise<void> {
  const files = [
    ...MODELS.map((model) => dataPath('models', `${model}.onnx`)).filter((path) => existsSync(path)),
    ...SHIPPED_NETWORKS.map((file) => join(ZOO_DIR, file)),
  ];
  for (const path of files) {
    const file = path.split('/').at(-1)!;
    const { shapes, integers } = givenFor(file);
    const { graph } = requireModel(await openArtifact(path, { shapes: new Map(Object.entries(shapes)) }), 'test');
    const [feeds] = feedsOf(graph, integers);
    const planOf = (model: Graph) => compile(prepareForEngine(model), { sourceHash: HASH }).plan;
    write(`${file}-float`, planOf(graph), feeds, graph.inputs);
    // One sample says enough of ranges here; inputs without a batch, and integers, are no samples.
    const isBatch = ({ type, dims }: Tensor): boolean => type === 'float32' && dims[0] === 1;
    if (![...feeds.values()].every(isBatch)) continue;
    write(`${file}-int8`, planOf(await quantized(graph, datasetFromTensors('seeded', feeds))), feeds, graph.inputs);
  }
}

/** Writes plans into a folder, for gates that run them outside Node: sample plans, `--operators` or `--all`. */
async function main(folder: string, kind: string | undefined): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const write: Write = (name, plan, feeds, inputs = []) => {
    writeFileSync(join(folder, `${name}.plan`), plan);
    if (feeds)
      writeFileSync(join(folder, `${name}.inputs`), Buffer.concat(inputs.map((input) => feeds.get(input)!.bytes)));
  };
  if (kind === '--operators') writeOperators(write);
  else if (kind === '--all') await writeModels(write);
  else for (const [name, plan] of await samplePlans()) write(name, plan);
}

void main(process.argv[2], process.argv[3]);
