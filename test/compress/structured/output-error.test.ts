import { findDependencies } from '../../../lib/compress/structured/dependencies';
import { outputErrors } from '../../../lib/compress/structured/output-error';
import { Rng } from '../../../lib/core/rng';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { GraphBuilder } from '../../../lib/ir/builder';
import { tensorOf } from '../../../lib/ir/tensor';
import { inferShapes } from '../../../lib/passes/infer-shapes';
import { createReferenceEvaluate } from '../../../lib/reference/evaluate';

const reference = createReferenceEvaluate();
afterAll(() => reference.close());

function drawn(seed: number, dims: number[]) {
  const rng = new Rng(seed);
  return tensorOf(
    'float32',
    dims,
    Float32Array.from({ length: dims[0] * dims[1] }, () => rng.normal()),
  );
}

/** Hidden units of two inputs through one layer, read by one weight: by MatMul behind `x`, behind `y`, or both. */
async function errorsOf(readers: readonly ('x' | 'y')[]): Promise<Float64Array[]> {
  const builder = new GraphBuilder({ name: 'siamese' });
  const first = builder.initializer(drawn(1, [6, 5]), 'first');
  const second = builder.initializer(drawn(2, [6, 4]), 'second');
  for (const name of ['x', 'y'] as const) {
    const hidden = builder.node('Relu', [
      builder.node('Gemm', [builder.input(name, 'float32', ['N', 5]), first], { transB: 1 }),
    ]);
    const read = readers.includes(name);
    builder.output(read ? builder.node('MatMul', [hidden, second]) : hidden, 'float32', ['N', read ? 4 : 6]);
  }
  // Hidden units that are no outputs can go.
  const graph = { ...builder.build() };
  const { graph: inferred } = inferShapes({
    ...graph,
    outputs: graph.outputs.filter((_, at) => readers.includes(at === 0 ? 'x' : 'y')),
  });
  const samples = datasetFromTensors(
    'drawn',
    new Map([
      ['x', drawn(3, [64, 5])],
      ['y', drawn(4, [64, 5])],
    ]),
  );
  const { groups } = findDependencies(inferred);
  const context = {
    data: { training: undefined, calibration: samples, validation: samples },
    evaluate: reference.evaluate,
    score: async () => 0,
    teacher: inferred,
    seed: 1,
    keep: new Set<string>(),
    target: { isa: 'ref' as const },
  };
  const errors = await outputErrors(inferred, groups, 64, context);
  return errors.flatMap((each, index) =>
    [...each].filter(([at]) => groups[index].units[0].members[at].value === 'second').map(([, values]) => values),
  );
}

test('layers that share a weight each count', async () => {
  const [[x], [y], [both]] = [await errorsOf(['x']), await errorsOf(['y']), await errorsOf(['x', 'y'])];
  expect(both).toHaveLength(6);
  expect(x).not.toEqual(y);
  both.forEach((error, unit) => {
    expect(error).toBeCloseTo(x[unit] + y[unit], 6);
  });
});
