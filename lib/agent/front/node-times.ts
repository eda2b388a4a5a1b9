import type { NodeProfile, SessionProfile } from '../../engine/addon';
import type { NodeSummary } from '../../telemetry/sample';

/** Node times are taken of every inference of this number. */
export const PROFILE_EVERY = 16;

const NO_PROFILE: SessionProfile = { runs: 0, nodes: [] };
/** Characters of a name that are kept. */
const NAME_LIMIT = 200;

/** What nodes cost in the last window in which any run was timed, and since their worker began. */
export class NodeTimes {
  private before: SessionProfile = NO_PROFILE;
  private source: object | undefined;
  private last: readonly NodeSummary[] = [];
  private endedNs: number | undefined;

  /** Nodes in the order of the plan; empty before the first window with a timed run. */
  get summaries(): readonly NodeSummary[] {
    return this.last;
  }

  /** Milliseconds from the end of the window of `summaries` to that of the window which ended at `endNs`; null before the first. */
  ageMs(endNs: number): number | null {
    return this.endedNs === undefined ? null : Math.max(0, endNs - this.endedNs) / 1e6;
  }

  /**
   * Takes what a worker, `source`, has counted since it began, for the window that ended at `endNs`. What is no profile is left
   * alone: a worker is not trusted.
   */
  update(told: unknown, source: object, endNs: number): void {
    const now = readProfile(told);
    if (now === undefined) return;
    const before = source === this.source ? this.before : NO_PROFILE;
    this.before = now;
    this.source = source;
    if (now.runs <= before.runs) return;
    const windows = now.nodes.map(({ meanNs, runs }, index) => {
      const { meanNs: known = 0, runs: knownRuns = 0 } = before.nodes[index] ?? {};
      return { ns: Math.max(0, meanNs * runs - known * knownRuns), runs: runs - knownRuns };
    });
    const sum = windows.reduce((total, { ns }) => total + ns, 0);
    this.endedNs = endNs;
    this.last = now.nodes.map(({ name, op, kernel, runs, meanNs, p50Ns, p90Ns, p99Ns }, index) => ({
      ...{ name, op, kernel },
      meanUs: windows[index].runs <= 0 ? 0 : windows[index].ns / windows[index].runs / 1000,
      share: sum === 0 ? 0 : windows[index].ns / sum,
      since: { count: runs, meanUs: meanNs / 1000, p50Us: p50Ns / 1000, p90Us: p90Ns / 1000, p99Us: p99Ns / 1000 },
    }));
  }
}

/** What a worker told, if it is a profile. */
function readProfile(told: unknown): SessionProfile | undefined {
  const { runs, nodes } = (told ?? {}) as Partial<Record<keyof SessionProfile, unknown>>;
  if (!isCount(runs) || !Array.isArray(nodes)) return undefined;
  const read = nodes.map(readNode);
  return read.every((node) => node !== undefined) ? { runs, nodes: read } : undefined;
}

function readNode(told: unknown): NodeProfile | undefined {
  const node = (told ?? {}) as NodeProfile;
  const texts = [node.name, node.op, node.kernel];
  const numbers = [node.threads, node.runs, node.meanNs, node.leastNs, node.p50Ns, node.p90Ns, node.p99Ns];
  if (!texts.every((text) => typeof text === 'string') || !numbers.every(isCount)) return undefined;
  const [name, op, kernel] = texts.map((text) => text.slice(0, NAME_LIMIT));
  return { ...node, name, op, kernel };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
