import { Rng } from '../../lib/core/rng';
import { randomNetwork } from './random-networks';
import { arrayOf, compiled, runEngine, runReference } from './run-case';

/** What differs between the engine and onnxruntime for one random network: at most one line. */
async function differences(seed: number, kind: 'float' | 'quantized', tolerance: number): Promise<string[]> {
  const { what, graph, feeds } = randomNetwork(new Rng(seed), kind);
  try {
    const expected = await runReference(graph, feeds);
    const found = runEngine(compiled(graph).plan, feeds, 1 + (seed % 2));
    for (const [name, tensor] of expected) {
      const [a, b] = [Array.from(arrayOf(tensor)), Array.from(found[name])];
      const largest = a.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
      const allowed = tensor.type === 'float32' ? tolerance * largest : 0;
      const wrong = a.filter((x, i) => !(Math.abs(x - b[i]) <= allowed)).length;
      if (wrong > 0 || a.length !== b.length)
        return [`seed ${seed}: '${name}' differs in ${wrong} of ${a.length} elements: ${what}`];
    }
    return [];
  } catch (error) {
    return [`seed ${seed}: ${(error as Error).message}: ${what}`];
  }
}

async function faults(count: number, kind: 'float' | 'quantized', tolerance: number): Promise<string[]> {
  const list: string[] = [];
  for (let seed = 1; seed <= count; seed++) list.push(...(await differences(seed, kind, tolerance)));
  return list;
}

describe('random networks against onnxruntime, every node as written', () => {
  // A wrong int8 shows as a step of at least 2^-6; means that stay float may round in another order.
  test('500 quantized networks: bytes are equal, floats to the last bits', async () => {
    expect(await faults(500, 'quantized', 1e-6)).toEqual([]);
  });

  test('250 float networks: equal up to rounding', async () => {
    expect(await faults(250, 'float', 2e-5)).toEqual([]);
  });
});
