import type { MethodContext, MethodResult } from '../../../lib/compress/method';
import { prune } from '../../../lib/compress/prune/prune';
import { pruneStructured } from '../../../lib/compress/structured/prune-structured';
import type { StructuredReport } from '../../../lib/compress/structured/structured-report';
import { parseOptions } from '../../../lib/core/parse-options';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { createReferenceEvaluate } from '../../../lib/reference/evaluate';
import { random } from '../../ops/draw';
import { netOf } from '../structured/random-nets';

const reference = createReferenceEvaluate();
afterAll(() => reference.close());

const NET = netOf(['residual', 'depthwise', 'shortcut'], 3, 'average');

function contextOf(rolledBack: readonly string[]): MethodContext {
  const x = random([32, 3, 8, 8], -1, 1, 9);
  const data = datasetFromTensors(
    'drawn',
    new Map([['x', x]]),
    Int32Array.from({ length: 32 }, (_, n) => n % 5),
  );
  return {
    data: { training: data, calibration: data, validation: data },
    evaluate: reference.evaluate,
    score: async () => 1,
    teacher: NET,
    seed: 1,
    keep: new Set(rolledBack),
    rolledBack: new Set(rolledBack),
    target: { isa: 'ref' },
  };
}

/** The layer that a method harms most. */
function worst({ decisions }: MethodResult): string {
  const treated = decisions.filter(({ damage }) => damage !== undefined);
  return treated.toSorted((a, b) => b.damage! - a.damage!)[0].layer;
}

describe('weights that a rolled-back layer was to give up are not asked of the other layers', () => {
  test.each(['magnitude', 'wanda', 'sparsegpt'])('prune, %s', async (criterion) => {
    const options = parseOptions(prune.options, {
      criterion,
      sparsity: 0.6,
      scope: criterion === 'magnitude' ? 'global' : 'local',
    });
    const all = await prune.apply(NET, options, contextOf([]));
    const layer = worst(all);
    const { graph } = await prune.apply(NET, options, contextOf([layer]));
    const own = NET.nodes.find(({ name }) => name === layer)!.inputs[1];
    for (const [name, { bytes }] of graph.initializers) {
      const expected = name === own ? NET : all.graph;
      // Wanda and SparseGPT look at inputs, which are others behind the layer.
      if (name === own || criterion === 'magnitude') expect(bytes).toEqual(expected.initializers.get(name)!.bytes);
    }
  });
});

describe('MACs that a rolled-back layer was to give up are asked of the other layers', () => {
  test.each([0.8, 0.6])('prune-structured to %d', async (macs) => {
    const options = parseOptions(pruneStructured.options, { macs });
    const all = await pruneStructured.apply(NET, options, contextOf([]));
    const layer = worst(all);
    const spared = await pruneStructured.apply(NET, options, contextOf([layer]));
    const counts = ({ report }: MethodResult) => (report as StructuredReport).layers;
    const { before, after } = counts(spared).find(({ name }) => name === layer)!;
    expect(after).toBe(before);
    expect(counts(all).find(({ name }) => name === layer)!.after).toBeLessThan(before);
    const { goal, macs: left } = spared.report as StructuredReport;
    expect(goal).toMatchObject({ reached: true });
    expect(left.share).toBeLessThanOrEqual(macs);
    expect(left.share).toBeGreaterThan(0.9 * macs);
  });

  test('where they cannot give it, that is said', async () => {
    const options = parseOptions(pruneStructured.options, { macs: 0.5 });
    const layers = NET.nodes.filter(({ op }) => op === 'Conv').map(({ name }) => name);
    const { report, diagnostics } = await pruneStructured.apply(NET, options, contextOf(layers.slice(1)));
    expect((report as StructuredReport).goal).toMatchObject({ reached: false });
    const [notice] = diagnostics!.filter(({ kind }) => kind === 'rolled-back');
    expect(notice.message).toMatch(/^\d+\.\d % of the MACs are left instead of 50\.0 %: .* had to keep their channels/);
  });

  test.each([
    [{}, 'macs 0.85 instead of 0.7', { macs: 0.85 }],
    [{ macs: 0.5, branches: 3 }, 'macs 0.75 instead of 0.5', { macs: 0.75, branches: 1 }],
    [{ amount: 0.5 }, 'amount 0.25 instead of 0.5', { amount: 0.25 }],
    [{ amounts: { a: 0.5 } }, 'macs 0.85 instead of 0.7', { amounts: { a: 0.25 } }],
  ])('half of %j', (given, words, expected) => {
    const milder = pruneStructured.milder!(parseOptions(pruneStructured.options, given), 0.5)!;
    expect(milder.words).toBe(words);
    expect(milder.options).toMatchObject(expected);
  });

  test.each([
    [{ sparsity: 0.8 }, 'sparsity 0.4 instead of 0.8', { sparsity: 0.4 }],
    [{ sparsities: { a: 0.6 } }, 'sparsity 0.25 instead of 0.5', { sparsities: { a: 0.3 } }],
    [{ pattern: '2:4' }, undefined, undefined],
    [{ scope: 'threshold', threshold: 0.1 }, undefined, undefined],
  ])('half of %j, single weights', (given, words, expected) => {
    const milder = prune.milder!(parseOptions(prune.options, given), 0.5);
    expect(milder?.words).toBe(words);
    if (expected) expect(milder!.options).toMatchObject(expected);
  });
});
