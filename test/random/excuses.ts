import { attribute } from '../../lib/ir/attribute';
import { subgraphsOf } from '../../lib/ir/edit';
import type { Graph, Node } from '../../lib/ir/graph';
import type { Tensor } from '../../lib/ir/tensor';
import { toDense } from '../../lib/ops/dense';
import type { Dense } from '../../lib/ops/operator';
import { openReference } from '../../lib/reference/session';
import { evaluateNode, type Surroundings } from './evaluate-node';
import { isNear, type Numbers, numbersIn, planOfRandom, runRows } from './run-graph';

/** What a node may be off by, given its own inputs, relative to 1 + |value|. */
const LOCAL_TOLERANCE = 3e-5;

/** Where onnxruntime does something else than ONNX says, by operator: the engine is held to what ONNX says. */
const DEPARTURES: Readonly<Record<string, string>> = {
  DFT: 'sums its terms less exactly',
  STFT: 'sums its terms less exactly',
  MeanVarianceNormalization: 'leaves out the 1e-9 of its definition',
  GroupNormalization: 'takes x * s - mean * s instead of (x - mean) * s',
  InstanceNormalization: 'takes x * s - mean * s instead of (x - mean) * s',
  LpNormalization: 'takes a norm whose square is below float32 for 0',
  OneHot: 'takes an index that is no integer for none',
};

/** What onnxruntime does otherwise in windows that auto_pad places, where they are smaller than their strides. */
const WINDOWS: readonly string[] = ['AveragePool', 'Conv', 'LpPool'];

/** What onnxruntime does otherwise in a node, or in one of its bodies; undefined: nothing that is known. */
function departureOf(node: Node): string | undefined {
  const what = DEPARTURES[node.op];
  if (what !== undefined) return `${node.op} ${what}`;
  if (WINDOWS.includes(node.op) && attribute(node, 'auto_pad', 'string', '').startsWith('SAME'))
    return `${node.op} drops elements in front of the first window`;
  return subgraphsOf(node)
    .flatMap(({ nodes }) => nodes)
    .map(departureOf)
    .find((found) => found !== undefined);
}

/** How results of nodes may be made. */
type Way = Pick<Surroundings, 'precision' | 'asEngine'>;
const ONNX_WAYS: readonly Way[] = [{ precision: 'float64' }, { precision: 'float32' }];
const ENGINE_WAY: Way = { precision: 'float64', asEngine: true };

/**
 * The rule by which the two may differ on a graph; undefined where there is none.
 * - `rounding`: every node of both gives, for its own inputs, what its operator says. What differs are ties and thresholds that
 *   rounding moved: one took 3 for 2.9999998, and Floor, a comparison, an index or a byte made a step of it.
 * - a departure: every node of the engine does so, and onnxruntime is off in an operator of the list above.
 */
export async function excuseFor(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Promise<string | undefined> {
  const names = graph.nodes.flatMap(({ outputs }) => outputs).filter((name) => name !== '');
  const open: Graph = { ...graph, outputs: [...new Set([...graph.outputs, ...names])] };
  const reference = await openReference(graph, { optimization: 'disabled', alsoFetch: names });
  try {
    const theirs = await reference.run(feeds);
    const ours = runRows(planOfRandom(open), feeds);
    const numbers = new Map([...theirs].map(([name, tensor]) => [name, numbersIn(tensor)]));
    const typeOf = (name: string): Tensor => theirs.get(name)!;
    const wrong = firstWrong(graph, feeds, typeOf, (name) => ours[name], [...ONNX_WAYS, ENGINE_WAY]);
    if (wrong) return undefined;
    const other = firstWrong(graph, feeds, typeOf, (name) => numbers.get(name)!, ONNX_WAYS);
    if (!other) return 'rounding';
    const departure = departureOf(other);
    return departure && `onnxruntime: ${departure}`;
  } catch {
    return undefined;
  } finally {
    await reference.close();
  }
}

/** The first node whose results are not what its operator makes of its inputs, in one way or another for each element. */
function firstWrong(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  typeOf: (name: string) => Tensor,
  numbersOf: (name: string) => ArrayLike<number>,
  ways: readonly Way[],
): Node | undefined {
  const find = (name: string): Dense | undefined => {
    if (name === '') return undefined;
    const tensor = graph.initializers.get(name) ?? feeds.get(name);
    if (tensor) return toDense(tensor, 'float64');
    const { type, dims } = typeOf(name);
    return { type, dims, data: Float64Array.from(numbersOf(name)) };
  };
  return graph.nodes.find((node) => {
    const inputs = node.inputs.map(find);
    const opset = graph.opsets.get('') ?? 21;
    const sides = ways.map((way) => evaluateNode(node, inputs, { ...way, opset, find }));
    return node.outputs.some((name, index) => {
      const found: Numbers[string] = numbersOf(name);
      return Array.from(found).some((x, i) =>
        sides.every(
          (results) => !isNear(results[index].data[i], x, results[index].type === 'float32', LOCAL_TOLERANCE),
        ),
      );
    });
  });
}
