import { compile } from '../../lib/compile/compile';
import { Rng } from '../../lib/core/rng';
import type { PlanArray } from '../../lib/engine/addon';
import { numbersOf } from '../../lib/engine/arrays';
import { describeCpu, openSession } from '../../lib/engine/session';
import { type Tensor, toNumbers, viewAs } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';
import { openReference } from '../../lib/reference/session';
import { type RandomCase, randomConvolution, randomElementLayer, randomProduct } from './random-layers';

const HASH = '0'.repeat(64);

/** Bytes that our engine and onnxruntime give for the same quantized network; a case fails with its description. */
async function differences({ what, graph, feeds }: RandomCase, optimization: 'all' | 'disabled'): Promise<string[]> {
  const reference = await openReference(graph, { optimization, integerKernels: optimization === 'all' });
  const expected = toNumbers((await reference.run(feeds)).get('y') as Tensor);
  await reference.close();
  const session = openSession(compile(prepare(graph).graph, { sourceHash: HASH }).plan);
  const arrays = [...feeds].map(([name, tensor]) => [name, viewAs(tensor, tensor.type as 'int8') as PlanArray]);
  const found = Array.from(numbersOf(session.run(Object.fromEntries(arrays)).y));
  session.close();
  const wrong = expected.filter((value, index) => value !== found[index]).length;
  return wrong === 0 && found.length === expected.length
    ? []
    : [`${what}: ${wrong} of ${expected.length} bytes differ`];
}

async function runCases(
  make: (rng: Rng) => RandomCase,
  count: number,
  optimization: 'all' | 'disabled',
): Promise<string[]> {
  const rng = new Rng(2026);
  const faults: string[] = [];
  for (let i = 0; i < count; i++) faults.push(...(await differences(make(rng), optimization)));
  return faults;
}

/** Elsewhere onnxruntime's own int8 products may saturate and are no oracle. */
const exact = /avx512vnni|neon_dotprod/.test(describeCpu());

(exact ? describe : describe.skip)('integer kernels against onnxruntime (needs VNNI or dotprod)', () => {
  test('1,400 random convolutions: 0 differing bytes', async () => {
    expect(await runCases(randomConvolution, 1400, 'all')).toEqual([]);
  });

  test('700 random products: 0 differing bytes', async () => {
    expect(await runCases(randomProduct, 700, 'all')).toEqual([]);
  });

  test('600 random Add, Mul, pools and Concat against unoptimised onnxruntime: 0 differing bytes', async () => {
    expect(await runCases(randomElementLayer, 600, 'disabled')).toEqual([]);
  });
});
