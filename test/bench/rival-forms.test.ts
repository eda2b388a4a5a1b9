import { byteEdges, inputParameters, padIntegers, quantizeSoftmax, RIVAL_FORMS } from '../../bench/rival-forms';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { insertQdq } from '../../lib/passes/insert-qdq';
import { openReference } from '../../lib/reference/session';

const PARAMETERS = { scale: 0.125, zeroPoint: 16 };

/** input [1, 2, 2] -> Pad -> Relu -> Softmax, with equal pairs around Pad. */
function paddedGraph(padValue = 0, padScale = PARAMETERS.scale): Graph {
  const builder = new GraphBuilder();
  const input = builder.input('x', 'float32', [1, 2, 2]);
  const pads = builder.initializer(tensorFrom('int64', [6], [0, 0, 1, 0, 0, 1]), 'pads');
  const value = builder.initializer(tensorFrom('float32', [], [padValue]), 'value');
  const padded = builder.node('Pad', [input, pads, value], {}, { outputs: ['padded'] });
  const clamped = builder.node('Relu', [padded], {}, { outputs: ['clamped'] });
  const output = builder.node('Softmax', [clamped], { axis: -1 }, { outputs: ['y'] });
  builder.output(output, 'float32', [1, 2, 4]);
  const activations = new Map([
    ['x', PARAMETERS],
    ['padded', { ...PARAMETERS, scale: padScale }],
  ]);
  return insertQdq(builder.build(), { activations, constants: new Map() }).graph;
}

const ops = ({ nodes }: Graph): string => nodes.map(({ op }) => op).join(' ');
const BEFORE = 'QuantizeLinear DequantizeLinear Pad QuantizeLinear DequantizeLinear Relu Softmax';

async function run(graph: Graph, data: readonly number[], bytes: boolean): Promise<number[]> {
  const reference = await openReference(graph, { optimization: 'disabled' });
  const feed = tensorFrom(bytes ? 'uint8' : 'float32', [1, 2, 2], data);
  const [result] = (await reference.run(new Map([[graph.inputs[0], feed]]))).values();
  await reference.close();
  const { buffer, byteOffset, byteLength } = result.bytes;
  return [...(result.type === 'uint8' ? result.bytes : new Float32Array(buffer, byteOffset, byteLength / 4))];
}

describe('forms of the rival', () => {
  const data = [0.5, -1, 2, 0.125];

  test('pads between equal pairs work on integers, with the same result', async () => {
    const graph = paddedGraph();
    expect(ops(graph)).toBe(BEFORE);
    const padded = padIntegers(graph);
    expect(ops(padded)).toBe('QuantizeLinear Pad DequantizeLinear Relu Softmax');
    expect(await run(padded, data, false)).toEqual(await run(graph, data, false));
  });

  test.each([
    ['a pad by another number', paddedGraph(1)],
    ['pairs that differ', paddedGraph(0, 0.25)],
  ])('%s stays', (_, graph) => {
    expect(padIntegers(graph)).toBe(graph);
  });

  test('bytes at the edges stand for what their pair says', async () => {
    const graph = byteEdges(paddedGraph());
    expect(ops(graph)).toBe('DequantizeLinear Pad QuantizeLinear DequantizeLinear Relu Softmax');
    const parameters = inputParameters(graph, graph.inputs[0])!;
    expect(parameters).toEqual(PARAMETERS);
    const bytes = data.map((value) => value / parameters.scale + parameters.zeroPoint);
    expect(await run(graph, bytes, true)).toEqual(await run(paddedGraph(), data, false));
  });

  test('a softmax gets its pair once, and then ends in bytes', async () => {
    const graph = quantizeSoftmax(paddedGraph());
    expect(ops(graph)).toBe(`${BEFORE} QuantizeLinear DequantizeLinear`);
    expect(graph.outputs).toEqual(['y']);
    const bytes = await run(byteEdges(graph), [20, 8, 32, 17], true);
    const floats = await run(paddedGraph(), [0.5, -1, 2, 0.125], false);
    expect(bytes).toEqual(floats.map((share) => Math.round(share * 256)));
  });

  test('a graph that offers nothing to change comes back as it is', () => {
    const builder = new GraphBuilder();
    builder.output(builder.node('Relu', [builder.input('x', 'float32', [1])]), 'float32', [1]);
    const graph = builder.build();
    for (const { rewrite } of RIVAL_FORMS.slice(0, 3)) expect(rewrite(graph)).toBe(graph);
  });
});
