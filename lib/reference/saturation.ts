import { GraphBuilder } from '../ir/builder';
import type { Graph } from '../ir/graph';
import { tensorFrom, toNumbers } from '../ir/tensor';
import { openReference } from './session';

const ROWS = 64;

/**
 * Whether onnxruntime's own uint8 x int8 kernels saturate on this machine, found by running the largest products through them:
 * they do on x86 without 8-bit dot products (AVX-512 VNNI, AVX-VNNI), where pairs of products are added in 16 bits.
 * @throws E_REFERENCE_MISSING
 */
export async function integerKernelsSaturate(): Promise<boolean> {
  await using session = await openReference(largestProducts(), { integerKernels: true });
  const x = tensorFrom('uint8', [1, ROWS], new Array<number>(ROWS).fill(255));
  const [sum] = toNumbers((await session.run(new Map([['x', x]]))).get('y')!);
  return sum !== ROWS * 255 * 127;
}

function largestProducts(): Graph {
  const builder = new GraphBuilder();
  builder.input('x', 'uint8', [1, ROWS]);
  const weights = builder.initializer(tensorFrom('int8', [ROWS, 1], new Array<number>(ROWS).fill(127)), 'w');
  builder.node('MatMulInteger', ['x', weights], {}, { outputs: ['y'] });
  builder.output('y', 'int32', [1, 1]);
  return builder.build();
}
