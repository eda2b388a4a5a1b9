import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile, diagnose } from '../../lib/compile/compile';
import { FAMILIES } from '../../lib/compile/families/table';
import { BINARY_OPERATIONS } from '../../lib/core/binary-operation';
import { Rng } from '../../lib/core/rng';
import { UNARY_OPERATIONS } from '../../lib/core/unary-operation';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Tensor } from '../../lib/ir/tensor';
import { OPERATORS } from '../../lib/ops';
import { elementCost } from '../../lib/ops/cost';
import { toDense } from '../../lib/ops/dense';
import { prepare } from '../../lib/passes/pipeline';
import { upgrade } from '../../lib/passes/upgrade';
import { PLAN_OP_NAMES } from '../../lib/plan/plan-ops';
import { evaluateGraph } from '../ops/evaluate-graph';
import type { OpCase } from '../ops/op-case';
import { WITHOUT_ENGINE_FORM } from '../tidy/operators-page';
import { callOf } from './call-of';
import { randomNetwork } from './random-networks';
import { HASH, runEngine } from './run-case';

const FOLDER = join(__dirname, '../ops/cases');
const CASES = readdirSync(FOLDER).flatMap((file) =>
  (Object.values(require(join(FOLDER, file))) as (readonly OpCase[])[]).flat(),
);

/** Inputs of a case that are fed: the first, where the others are constant as weights and shapes are; all floats; or all. */
type Fed = 'first' | 'floats' | 'all';

/** A case as a graph, and what is fed to it. */
function graphOf({ op, inputs, attributes, outputs = 1, opset = 21, domain = '' }: OpCase, fed: Fed) {
  const b = new GraphBuilder({ opset });
  const feeds = new Map<string, Tensor>();
  const names = inputs.map((tensor, index) => {
    if (tensor === undefined) return '';
    const isFed = index === 0 || fed === 'all' || (fed === 'floats' && tensor.type === 'float32');
    if (!isFed) return b.initializer(tensor, `c${index}`);
    feeds.set(`x${index}`, tensor);
    return b.input(`x${index}`, tensor.type, tensor.dims);
  });
  const made = Array.from({ length: outputs }, (_, index) => `y${index}`);
  for (const name of b.nodes(op, names, outputs, attributes, { outputs: made, domain })) b.output(name);
  return { graph: b.build(), feeds };
}

/** Cases that the engine runs, prepared. */
const runnable = CASES.flatMap((item) => {
  const others = item.inputs.slice(1);
  const feedings = [
    'first' as const,
    ...(others.some((tensor) => tensor?.type === 'float32') ? (['floats'] as const) : []),
    ...(others.some((tensor) => tensor && tensor.type !== 'float32') ? (['all'] as const) : []),
  ];
  return feedings.flatMap((fed) => {
    const { graph: given, feeds } = graphOf(item, fed);
    try {
      const { graph, diagnostics } = prepare(given);
      // Half and double precision are computed as float32, and said so.
      const isExact = diagnostics.every(({ kind }) => kind !== 'float32-conversion');
      const runs = isExact && graph.nodes.length > 0 && diagnose(graph).length === 0;
      return runs ? [{ name: `${item.op}: ${item.title}, ${fed} fed`, item, given, graph, feeds }] : [];
    } catch {
      return []; // upgrades of forms that need no engine: test/ops has them
    }
  });
});

test('every operator has a form on the engine, but for those that become something else', () => {
  const without = OPERATORS.filter(({ lower }) => lower === undefined).map(({ op }) => op);
  expect(without.sort()).toEqual(Object.keys(WITHOUT_ENGINE_FORM).sort());
  expect(without.length).toBeLessThanOrEqual(10);
  // What has a form runs in a case; Require does in branches.test.ts.
  const ran = new Set(runnable.map(({ item }) => item.op));
  const untried = OPERATORS.filter(({ op, lower }) => lower !== undefined && !ran.has(op)).map(({ op }) => op);
  expect(untried.sort()).toEqual(['Require']);
});

test('every operator with a float operation of the engine has a case that it runs', () => {
  const tested = new Set(runnable.map(({ item }) => item.op));
  const calls = OPERATORS.map((operator) => ({ op: operator.op, call: callOf(operator) }));
  const promised = calls.filter(
    ({ call }) =>
      call?.kernel === 'matmul' ||
      call?.kernel === 'binary' ||
      call?.kernel === 'softmax' ||
      call?.kernel === 'reduce' ||
      call?.kernel === 'accumulate' ||
      call?.kernel === 'normalize' ||
      call?.kernel === 'relative' ||
      call?.kernel === 'batch-norm' ||
      call?.kernel === 'local-response' ||
      call?.kernel === 'unary',
  );
  expect(promised.length).toBeGreaterThan(3);
  expect(promised.filter(({ op }) => !tested.has(op))).toEqual([]);
  const binary = runnable.flatMap(({ graph }) =>
    compile(graph, { sourceHash: HASH }).description.variants[0].nodes.flatMap((node) =>
      node.op === 'binary_f32' ? [node.params.operation] : [],
    ),
  );
  expect([...new Set(binary)].sort()).toEqual(BINARY_OPERATIONS.map(({ name }) => name).sort());
});

test('every element-wise operator of one float tensor has its function in the engine, and every function its operator', () => {
  const missing = OPERATORS.filter(({ schema, cost, lower }) => {
    const [x, ...others] = schema.inputs;
    return others.length === 0 && x?.types.includes('float32') && cost === elementCost && lower === undefined;
  });
  expect(missing.map(({ op }) => op)).toEqual([]);
  const used = runnable.flatMap(({ graph }) =>
    compile(graph, { sourceHash: HASH }).description.variants[0].nodes.flatMap((node) =>
      node.op === 'unary_f32' ? [node.params.operation] : [],
    ),
  );
  expect([...new Set(used)].sort()).toEqual(UNARY_OPERATIONS.map(({ name }) => name).sort());
});

test('quantization knows every operator that the engine computes on int8', () => {
  const onInt8 = OPERATORS.filter((operator) => {
    const call = callOf(operator);
    return (
      call !== undefined &&
      FAMILIES[call.kernel].integer &&
      !((call.kernel === 'reduce' && !call.integer) || (call.kernel === 'accumulate' && call.operation !== 'mean'))
    );
  });
  expect(onInt8.length).toBeGreaterThan(20);
  // Tables that are looked up stay as they are; int8 data of a quantized model is gathered as int8.
  const unknown = onInt8.filter(({ quantization }) => quantization === undefined).map(({ op }) => op);
  expect(unknown.sort()).toEqual(['Compress', 'Gather', 'GatherElements', 'GatherND']);
});

test.each(runnable)('$name', ({ item, given, graph, feeds }) => {
  const dense = new Map([...feeds].map(([name, tensor]) => [name, toDense(tensor, 'float32')]));
  const expected = evaluateGraph(upgrade(given).graph, dense, 'float32');
  const found = runEngine(compile(graph, { sourceHash: HASH }).plan, feeds);
  for (const name of graph.outputs) {
    const tolerance = item.tolerance ?? 1e-5;
    const wrong = Array.from(expected.get(name)!.data, (value, i) => ({ i, value, engine: found[name][i] })).filter(
      ({ value, engine }) =>
        !Object.is(value, engine) && !(Math.abs(engine - value) <= tolerance * (1 + Math.abs(value))),
    );
    expect(wrong).toEqual([]);
    expect(found[name].length).toBe(expected.get(name)!.data.length);
  }
});

test('the compiler uses every operation of the table', () => {
  const networks = Array.from({ length: 60 }, (_, seed) =>
    prepare(randomNetwork(new Rng(seed + 1), 'quantized').graph),
  );
  const used = [...runnable, ...networks].flatMap(({ graph }) =>
    compile(graph, { sourceHash: HASH }).description.variants[0].nodes.map(({ op }) => op),
  );
  // Choices between large sides, and branches that are left out, are in branches.test.ts.
  expect([...new Set([...used, 'skip', 'require'])].sort()).toEqual([...PLAN_OP_NAMES].sort());
});
