import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Compiled, compile } from '../../lib/compile/compile';
import { quantize } from '../../lib/compress/quantize/quantize';
import { formatDiagnostics } from '../../lib/core/diagnostic';
import { asHoneError } from '../../lib/core/error';
import { Rng, streamSeed } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { numbersOf } from '../../lib/engine/arrays';
import { openSession } from '../../lib/engine/session';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { inspect } from '../../lib/jobs/inspect';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { writeModel } from '../../lib/onnx/write-model';
import { bindToOneSample } from '../../lib/passes/bind-inputs';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { widenFloats } from '../../lib/passes/widen-floats';
import { readPlan } from '../../lib/plan/reader';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { openReference } from '../../lib/reference/session';
import { randomNetwork } from '../compile/random-networks';
import { arrayOf } from '../compile/run-case';
import { CONVOLUTIONS } from '../ops/cases/convolutions';
import { CASES as ELEMENTWISE } from '../ops/cases/elementwise';
import { MATRICES } from '../ops/cases/matrices';
import { NORMALIZATIONS } from '../ops/cases/normalizations';
import { PLACES } from '../ops/cases/places';
import { POOLS } from '../ops/cases/pools';
import { QUANTIZERS } from '../ops/cases/quantizers';
import { RECURRENT } from '../ops/cases/recurrent';
import { CASES as REDUCTION } from '../ops/cases/reduction';
import { CASES as RESIZE } from '../ops/cases/resize';
import { CASES as SHAPE } from '../ops/cases/shape';
import { CASES as UPGRADES } from '../ops/cases/upgrades';
import { graphOf, type OpCase } from '../ops/op-case';
import { adjustGraph } from './adjust-graph';
import { mutate } from './mutate';
import { mutateGraph } from './mutate-graph';
import { seedModels } from './seeds';
import { tryModel } from './try-model';

/** What runs while a case is tried: onnxruntime is not ours to mend, so what ends there is told apart. */
export type Stage = 'read' | 'prepare' | 'inspect' | 'compile' | 'run' | 'onnxruntime' | 'compare' | 'quantize';

/** How far a case came. */
export type Outcome = 'no model' | 'refused' | 'compiled' | 'ran' | 'compared' | 'quantized';

/** Files above this size are no seeds: the time would go into their weights. */
const MOST_BYTES = 40_000;
/** Inputs with more elements are not drawn. */
const MOST_ELEMENTS = 1 << 20;
/** Plans that would take more memory than this are compiled and not run. */
const MOST_MEMORY = 8 << 20;
/** Networks among the models to begin with. */
const NETWORKS = 120;
/** One case in so many of those that are prepared is quantized, too. */
const QUANTIZE_EVERY = 3;
/** Share of the cases that change little: hardly another one is prepared, compiled and quantized. */
const ADJUSTED = 0.5;

const OP_CASES: readonly (readonly OpCase[])[] = [
  ...[
    CONVOLUTIONS,
    ELEMENTWISE,
    MATRICES,
    NORMALIZATIONS,
    PLACES,
    POOLS,
    QUANTIZERS,
    RECURRENT,
    REDUCTION,
    RESIZE,
    SHAPE,
  ],
  UPGRADES,
];

/**
 * Models to start from: hand-made files, one node of every operator, random networks, and the ONNX files of folders (given or
 * not there, which changes what a seed means).
 */
export function corpusOf(folders: readonly string[]): Uint8Array[] {
  const networks = Array.from({ length: NETWORKS }, (_, seed) =>
    randomNetwork(new Rng(seed), seed % 2 ? 'quantized' : 'float'),
  );
  const operators = OP_CASES.flat().filter(({ inputs }) =>
    inputs.every((tensor) => (tensor?.bytes.length ?? 0) < MOST_BYTES),
  );
  return [
    ...seedModels(),
    ...networks.map(({ graph }) => writeModel(graph)),
    ...operators.flatMap((entry) => [graphOf(entry), constantOf(entry)]).map(writeModel),
    ...folders.flatMap(modelsIn),
  ];
}

/** The case with every input but the first as a constant. */
function constantOf(entry: OpCase): Graph {
  const graph = graphOf(entry);
  const constants: (readonly [string, Tensor])[] = entry.inputs.flatMap((tensor, index) =>
    tensor && index > 0 ? [[`in${index}`, tensor] as const] : [],
  );
  const names = new Set(constants.map(([name]) => name));
  return {
    ...graph,
    inputs: graph.inputs.filter((name) => !names.has(name)),
    initializers: new Map(constants),
    values: new Map([...graph.values].filter(([name]) => !names.has(name))),
  };
}

function modelsIn(folder: string): Uint8Array[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.onnx'))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).size < MOST_BYTES)
    .map((path) => Uint8Array.from(readFileSync(path)));
}

/** The bytes of case `index` of a seed: a model changed as a graph, as bytes, or both. */
export function makeCase(corpus: readonly Uint8Array[], seed: number, index: number): Uint8Array {
  const rng = new Rng(streamSeed(seed, index));
  // The networks near the front mean more than single nodes.
  const pick = (networks = 0.4): Uint8Array =>
    corpus[rng.integer(0, (rng.uniform() < networks ? Math.min(NETWORKS, corpus.length) : corpus.length) - 1)];
  if (rng.uniform() < ADJUSTED) {
    const base = pick(0.8);
    const graph = tryModel(base);
    return graph ? written(adjustGraph(graph, rng), base) : base;
  }
  const base = pick();
  const way = rng.uniform();
  const graph = way < 0.85 ? tryModel(base) : undefined;
  if (!graph) return mutate(base, pick(), rng);
  const bytes = written(mutateGraph(graph, rng), base);
  return way < 0.05 ? mutate(bytes, pick(), rng) : bytes;
}

/** The file of a graph; `instead` where no file can hold one of its tensors. */
function written(graph: Graph, instead: Uint8Array): Uint8Array {
  try {
    return writeModel(graph);
  } catch {
    return instead;
  }
}

/**
 * Takes bytes through all that Hone does with a model. Returns how far they came.
 * @throws Error with the reason for a defect: an internal error, an unsound graph, a result that differs from onnxruntime's
 */
export async function runCase(bytes: Uint8Array, seed: number, enter: (stage: Stage) => void): Promise<Outcome> {
  enter('read');
  const read = tryModel(bytes);
  if (!read) return 'no model';
  const graph = bindToOneSample(widenFloats(read).graph);
  enter('prepare');
  const prepared = answer(() => prepareForEngine(graph));
  if (prepared) {
    const faults = verify(prepared);
    if (faults.length > 0) throw new Error(`prepare made an unsound graph:\n${formatDiagnostics(faults)}`);
  }
  enter('inspect');
  const artifact = {
    path: 'fuzz',
    bytes,
    hash: '',
    float16Ports: new Set<string>(),
    quantized: false,
    derived: true,
    notes: [],
  } as const;
  answer(() => inspect({ kind: 'model', graph, ...artifact }));
  if (!prepared) return 'refused';
  enter('compile');
  const compiled = answer(() => compile(prepared, { sourceHash: '0'.repeat(64) }));
  if (!compiled) {
    await quantizeSome(graph, seed, enter);
    return 'refused';
  }
  readPlan(compiled.plan);
  if (memoryOf(compiled) > MOST_MEMORY) return 'compiled';
  const feeds = feedsOf(graph, seed);
  if (!feeds) return 'compiled';
  enter('run');
  const found = runPlan(compiled, feeds);
  enter('onnxruntime');
  const expected = await runReference(graph, feeds);
  enter('compare');
  // What overflows does so in one executor and not in the other.
  const overflows = compiled.diagnostics.some(({ message }) => message.includes('beyond int32'));
  if (!expected || overflows || hasExtremes(graph) || enlargesRounding(graph) || padsOtherwiseInRuntime(graph))
    return 'ran';
  compare(graph, expected, found);
  return (await quantizeSome(graph, seed, enter)) ? 'quantized' : 'compared';
}

/** Quantizes one float network in some; false for others, and where that is refused. */
async function quantizeSome(graph: Graph, seed: number, enter: (stage: Stage) => void): Promise<boolean> {
  const float = graph.nodes.every(({ op }) => !/^(Quantize|Dequantize|Dynamic|QLinear|QGemm)/.test(op));
  const feeds = float && seed % QUANTIZE_EVERY === 0 ? feedsOf(graph, seed) : undefined;
  if (!feeds) return false;
  enter('quantize');
  return quantizeAndRun(graph, feeds);
}

/**
 * Whether onnxruntime pads otherwise than auto_pad SAME asks for. A window that needs less than no padding gets none
 * (TensorFlow's rule, which the attribute comes from); onnxruntime drops elements at the start in AveragePool and Conv, and refuses
 * MaxPool. Under dilations its pools give fewer elements than inputs ÷ strides. Where it wraps around further than there are elements, it
 * reads what nobody wrote.
 */
function padsOtherwiseInRuntime(graph: Graph): boolean {
  const { values } = inferShapes(graph).graph;
  return graph.nodes.some(({ op, attributes, inputs }) => {
    const mode = attributes.get('mode');
    if (op === 'Pad' && mode?.kind === 'string' && mode.value === 'wrap') {
      const [shape, pads] = [values.get(inputs[0])?.shape, graph.initializers.get(inputs[1])];
      const least = Math.min(...(shape ?? []).map(Number));
      if (!pads || !(Math.max(...toNumbers(pads)) <= least)) return true;
    }
    const [autoPad, strides] = [attributes.get('auto_pad'), attributes.get('strides')];
    if (autoPad?.kind !== 'string' || !autoPad.value.startsWith('SAME')) return false;
    const dilations = attributes.get('dilations');
    if (op.endsWith('Pool') && dilations?.kind === 'ints' && dilations.value.some((step) => step > 1)) return true;
    if (strides?.kind !== 'ints') return false;
    const kernel = attributes.get('kernel_shape');
    return strides.value.some((stride, axis) => stride > ((kernel?.kind === 'ints' ? kernel.value[axis] : 1) ?? 1) + 1);
  });
}

/** Whether a graph may make much of what rounding leaves: the sign of a 0, equal elements that are divided by their deviation. */
function enlargesRounding({ nodes, inputs }: Graph): boolean {
  return nodes.some(
    (node) => ['MeanVarianceNormalization', 'Sign'].includes(node.op) && !inputs.includes(node.inputs[0]),
  );
}

/** Whether a graph holds floats near the ends of float32, or integers that onnxruntime cuts to 32 bits. */
function hasExtremes(graph: Graph): boolean {
  const isFar = (x: number) => !(Math.abs(x) < 1e30) || (x !== 0 && Math.abs(x) < 1e-30);
  const constants = [...graph.initializers.values()].some(
    (tensor) => tensor.type === 'float32' && toNumbers(tensor).some(isFar),
  );
  const attributes = graph.nodes.flatMap((node) => [...node.attributes.values()]);
  return (
    constants || attributes.some(({ kind, value }) => kind === 'ints' && value.some((x) => Math.abs(x) >= 2 ** 31))
  );
}

/** What `action` returns; undefined for a refusal. @throws for an internal error */
function answer<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    refused(error);
    return undefined;
  }
}

/** @throws the error itself unless it is a refusal */
function refused(error: unknown): void {
  if (asHoneError(error).code === 'E_INTERNAL') throw error;
}

function memoryOf({ plan, description }: Compiled): number {
  return description.variants.reduce(
    (sum, { arenaBytes, inputs, outputs }) =>
      sum + arenaBytes + [...inputs, ...outputs].reduce((total, { dims }) => total + 4 * elementCount(dims), 0),
    plan.length,
  );
}

/** Random values for the inputs; undefined where the engine takes none of their type. */
function feedsOf(graph: Graph, seed: number): Map<string, Tensor> | undefined {
  const rng = new Rng(seed);
  const feeds = new Map<string, Tensor>();
  for (const name of graph.inputs) {
    const type = graph.values.get(name);
    const dims = type?.shape as readonly number[] | undefined;
    if (
      !dims?.every((dim) => typeof dim === 'number') ||
      !(elementCount(dims) < MOST_ELEMENTS) ||
      (type!.type !== 'float32' && type!.type !== 'uint8' && type!.type !== 'int8')
    )
      return undefined;
    const low = type!.type === 'int8' ? -128 : 0;
    const draw = () => (type!.type === 'float32' ? rng.normal() : rng.integer(low, low + 255));
    feeds.set(name, tensorFrom(type!.type, dims, Array.from({ length: elementCount(dims) }, draw)));
  }
  return feeds;
}

function runPlan({ plan }: Compiled, feeds: ReadonlyMap<string, Tensor>): Map<string, number[]> {
  const session = openSession(plan);
  try {
    const found = session.run(Object.fromEntries([...feeds].map(([name, tensor]) => [name, arrayOf(tensor)])));
    return new Map(Object.entries(found).map(([name, data]) => [name, Array.from(numbersOf(data))]));
  } finally {
    session.close();
  }
}

/** Outputs of onnxruntime, every node as written; undefined when it refuses the model. */
async function runReference(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor> | undefined> {
  try {
    await using reference = await openReference(graph, { optimization: 'disabled' });
    return await reference.run(feeds);
  } catch (error) {
    refused(error);
    return undefined;
  }
}

/** Largest number of float32. */
const LARGEST_FLOAT = (2 - 2 ** -23) * 2 ** 127;

/**
 * Float outputs agree up to rounding. In quantized networks a sum on a tie may fall to the other side and be carried on: few
 * elements may differ there, or all of them by little.
 */
function compare(graph: Graph, expected: ReadonlyMap<string, Tensor>, found: ReadonlyMap<string, number[]>): void {
  const quantized = graph.nodes.some(({ op }) => /Quantize|QLinear|QGemm/.test(op));
  // A NaN among elements wins here; in onnxruntime that depends on where it stands.
  const chooses = graph.nodes.some(({ op }) => /^(Reduce)?(Max|Min)$|MaxPool$/.test(op));
  for (const [name, tensor] of expected) {
    if (tensor.type !== 'float32' && tensor.type !== 'uint8' && tensor.type !== 'int8') continue;
    const [a, b] = [toNumbers(tensor), found.get(name)!];
    if (a.length !== b.length) throw new Error(`'${name}' has ${b.length} elements; onnxruntime gives ${a.length}`);
    // What comes of numbers beyond float32 is no rule of ONNX, nor is whether the largest of nothing is -Infinity or the least float.
    if (!a.every((x) => Math.abs(x) < LARGEST_FLOAT)) continue;
    if (chooses && b.some(Number.isNaN)) continue;
    const largest = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const wrong = a.filter((x, i) => !(Math.abs(x - b[i]) <= 1e-3 * largest + 1e-6)).length;
    if (wrong === 0) continue;
    const noise = a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0);
    const signal = a.reduce((sum, x) => sum + x ** 2, 0);
    if (quantized && (wrong <= Math.max(2, 0.05 * a.length) || signal > 100 * noise)) continue;
    throw new Error(`'${name}' differs from onnxruntime in ${wrong} of ${a.length} elements (${a[0]}, ${b[0]}, ...)`);
  }
}

/** Whether the network could be quantized; what of the result the engine takes is run. */
async function quantizeAndRun(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Promise<boolean> {
  const reference = createReferenceEvaluate();
  try {
    const samples = new Map([...feeds].map(([name, tensor]) => [name, { ...tensor, dims: [1, ...tensor.dims] }]));
    const types = new Map([...feeds].map(([name, { type, dims }]) => [name, { type, dims, axis: 'none' } as const]));
    const dataset = datasetFromTensors('fuzz', samples, undefined, types);
    const { graph: result } = await quantize(graph, { dataset, evaluate: reference.evaluate });
    const compiled = answer(() => compile(prepareForEngine(result), { sourceHash: '0'.repeat(64) }));
    if (compiled && memoryOf(compiled) <= MOST_MEMORY) runPlan(compiled, feeds);
    return true;
  } catch (error) {
    refused(error);
    return false;
  } finally {
    await reference.close();
  }
}
