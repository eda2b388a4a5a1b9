import { rememberOutputs } from '../../../lib/compress/quantize/remember-outputs';
import { Rng } from '../../../lib/core/rng';
import type { Dim, Evaluate, Graph } from '../../../lib/ir/graph';
import { type Tensor, tensorOf, toNumbers } from '../../../lib/ir/tensor';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { NetworkBuilder, randomTensor } from './networks';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

/** x [batch, 6] -> Gemm -> y [batch, 3]; `time` puts the samples of the output on its second axis. */
function network(batch: Dim, time = false): Graph {
  const net = new NetworkBuilder({ name: 'net' });
  net.input('x', 'float32', [batch, 6]);
  const y = net.dense('y', 'x', 6, 3);
  if (!time) return net.finish(y);
  return net.finish(net.apply('Transpose', 'turned', y, { perm: [1, 0] }));
}

const X = randomTensor(new Rng(3), [6, 6]);
/** Samples `from` to before `to` of X. */
function samples(from: number, to: number): Map<string, Tensor> {
  const data = new Float32Array(X.bytes.slice(24 * from, 24 * to).buffer);
  return new Map([['x', tensorOf('float32', [to - from, 6], data)]]);
}

function counting(): { evaluate: Evaluate; runs: () => number } {
  let runs = 0;
  return {
    evaluate: (...args) => {
      runs++;
      return reference.evaluate(...args);
    },
    runs: () => runs,
  };
}

test('samples that were seen need no other run, in whatever batches', async () => {
  const graph = network('N');
  const counter = counting();
  const memory = rememberOutputs(graph, counter.evaluate);
  const all = toNumbers((await reference.evaluate(graph, samples(0, 6), ['y'])).get('y')!);
  // What was asked for comes back, the outputs with it or not.
  expect([...(await memory.evaluate(graph, samples(0, 4), ['y'])).keys()]).toEqual(['y']);
  await memory.evaluate(graph, samples(4, 6), []);
  for (const [from, to] of [
    [0, 6],
    [2, 3],
    [3, 6],
  ]) {
    const found = (await memory.outputs(samples(from, to), ['y'])).get('y')!;
    expect(found.dims).toEqual([to - from, 3]);
    for (const [index, value] of toNumbers(found).entries()) expect(value).toBeCloseTo(all[3 * from + index], 5);
  }
  expect(counter.runs()).toBe(2);
});

test('others run, also when they differ in one number alone', async () => {
  const graph = network('N');
  const counter = counting();
  const memory = rememberOutputs(graph, counter.evaluate);
  await memory.evaluate(graph, samples(0, 4), ['y']);
  await memory.outputs(samples(3, 5), ['y']);
  expect(counter.runs()).toBe(2);
  const other = samples(0, 1).get('x')!;
  const changed = new Map([['x', { ...other, bytes: other.bytes.map((byte, at) => (at === 9 ? byte ^ 1 : byte)) }]]);
  const [before, after] = [await memory.outputs(samples(0, 1), ['y']), await memory.outputs(changed, ['y'])];
  expect(counter.runs()).toBe(3);
  expect(toNumbers(after.get('y')!)).not.toEqual(toNumbers(before.get('y')!));
});

test.each([
  ['a fixed batch', network(2)],
  ['outputs with the samples elsewhere', network('N', true)],
])('nothing is kept of %s', async (_, graph) => {
  const counter = counting();
  const memory = rememberOutputs(graph, counter.evaluate);
  const expected = await memory.evaluate(graph, samples(0, 2), graph.outputs);
  expect(await memory.outputs(samples(0, 2), graph.outputs)).toEqual(expected);
  expect(counter.runs()).toBe(2);
});
