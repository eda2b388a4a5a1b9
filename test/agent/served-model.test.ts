import { ServedModel } from '../../lib/agent/served-model';
import type { SessionProfile } from '../../lib/engine/addon';
import { tinyPlan } from './served';

/** A model whose session says of its nodes, all since the start, what the test says. */
function served(): { readonly model: ServedModel; say(runs: number, meansNs: readonly number[]): void } {
  const model = new ServedModel('tiny', tinyPlan(), 1);
  const { session } = model as unknown as { readonly session: { profile(): SessionProfile } };
  return {
    model,
    say(runs, meansNs) {
      const nodes = meansNs.map((meanNs, index) => ({
        name: `n${index}`,
        op: 'o',
        kernel: 'k',
        threads: 1,
        runs,
        leastNs: 1,
        meanNs,
        p50Ns: meanNs,
        p90Ns: meanNs,
        p99Ns: meanNs,
      }));
      jest.spyOn(session, 'profile').mockReturnValue({ runs, nodes });
    },
  };
}

test('node times of a window are those of its own runs', () => {
  const { model, say } = served();
  const told = () => model.nodes.flatMap(({ meanUs, share }) => [meanUs, share]);
  try {
    expect(told()).toEqual([]);
    // Runs and means (ns) since the start, then mean (us) and share of both nodes in the window.
    const windows: [runs: number, means: number[], expected: number[]][] = [
      [2, [3000, 1000], [3, 0.75, 1, 0.25]],
      [3, [4000, 2000], [6, 0.6, 4, 0.4]],
      // Without a run the last window that had one stays.
      [3, [4000, 2000], [6, 0.6, 4, 0.4]],
      // A mean rounded below what is known already is no negative time.
      [4, [2900, 2000], [0, 0, 2, 1]],
    ];
    for (const [runs, means, expected] of windows) {
      say(runs, means);
      model.closeWindow(1000);
      expect(told()).toEqual(expected);
    }
  } finally {
    model.close();
  }
});
