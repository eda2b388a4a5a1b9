import type { Diagnostic } from '../../core/diagnostic';
import type { Graph } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { countMacs } from '../count-macs';
import { matchingGlob } from '../glob';
import type { LayerDecision, MethodContext, MethodResult } from '../method';
import type { Isa } from '../target';
import type { RemovedBranch } from './branches';
import { Budget } from './budget';
import type { StepLeft } from './choose-units';
import { type Dependencies, findDependencies, type UnitLayer } from './dependencies';
import { stayReason } from './held-groups';
import type { PruneRepairs, RepairReport } from './prune-repairs';
import type { StructuredOptions } from './structured-options';

/** One layer in numbers: channels, and shares of its MACs and of its modelled time that are left. */
export interface LayerReport {
  readonly name: string;
  readonly before: number;
  /** Channels that `amount` asked to keep; undefined where it was not asked. */
  readonly asked?: number;
  readonly after: number;
  readonly macs: number;
  readonly time: number;
}

/** Numbers of a structured pruning, for reports. */
export interface StructuredReport {
  readonly macs: { readonly before: number; readonly after: number; readonly share: number };
  readonly parameters: { readonly before: number; readonly after: number };
  /** Share of the time that the kernels of the target are modelled to take for what is left. */
  readonly modelledTime: { readonly isa: Isa; readonly measured: boolean; readonly share: number };
  /** Share of the MACs that was asked for, and whether it was reached; undefined for a goal of amounts. */
  readonly goal?: {
    readonly share: number;
    readonly reached: boolean;
    /** The next step, where none lands in the goal's neighbourhood, and the share of the MACs that it would leave. */
    readonly next?: { readonly layers: readonly string[]; readonly channels: number; readonly share: number };
  };
  readonly layers: readonly LayerReport[];
  /** Additions whose branches were removed. */
  readonly branches: readonly { readonly add: string; readonly nodes: readonly string[]; readonly error: number }[];
  /** What held-out samples said to the repairs, in the order in which they were tried. */
  readonly repairs: readonly RepairReport[];
}

/** What a pruning did. */
export interface Outcome {
  /** The network before, and what is left of it. */
  readonly whole: Graph;
  readonly current: Graph;
  /** What hung together in it. */
  readonly first: Dependencies;
  readonly removed: readonly RemovedBranch[];
  /** Share of its worth that each layer has lost, by node name. */
  readonly damages: ReadonlyMap<string, number>;
  /** MACs that were to be left at most, and those before. */
  readonly target: number | undefined;
  readonly before: number;
  readonly short: StepLeft | undefined;
  readonly repairs: PruneRepairs;
}

/** The result of a pruning with its report and a decision per layer. */
export function resultOf(outcome: Outcome, options: StructuredOptions, context: MethodContext): MethodResult {
  const { whole, current, first, removed, damages, target, before, short, repairs } = outcome;
  const after = countMacs(current);
  const left = new Map(findDependencies(current).layers.map(({ node, extent }) => [node.name, extent]));
  const branchOf = new Map(removed.flatMap((entry) => entry.branch.nodes.map(({ name }) => [name, entry] as const)));
  const [full, spent] = [new Budget(whole, context.target), new Budget(current, { isa: context.target.isa })];
  const timeOf = (name: string) => full.weightOf(name) * spent.expenseOf(name).time;
  const layers = first.layers.map(({ node: { name }, extent, groups }): LayerReport => {
    const [own, rest] = [full.expenseOf(name), spent.expenseOf(name)];
    const [group] = groups;
    const amount = group === undefined ? undefined : amountOf(first.groups[group].layers, options);
    return {
      name,
      before: extent,
      ...(amount !== undefined && { asked: Math.round(extent * (1 - amount)) }),
      after: branchOf.has(name) ? 0 : (left.get(name) ?? extent),
      macs: own.macs > 0 ? rest.macs / own.macs : 1,
      time: own.time > 0 ? timeOf(name) / own.time : 1,
    };
  });
  const decisions = first.layers.map((layer, index): LayerDecision => {
    const { name } = layer.node;
    const branch = branchOf.get(name);
    if (branch) {
      const reason = `its branch, added by ${branch.branch.add.name}, changes the outputs least`;
      return { layer: name, treatment: 'removed', reason, damage: branch.error };
    }
    const { before: extent, after: count, asked, macs, time } = layers[index];
    const leaves = `${percent(macs)} of its MACs and ${percent(time)} of its modelled time are left`;
    if (count === extent) {
      const reason = `${whyWhole(layer, options, context)}${macs < 1 ? `; ${leaves}` : ''}`;
      return { layer: name, treatment: 'left alone', reason };
    }
    const wanted = asked === undefined || asked === count ? '' : ` (${asked} asked)`;
    return {
      layer: name,
      treatment: `${extent} to ${count} channels${wanted}`,
      reason: `least ${options.criterion} for the time that they cost; ${leaves}`,
      damage: damages.get(name) ?? 0,
    };
  });
  const names = whole.nodes.map(({ name }) => name);
  const [wholeTime, time] = [full.total().time, names.reduce((sum, name) => sum + timeOf(name), 0)];
  const next = short && { layers: short.layers, channels: short.channels, share: short.macs / before };
  const report: StructuredReport = {
    macs: { before, after, share: before > 0 ? after / before : 1 },
    parameters: { before: parametersOf(whole), after: parametersOf(current) },
    modelledTime: {
      isa: context.target.isa,
      measured: context.target.times !== undefined,
      share: wholeTime > 0 ? time / wholeTime : 1,
    },
    ...(target !== undefined && {
      goal: { share: target / before, reached: after <= target, ...(next && after > target && { next }) },
    }),
    layers,
    branches: removed.map(({ branch, error }) => ({
      add: branch.add.name,
      nodes: branch.nodes.map(({ name }) => name),
      error,
    })),
    repairs: repairs.reports,
  };
  const missed = missedBy(report, options, context);
  const diagnostics = noticesOf(report, repairs, context.rolledBack);
  return {
    graph: current,
    decisions,
    report,
    ...(missed !== '' && { missed }),
    ...(diagnostics.length > 0 && { diagnostics }),
  };
}

/** Share of its channels that a group with these layers was told to lose; undefined: as the goal demands. */
export function amountOf(layers: readonly string[], { amounts, amount }: StructuredOptions): number | undefined {
  const own = layers.map((name) => matchingGlob(name, Object.keys(amounts))).find((glob) => glob !== undefined);
  return own === undefined ? amount : amounts[own];
}

/** What was asked for and could not be had, in words; empty when there is nothing. */
function missedBy(
  { goal, macs, branches }: StructuredReport,
  options: StructuredOptions,
  context: MethodContext,
): string {
  // Layers that were rolled back are not to give up what the goal counts on.
  if (context.rolledBack?.size) return '';
  const places = (share: number) => Number(share.toPrecision(4));
  const missed = [];
  if (goal && !goal.reached && !goal.next)
    missed.push(`a share of ${places(goal.share)} of the MACs is out of reach, ${places(macs.share)} is left`);
  if (branches.length < options.branches)
    missed.push(`${options.branches} residual branches were to go, ${branches.length} can`);
  return missed.join('; ');
}

/** What the user should hear: what layers that were rolled back cost, the step that was one too many, and why there were no repairs. */
function noticesOf(
  { goal, macs }: StructuredReport,
  repairs: PruneRepairs,
  rolledBack: ReadonlySet<string> = new Set(),
): Diagnostic[] {
  const notices: Diagnostic[] = [];
  if (goal && !goal.reached && rolledBack.size > 0) {
    const layers = [...rolledBack].join(', ');
    const message = `${percent(macs.share)} of the MACs are left instead of ${percent(goal.share)}: ${layers} had to keep their channels for the accuracy goal`;
    notices.push({ severity: 'warning', kind: 'rolled-back', where: 'macs', message });
  }
  if (goal?.next) {
    const { layers, channels, share } = goal.next;
    const step = `${channels} ${channels === 1 ? 'channel' : 'channels'} of ${layers.join(', ')}`;
    const message = `one step short of ${percent(goal.share)} of the MACs, ${percent(macs.share)} are left: the next step, ${step}, would leave ${percent(share)}`;
    notices.push({ severity: 'warning', kind: 'one-step-short', where: 'macs', message });
  }
  const off = repairs.off();
  if (off !== undefined) {
    const message = `weights and statistics stay as they are: ${off}`;
    notices.push({ severity: 'warning', kind: 'repairs-off', where: 'reconstruct', message });
  }
  return notices;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function whyWhole(layer: UnitLayer, options: StructuredOptions, context: MethodContext): string {
  const own = stayReason(layer.node, options, context);
  if (own !== undefined) return own;
  if (layer.groups.length === 0) return layer.fixed ?? 'nothing can go';
  return 'its channels are worth more than those of other layers, or hang together with a layer that stays';
}

function parametersOf(graph: Graph): number {
  return [...graph.initializers.values()].reduce(
    (sum, { type, dims }) => sum + (type === 'float32' ? elementCount(dims) : 0),
    0,
  );
}
