import { compileVariants } from '../../lib/compile/compile';
import { openSession } from '../../lib/engine/session';
import { toNumbers } from '../../lib/ir/tensor';
import { openNativeExecutor } from '../../lib/jobs/native-executor';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { bindInputs } from '../../lib/passes/bind-inputs';
import { uniform } from '../ops/op-case';
import { IMAGE_SIZES, imageNetwork } from './plan-networks';
import { HASH, runReference } from './run-case';

test('one plan for several shapes: weights once, a session for each, an executor that finds the right one', async () => {
  const graph = imageNetwork();
  const shapes = IMAGE_SIZES.map((size) => new Map([['x', [1, 3, ...size]]]));
  const variants = shapes.map((given, index) => ({
    name: IMAGE_SIZES[index].join('x'),
    graph: prepareForEngine(bindInputs(graph, given)),
  }));
  const { plan } = compileVariants(variants, { sourceHash: HASH });
  const alone = compileVariants(variants.slice(0, 1), { sourceHash: HASH }).plan;
  // Records and names for each, constants for all.
  const constants = 4 * (8 * 27 + 8 + 8 * 5 + 5);
  expect(plan.length - alone.length).toBeLessThan(2 * (alone.length - constants));
  const executor = openNativeExecutor(plan);
  for (const [index, size] of IMAGE_SIZES.entries()) {
    const feeds = new Map([['x', uniform([1, 3, ...size], 3 + index)]]);
    const expected = toNumbers((await runReference(graph, feeds)).get('y')!);
    const session = openSession(plan, { variant: index });
    expect([session.variant, session.variants]).toEqual([size.join('x'), IMAGE_SIZES.map((each) => each.join('x'))]);
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
