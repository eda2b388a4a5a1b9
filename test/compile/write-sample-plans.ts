import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, compileVariants } from '../../lib/compile/compile';
import { measureMacs } from '../../lib/compress/count-macs';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import type { Dataset } from '../../lib/ir/dataset';
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
import { feedsOf, givenFor, SHIPPED_FILES, SHIPPED_NETWORKS } from '../shipped-networks';
import { IMAGE_SIZES, imageNetwork, STATE_NETWORKS } from './plan-networks';
import { HASH } from './run-case';
import { BAR_MODELS, quantized, samplePlans } from './sample-plans';

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

const ABSENT = 'the file is absent';

/** What is known of the real models, by name. */
interface Index {
  /** Multiply-accumulates of a plan, as far as they are known: what it will take. */
  readonly macs: Record<string, number>;
  /** What cannot be had here, or has no meaning. */
  readonly skipped: { readonly name: string; readonly why: string }[];
  /** What should have become a plan. */
  readonly faults: { readonly name: string; readonly why: string }[];
}

/** Feeds as the only sample: it says enough of ranges here, and states and sample rates have no sample axis. */
function oneSample(feeds: ReadonlyMap<string, Tensor>): Dataset {
  const rows = [...feeds].map(([name, tensor]) => [name, { ...tensor, dims: [1, ...tensor.dims] }] as const);
  const samples = [...feeds].map(([name, { type, dims }]) => [name, { type, dims, axis: 'none' }] as const);
  return datasetFromTensors('seeded', new Map(rows), undefined, new Map(samples));
}

/**
 * All real models and the networks that people ship: float, once with all that their integer inputs may be, and quantized with the
 * first of those.
 */
async function writeModels(write: Write, { macs, skipped, faults }: Index): Promise<void> {
  const files = [
    ...MODELS.map((model) => dataPath('models', `${model}.onnx`)),
    ...SHIPPED_FILES.map((file) => join(ZOO_DIR, file)),
    ...SHIPPED_NETWORKS.filter((file) => !SHIPPED_FILES.includes(file)).map((file) => join(ZOO_DIR, file)),
  ];
  for (const path of files) {
    const file = path.split('/').at(-1)!;
    if (!existsSync(path)) {
      skipped.push({ name: file, why: ABSENT });
      continue;
    }
    try {
      const { shapes, integers } = givenFor(file);
      const { graph } = requireModel(await openArtifact(path, { shapes: new Map(Object.entries(shapes)) }), 'test');
      const draws = feedsOf(graph, integers);
      const planOf = (model: Graph) => compile(prepareForEngine(model), { sourceHash: HASH }).plan;
      const float = planOf(graph);
      const macsOf = measureMacs(prepareForEngine(graph)).macs;
      const add = (name: string, plan: Uint8Array, feeds: ReadonlyMap<string, Tensor>) => {
        write(name, plan, feeds, graph.inputs);
        macs[name] = macsOf;
      };
      for (const [at, feeds] of draws.entries()) add(`${file}-float${at === 0 ? '' : `-${at + 1}`}`, float, feeds);
      const int8 = planOf(await quantized(graph, oneSample(draws[0])));
      add(`${file}-int8`, int8, draws[0]);
    } catch (error) {
      faults.push({ name: file, why: String(error) });
    }
  }
}

/**
 * Writes plans into a folder, for gates that run them outside Node: sample plans, `--operators` or `--all`; beside them index.json, which
 * names what could not be written, and why, and tells the work of each.
 */
async function main(folder: string, kind: string | undefined): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const write: Write = (name, plan, feeds, inputs = []) => {
    writeFileSync(join(folder, `${name}.plan`), plan);
    if (feeds)
      writeFileSync(join(folder, `${name}.inputs`), Buffer.concat(inputs.map((input) => feeds.get(input)!.bytes)));
  };
  const index: Index = { macs: {}, skipped: [], faults: [] };
  if (kind === '--operators') writeOperators(write);
  else if (kind === '--all') await writeModels(write, index);
  else {
    for (const [name, plan] of await samplePlans()) write(name, plan);
    for (const { model } of BAR_MODELS)
      if (!existsSync(dataPath('models', `${model}.onnx`))) index.skipped.push({ name: model, why: ABSENT });
  }
  writeFileSync(join(folder, 'index.json'), JSON.stringify(index));
}

void main(process.argv[2], process.argv[3]);
