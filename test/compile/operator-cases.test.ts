import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compile, diagnose } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { OPERATORS } from '../../lib/ops';
import { toDense } from '../../lib/ops/dense';
import { prepare } from '../../lib/passes/pipeline';
import { upgrade } from '../../lib/passes/upgrade';
import { evaluateGraph } from '../ops/evaluate-graph';
import type { OpCase } from '../ops/op-case';
import { HASH, runEngine } from './run-case';

const FOLDER = join(__dirname, '../ops/cases');
const CASES = readdirSync(FOLDER).flatMap((file) =>
  (Object.values(require(join(FOLDER, file))) as (readonly OpCase[])[]).flat(),
);

/** A case as a graph: its first input is fed, the others are constant, as weights and shapes are. */
function graphOf({ op, inputs, attributes, outputs = 1, opset = 21, domain = '' }: OpCase): Graph {
  const b = new GraphBuilder({ opset });
  const names = inputs.map((tensor, index) => {
    if (tensor === undefined) return '';
    return index === 0 ? b.input('x', tensor.type, tensor.dims) : b.initializer(tensor, `c${index}`);
  });
  const made = Array.from({ length: outputs }, (_, index) => `y${index}`);
  for (const name of b.nodes(op, names, outputs, attributes, { outputs: made, domain })) b.output(name);
  return b.build();
}

/** Cases that the engine runs, prepared. */
const runnable = CASES.flatMap((item) => {
  const [x] = item.inputs;
  if (x?.type !== 'float32') return [];
  try {
    const { graph } = prepare(graphOf(item));
    return diagnose(graph).length === 0 ? [{ name: `${item.op}: ${item.title}`, item, graph, x }] : [];
  } catch {
    return []; // upgrades of forms that need no engine: test/ops has them
  }
});

test('every operator with a float operation of the engine has a case that it runs', () => {
  const tested = new Set(runnable.map(({ item }) => item.op));
  const type = { type: 'float32', shape: [2, 3] } as const;
  const promised = OPERATORS.filter(({ op, lower, schema }) => {
    if (Object.values(schema.attributes).some(({ required }) => required)) return false;
    const node = new GraphBuilder();
    const required = schema.inputs.filter(({ presence = 'required' }) => presence === 'required');
    node.node(
      op,
      required.map(({ name }) => name),
      {},
      { outputs: ['z'] },
    );
    const call = lower?.({
      node: node.build().nodes[0],
      inputs: [type, type],
      outputs: [type],
      constant: () => undefined,
    });
    return (
      call && 'kernel' in call && (call.kernel === 'binary' || (call.kernel === 'unary' && call.float !== undefined))
    );
  }).map(({ op }) => op);
  expect(promised).toEqual(expect.arrayContaining(['Add', 'Clip', 'Mul', 'Relu']));
  expect(promised.filter((op) => !tested.has(op))).toEqual([]);
});

test.each(runnable)('$name', ({ item, graph, x }) => {
  const expected = evaluateGraph(upgrade(graphOf(item)).graph, new Map([['x', toDense(x, 'float32')]]), 'float32');
  const found = runEngine(compile(graph, { sourceHash: HASH }).plan, new Map([['x', x]]));
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
