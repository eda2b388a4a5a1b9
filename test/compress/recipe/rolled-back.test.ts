import type { MethodContext, MethodResult } from '../../../lib/compress/method';
import { prune } from '../../../lib/compress/prune/prune';
import { pruneStructured } from '../../../lib/compress/structured/prune-structured';
import type { StructuredReport } from '../../../lib/compress/structured/structured-report';
import { parseOptions } from '../../../lib/core/options';
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

describe('what is rolled back is not asked of the other layers', () => {
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

  test('prune-structured', async () => {
    const options = parseOptions(pruneStructured.options, { macs: 0.6 });
    const all = await pruneStructured.apply(NET, options, contextOf([]));
    const layer = worst(all);
    const spared = await pruneStructured.apply(NET, options, contextOf([layer]));
    const counts = ({ report }: MethodResult) => (report as StructuredReport).layers;
    const before = new Map(counts(all).map(({ name, after }) => [name, after]));
    let returned = 0;
    for (const { name, before: whole, after } of counts(spared)) {
      expect([before.get(name), whole]).toContain(after);
      if (name === layer) expect(after).toBe(whole);
      returned += after - before.get(name)!;
    }
    expect(returned).toBeGreaterThan(0);
    expect(all.diagnostics?.map(({ kind }) => kind) ?? []).not.toContain('rolled-back');
    const [notice] = spared.diagnostics!.filter(({ kind }) => kind === 'rolled-back');
    expect(notice.message).toMatch(/^\d+\.\d % of the MACs are left instead of 60\.0 %: .* had to keep their channels/);
    expect(notice.message).toContain(layer);
  });
});
