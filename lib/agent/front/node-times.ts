import type { SessionProfile } from '../../engine/addon';
import type { NodeSummary } from '../../telemetry/sample';

/** What nodes cost in the last window in which any run was timed. */
export class NodeTimes {
  private before: SessionProfile = { runs: 0, nodes: [] };
  private source: object | undefined;
  private last: readonly NodeSummary[] = [];

  /** Nodes with their mean time; empty before the first window with a timed run. */
  get summaries(): readonly NodeSummary[] {
    return this.last;
  }

  /** Takes what a worker, `source`, has counted since it began. */
  update(now: SessionProfile, source: object): void {
    const before = source === this.source ? this.before : { runs: 0, nodes: [] };
    this.before = now;
    this.source = source;
    const runs = now.runs - before.runs;
    if (runs <= 0) return;
    const totals = now.nodes.map(({ meanNs, runs: counted }, index) => {
      const { meanNs: known = 0, runs: knownRuns = 0 } = before.nodes[index] ?? {};
      return Math.max(0, meanNs * counted - known * knownRuns);
    });
    const sum = totals.reduce((total, ns) => total + ns, 0);
    this.last = now.nodes.map(({ name, op, kernel }, index) => ({
      name,
      op,
      kernel,
      meanUs: totals[index] / runs / 1000,
      share: sum === 0 ? 0 : totals[index] / sum,
    }));
  }
}
