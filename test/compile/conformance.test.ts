import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compile, diagnose } from '../../lib/compile/compile';
import type { PlanArray } from '../../lib/engine/addon';
import { numbersOf } from '../../lib/engine/arrays';
import { openSession } from '../../lib/engine/session';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers, type ViewType } from '../../lib/ir/tensor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { readModel } from '../../lib/onnx/read-model';
import { toDense } from '../../lib/ops/dense';
import { ConformanceArchive, DISPUTED, dataSets, modelBytes } from '../conformance-archive';
import { describeWithData } from '../data';
import { conformancePage, type Outcome } from './conformance-page';
import { feedOf, HASH } from './run-case';

/**
 * Inputs that become constants, by operator: shapes, axes, pads, splits, scales, zero points, weights and biases, as they are in
 * models. All others are fed.
 */
const CONSTANTS: Readonly<Record<string, readonly number[]>> = {
  AffineGrid: [1],
  BatchNormalization: [1, 2, 3, 4],
  BlackmanWindow: [0],
  CenterCropPad: [1],
  Col2Im: [1, 2],
  ConstantOfShape: [0],
  Conv: [1, 2],
  ConvInteger: [1, 2, 3],
  ConvTranspose: [1, 2],
  CumSum: [1],
  DFT: [1, 2],
  DeformConv: [1, 3],
  DequantizeLinear: [1, 2],
  Expand: [1],
  GroupNormalization: [1, 2],
  GRU: [1, 2, 3],
  HammingWindow: [0],
  HannWindow: [0],
  InstanceNormalization: [1, 2],
  LSTM: [1, 2, 3, 7],
  LayerNormalization: [1, 2],
  Loop: [0],
  MatMulInteger: [1, 2, 3],
  MaxUnpool: [2],
  MelWeightMatrix: [0, 1, 2, 3, 4],
  NonMaxSuppression: [2],
  OneHot: [1],
  PRelu: [1],
  Pad: [1, 3],
  QLinearConv: [1, 2, 3, 4, 5, 6, 7, 8],
  QLinearMatMul: [1, 2, 3, 4, 5, 6, 7],
  QuantizeLinear: [1, 2],
  RMSNormalization: [1],
  RNN: [1, 2, 3],
  Range: [0, 1, 2],
  Reshape: [1],
  Resize: [1, 2, 3],
  STFT: [1, 2, 3],
  Slice: [1, 2, 3, 4],
  Split: [1],
  Squeeze: [1],
  Tile: [1],
  TopK: [1],
  Trilu: [1],
  Unsqueeze: [1],
  Upsample: [1],
};

/** Least number of tests that pass: more may come, none may go. */
const LEAST_PASSED = 503;

describeWithData('ONNX conformance tests on the engine', () => {
  const archive = new ConformanceArchive();
  const outcomes = new Map<string, Outcome>();

  afterAll(() => {
    const counts = archive.tests.filter(({ name }) => outcomes.get(name)?.passed).length;
    if (process.env.UPDATE && outcomes.size === archive.tests.length)
      writeFileSync(join(__dirname, '../../docs/conformance.md'), conformancePage(archive.tests, outcomes));
    archive.close();
    expect(counts).toBeGreaterThanOrEqual(LEAST_PASSED);
  });

  for (const entry of archive.tests) {
    const { name } = entry;
    const cases = load(archive.path(entry));
    if (typeof cases === 'string') {
      outcomes.set(name, { passed: false, reason: cases });
      test.skip(`${name}: ${cases}`, () => {});
    } else if (name in DISPUTED) {
      outcomes.set(name, { passed: false, reason: DISPUTED[name] });
      test(`${name} (disputed: ${DISPUTED[name]})`, () => expect(() => cases.forEach(runCase)).toThrow());
    } else
      test(name, () => {
        cases.forEach(runCase);
        outcomes.set(name, { passed: true });
      });
  }
  if (archive.tests.length === 0) test('the tests of the archive', () => {});
});

/** One data set of a test, ready for the engine. */
interface EngineCase {
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<string, Tensor>;
  readonly expected: ReadonlyMap<string, Tensor>;
}

/** The data sets of a test, or why the engine cannot run them. */
function load(folder: string): readonly EngineCase[] | string {
  try {
    const model = readModel(modelBytes(folder));
    const cases = dataSets(folder).map(({ inputs, outputs }) => caseOf(model, inputs, outputs));
    for (const { graph } of cases) {
      const [lacking] = diagnose(graph).filter(({ severity }) => severity === 'error');
      if (lacking) return lacking.message;
      if (compile(graph, { sourceHash: HASH }).description.variants[0].nodes.length === 0) return 'no node is left';
    }
    return cases;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}

function caseOf(model: Graph, inputs: readonly Tensor[], outputs: readonly Tensor[]): EngineCase {
  const given = new Map(
    model.inputs.filter((name) => !model.initializers.has(name)).map((name, i) => [name, inputs[i]]),
  );
  const isConstant = (name: string): boolean => {
    const readers = model.nodes.filter((node) => node.inputs.includes(name));
    return (
      readers.length > 0 &&
      readers.every(({ op, inputs: read }) => {
        const index = read.indexOf(name);
        return (op.startsWith('Reduce') && index === 1) || CONSTANTS[op]?.includes(index) === true;
      })
    );
  };
  const constants = [...given].filter(([name]) => isConstant(name));
  const feeds = new Map([...given].filter(([name]) => !isConstant(name)));
  const values = new Map([
    ...model.values,
    ...[...feeds].map(([name, { type, dims }]) => [name, { type, shape: dims }] as const),
  ]);
  const initializers = new Map([...model.initializers, ...constants]);
  const graph = prepareForEngine({ ...model, inputs: [...feeds.keys()], values, initializers });
  return { graph, feeds, expected: new Map(model.outputs.map((name, index) => [name, outputs[index]])) };
}

function runCase({ graph, feeds, expected }: EngineCase): void {
  const session = openSession(compile(graph, { sourceHash: HASH }).plan);
  try {
    const arrays = graph.inputs.map((name) => [name, arrayFor(feeds.get(name)!, graph, name)] as const);
    const found = session.run(new Map(arrays));
    for (const [name, tensor] of expected) {
      expect(session.dimsOf(name)).toEqual(tensor.dims);
      expectClose(numbersOf(found[name]), tensor);
    }
  } finally {
    session.close();
  }
}

/** Half and double precision travel as float32. */
function arrayFor(tensor: Tensor, graph: Graph, name: string): PlanArray {
  const { type } = graph.values.get(name)!;
  if (type === tensor.type) return feedOf(tensor);
  return feedOf(tensorFrom(type as ViewType, tensor.dims, Array.from(toDense(tensor, 'float32').data)));
}

/** Half-precision outputs carry 11 (float16) or 8 (bfloat16) significant bits. */
const TOLERANCE: Readonly<Record<string, number>> = { float16: 2e-3, bfloat16: 1e-2 };

function expectClose(found: ArrayLike<number>, expected: Tensor): void {
  const values = expected.type === 'int64' ? toNumbers(expected) : toDense(expected, 'float32').data;
  expect(found).toHaveLength(elementCount(expected.dims));
  const tolerance = TOLERANCE[expected.type] ?? 1e-4;
  const wrong = Array.from(values, (value: number, i: number) => ({ i, value, engine: found[i] })).filter(
    ({ value, engine }) =>
      !Object.is(value, engine) && !(Math.abs(value - engine) <= tolerance * (1 + Math.abs(value))),
  );
  expect(wrong).toEqual([]);
}
