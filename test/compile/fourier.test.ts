import { compile } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { toDense } from '../../lib/ops/dense';
import { prepare } from '../../lib/passes/pipeline';
import { random } from '../ops/draw';
import { evaluateGraph } from '../ops/evaluate-graph';
import { HASH, runEngine } from './run-case';

/** Signals of real and imaginary parts, of which onnxruntime makes something else than the operator says. */
test.each([
  { frame: 8, step: 6, onesided: 0 },
  { frame: 8, step: 4, onesided: 1 },
  { frame: 5, step: 7, onesided: 0 },
])('frames of $frame complex elements, $step apart', ({ frame, step, onesided }) => {
  const b = new GraphBuilder();
  const signal = random([2, 26, 2]);
  const hop = b.initializer(tensorFrom('int64', [], [step]));
  const window = b.initializer(random([frame], 0, 1));
  b.output(b.node('STFT', [b.input('x', 'float32', signal.dims), hop, window], { onesided }, { outputs: ['y'] }));
  const { graph } = prepare(b.build());
  const { plan, description } = compile(graph, { sourceHash: HASH });
  expect(description.variants[0].nodes.filter(({ op }) => op === 'conv_f32')).toHaveLength(1);
  const expected = evaluateGraph(graph, new Map([['x', toDense(signal, 'float32')]]), 'float64').get('y')!.data;
  const found = runEngine(plan, new Map([['x', signal]])).y;
  expect(found.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(Math.abs(found[i] - value)).toBeLessThan(1e-5);
});

test('a transform whose matrix would not fit into memory is refused by name', () => {
  const b = new GraphBuilder();
  b.output(b.node('DFT', [b.input('x', 'float32', [1, 8192, 1])], { onesided: 1 }));
  expect(() => compile(prepare(b.build()).graph, { sourceHash: HASH })).toThrow('transforms of 8192 elements');
});
