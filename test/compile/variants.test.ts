import { compileVariants } from '../../lib/compile/compile';
import { openSession } from '../../lib/engine/session';
import { GraphBuilder } from '../../lib/ir/builder';
import { toNumbers } from '../../lib/ir/tensor';
import { openNativeExecutor } from '../../lib/jobs/native-executor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { bindInputs } from '../../lib/passes/bind-inputs';
import { uniform } from '../ops/op-case';
import { HASH, runReference } from './run-case';

/** A network over images of any size: convolution, pool, mean, a layer. */
function network() {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [1, 3, 'height', 'width']);
  const conv = b.node('Conv', [x, b.initializer(uniform([8, 3, 3, 3], 1), 'w')], { pads: [1, 1, 1, 1] });
  const pooled = b.node('MaxPool', [b.node('Relu', [conv])], { kernel_shape: [2, 2], strides: [2, 2] });
  const mean = b.node('Flatten', [b.node('GlobalAveragePool', [pooled])]);
  b.output(b.node('MatMul', [mean, b.initializer(uniform([8, 5], 2), 'fc')], {}, { outputs: ['y'] }));
  return b.build();
}

const SIZES = [
  [8, 8],
  [16, 12],
  [6, 20],
];

test('one plan for several shapes: weights once, a session for each, an executor that finds the right one', async () => {
  const graph = network();
  const shapes = SIZES.map((size) => new Map([['x', [1, 3, ...size]]]));
  const variants = shapes.map((given, index) => ({
    name: SIZES[index].join('x'),
    graph: prepareForEngine(bindInputs(graph, given)),
  }));
  const { plan } = compileVariants(variants, { sourceHash: HASH });
  const alone = compileVariants(variants.slice(0, 1), { sourceHash: HASH }).plan;
  // Records and names for each, constants for all.
  const constants = 4 * (8 * 27 + 8 + 8 * 5 + 5);
  expect(plan.length - alone.length).toBeLessThan(2 * (alone.length - constants));
  const executor = openNativeExecutor(plan);
  for (const [index, size] of SIZES.entries()) {
    const feeds = new Map([['x', uniform([1, 3, ...size], 3 + index)]]);
    const expected = toNumbers((await runReference(graph, feeds)).get('y')!);
    const session = openSession(plan, { variant: index });
    expect([session.variant, session.variants]).toEqual([size.join('x'), SIZES.map((each) => each.join('x'))]);
    const found = session.run({ x: new Float32Array(Uint8Array.from(feeds.get('x')!.bytes).buffer) }).y as Float32Array;
    session.close();
    expect(expected.filter((value, i) => !(Math.abs(value - found[i]) < 1e-5))).toEqual([]);
    expect(toNumbers((await executor.run(feeds)).get('y')!)).toEqual(Array.from(found));
  }
  await expect(executor.run(new Map([['x', uniform([1, 3, 9, 9], 1)]]))).rejects.toMatchObject({
    code: 'E_INPUT_SHAPE',
  });
  await executor.close();
});
