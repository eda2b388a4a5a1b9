import { join } from 'node:path';
import { compile, diagnose } from '../../lib/compile/compile';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, toNumbers } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { toDense } from '../../lib/ops/dense';
import { describeWithZoo, ZOO_DIR } from '../data';
import { evaluateGraph } from '../ops/evaluate-graph';
import { optimizedGraph } from '../optimized-graph';
import { feedsOf, givenFor, SHIPPED_FILES, SHIPPED_NETWORKS } from '../shipped-networks';
import { HASH, runEngine, runReference } from './run-case';

/** What the engine lacks, by file. */
const LACKING: readonly (readonly [file: RegExp, operators: readonly string[]])[] = [];

/** Difference from onnxruntime, relative to 1 + |value|. */
const TOLERANCE = 1e-4;
/**
 * Files whose spectra are too many to evaluate in double precision: onnxruntime's transform of 400 samples is off by this much
 * where that can be done.
 */
const LONG_SPECTRA = { files: /whisper128.onnx/, tolerance: 5e-4 };
/** Where the two differ by more: that of the engine from an evaluation in double precision. */
const EXACT_TOLERANCE = 2e-5;

describeWithZoo('networks that people ship, whole on the engine', () => {
  test.each(SHIPPED_NETWORKS)('%s', async (file) => {
    const { shapes, integers } = givenFor(file);
    const artifact = await openArtifact(join(ZOO_DIR, file), { shapes: new Map(Object.entries(shapes)) });
    const { graph } = requireModel(artifact, 'test');
    const prepared = prepareForEngine(graph);
    const lacking = LACKING.find(([pattern]) => pattern.test(file))?.[1] ?? [];
    const missing = diagnose(prepared).filter(({ severity }) => severity === 'error');
    expect(missing.map(({ message }) => message.slice(0, message.indexOf(':')))).toEqual(lacking);
    if (lacking.length > 0) return;
    const { plan } = compile(prepared, { sourceHash: HASH });
    for (const feeds of feedsOf(graph, integers)) {
      const [expected, found] = [await runReference(graph, feeds), runEngine(plan, feeds, 2)];
      const differences = [...expected].map(([name, tensor]) => difference(found[name], toNumbers(tensor)));
      // Sums of hundreds of products, of which a logarithm is taken: the engine may be the better one.
      const allowed = LONG_SPECTRA.files.test(file) ? LONG_SPECTRA.tolerance : TOLERANCE;
      if (Math.max(...differences) > allowed) expect(errorOf(prepared, feeds, found)).toBeLessThan(EXACT_TOLERANCE);
    }
  });

  // Its fused forms: FusedConv, FusedGemm, FusedMatMul and QuickGelu.
  const fused = SHIPPED_NETWORKS.filter((file) => /v4_rec|hey_jarvis|nemo80_conv|op15|nudenet/.test(file));
  test.each(fused)("%s, as onnxruntime's optimiser leaves it", async (file) => {
    const { shapes, integers } = givenFor(file);
    const artifact = await openArtifact(join(ZOO_DIR, file), { shapes: new Map(Object.entries(shapes)) });
    const { graph } = requireModel(artifact, 'test');
    const optimized = await optimizedGraph(graph, { optimization: 'extended' });
    expect(optimized.nodes.map(({ domain }) => domain)).toContain('com.microsoft');
    const { plan } = compile(prepareForEngine(optimized), { sourceHash: HASH });
    for (const feeds of feedsOf(graph, integers)) {
      const [expected, found] = [await runReference(graph, feeds), runEngine(plan, feeds, 2)];
      for (const [name, tensor] of expected)
        expect(difference(found[name], toNumbers(tensor))).toBeLessThanOrEqual(TOLERANCE);
    }
  });

  test('there are some', () => {
    expect(fused).toHaveLength(5);
    expect(SHIPPED_FILES).toHaveLength(51);
    expect(SHIPPED_NETWORKS).toEqual(expect.arrayContaining([...SHIPPED_FILES]));
  });
});

/** Largest difference from an evaluation in double precision. */
function errorOf(graph: Graph, feeds: ReadonlyMap<string, Tensor>, found: Record<string, ArrayLike<number>>): number {
  const exact = new Map([...feeds].map(([name, tensor]) => [name, toDense(tensor, 'float64')]));
  const values = evaluateGraph(graph, exact, 'float64');
  return Math.max(...graph.outputs.map((name) => difference(found[name], Array.from(values.get(name)!.data))));
}

function difference(found: ArrayLike<number>, expected: readonly number[]): number {
  expect(found).toHaveLength(expected.length);
  return expected.reduce((most, value, i) => {
    const relative = Object.is(found[i], value) ? 0 : Math.abs(found[i] - value) / (1 + Math.abs(value));
    return Number.isNaN(relative) ? Number.POSITIVE_INFINITY : Math.max(most, relative);
  }, 0);
}
