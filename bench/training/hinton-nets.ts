import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { heNormal, zeros } from '../../lib/train/initialise';
import type { Optimizer } from '../../lib/train/optimizer';

/**
 * Untrained net with two hidden layers of `width` ReLU units: input `x` `[N, 1, 28, 28]`, output `logits` `[N, 10]`
 * (Hinton et al. 2015, section 3). With `dropout`, that share of the hidden units is dropped while it is trained.
 */
export function buildHintonNet(width: number, seed: number, dropout = 0): Graph {
  const rng = new Rng(seed);
  const builder = new GraphBuilder({ name: `hinton${width}` });
  const ratio = dropout > 0 ? builder.initializer(tensorFrom('float32', [], [dropout]), 'ratio') : undefined;
  const connect = (input: string, name: string, inputs: number, units: number, output?: string): string => {
    const weight = builder.initializer(heNormal(rng, [units, inputs]), `${name}.weight`);
    const bias = builder.initializer(zeros([units]), `${name}.bias`);
    const named = output === undefined ? {} : { outputs: [output] };
    return builder.node('Gemm', [input, weight, bias], { transB: 1 }, named);
  };
  const hide = (sums: string): string => {
    const units = builder.node('Relu', [sums]);
    return ratio === undefined ? units : builder.node('Dropout', [units, ratio]);
  };
  const x = builder.input('x', 'float32', ['N', 1, 28, 28]);
  const first = hide(connect(builder.node('Flatten', [x]), 'fc1', 784, width));
  const second = hide(connect(first, 'fc2', width, width));
  builder.output(connect(second, 'fc3', width, 10, 'logits'), 'float32', ['N', 10]);
  return builder.build();
}

/**
 * The optimiser with a limit on the norm of the weights that come into one unit (rows of `[out, in]`): after a step, longer
 * rows are scaled down to it (Srivastava et al. 2014, section 5.1, the weight constraint of Hinton's teacher).
 */
export function withMaxNorm(optimizer: Optimizer, limit: number): Optimizer {
  return {
    ...optimizer,
    update(emit, parameter) {
      const updated = optimizer.update(emit, parameter);
      if (emit.typeOf(parameter.value).shape!.length !== 2) return updated;
      const axes = emit.constant(tensorFrom('int64', [1], [1]));
      const limits = emit.constant(tensorFrom('float32', [], [limit]));
      const norms = emit.node('ReduceL2', [updated.value, axes], { keepdims: 1 });
      const factors = emit.node('Div', [limits, emit.node('Max', [norms, limits])]);
      return { ...updated, value: emit.node('Mul', [updated.value, factors]) };
    },
  };
}
