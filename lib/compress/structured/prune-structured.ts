import { type Diagnostic, formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph, Node } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { countMacs } from '../count-macs';
import { trainExcept } from '../distill/finetune';
import { matchingGlob } from '../glob';
import type { LayerDecision, Method, MethodContext, MethodResult } from '../method';
import { requireFloatGraph } from '../quantize/plan';
import { requireMeaning, skipReason } from '../skip';
import { type RemovedBranch, removeBranches } from './branches';
import { chooseUnits } from './choose-units';
import { type Dependencies, findDependencies, type Layer } from './dependencies';
import { type StructuredOptions, structuredOptions } from './options';
import { keptIndices, removeUnits } from './remove-units';
import { openRepairs, type RepairReport, type Repairs } from './repairs';
import { separateConstants } from './separate-constants';
import { scoreUnits } from './unit-scores';

/** Numbers of a structured pruning, for reports. */
export interface StructuredReport {
  readonly macs: { readonly before: number; readonly after: number; readonly share: number };
  readonly parameters: { readonly before: number; readonly after: number };
  /** Share of the MACs that was asked for, and whether it was reached; undefined for a goal of amounts. */
  readonly goal?: { readonly share: number; readonly reached: boolean };
  readonly layers: readonly { readonly name: string; readonly before: number; readonly after: number }[];
  /** Additions whose branches were removed. */
  readonly branches: readonly { readonly add: string; readonly nodes: readonly string[]; readonly error: number }[];
  /** What held-out samples said to the repairs, in the order in which they were tried. */
  readonly repairs: readonly RepairReport[];
}

/**
 * Structured pruning: a physically smaller network. Channels, neurons, heads and branches go with everything that hangs on
 * them (see `findDependencies`); weights behind them are fitted anew and statistics of batch norm re-estimated, layer by layer where held-out outputs gain by it.
 * @throws E_OPTION_VALUE for options that mean no layer, or one that cannot be pruned; E_GRAPH_INVALID when nothing can be pruned
 * or the graph is quantized; E_DATA_MISMATCH; what training and passes over samples throw
 */
export const pruneStructured: Method<StructuredOptions> = {
  name: 'prune-structured',
  summary: 'removes whole channels, neurons, heads and residual branches: a smaller and faster network',
  options: structuredOptions,
  apply,
};

/** Share of the MACs that stays when no goal is given. */
const DEFAULT_MACS = 0.7;

async function apply(given: Graph, options: StructuredOptions, context: MethodContext): Promise<MethodResult> {
  requireFloatGraph(given);
  requireMeaning(given, options.skip);
  requireMeaning(given, { names: Object.keys(options.amounts), types: [] }, 'amounts');
  const whole = separateConstants(given);
  const first = findDependencies(whole);
  requireWork(first, options);
  const stays = (node: Node) => stayReason(node, options, context) !== undefined;
  const { graph: shallow, removed } = await removeBranches(whole, options.branches, stays, options.samples, context);
  const damages = new Map<string, number>();
  const before = countMacs(whole);
  const target = options.amount === undefined ? (options.macs ?? DEFAULT_MACS) * before : undefined;
  const floors = new Map(
    first.layers.map(({ node, extent }) => [node.name, Math.ceil(extent * (1 - options.maxPerLayer))]),
  );
  const start = countMacs(shallow);
  let current = shallow;
  const repairs = openRepairs(whole, options, context);
  // Training between rounds moves what outputs are to be like.
  const moves = options.tune === 'rounds' && options.training.epochs > 0;
  for (let round = 1; round <= options.rounds; round++) {
    // Every round leaves the same share of what it finds.
    const progress = round / options.rounds;
    const macs = target === undefined ? undefined : start * Math.min(1, target / start) ** progress;
    const named = Object.keys(options.amounts).length > 0;
    const original = moves ? current : whole;
    if (named || countMacs(current) > (macs ?? 0))
      current = await pruneOnce(current, options, { macs, floors, round, damages, original, repairs }, context);
    if (options.tune === 'rounds') current = await trainExcept(current, options.training, context, `round-${round}`);
  }
  if (options.training.epochs === 0) current = await repairs.renewStatistics(whole, current);
  else if (options.tune === 'end') current = await trainExcept(current, options.training, context, 'prune-structured');
  return resultOf({ whole, current, first, removed, damages, target, before, repairs }, options, context);
}

interface Round {
  readonly macs: number | undefined;
  readonly floors: ReadonlyMap<string, number>;
  readonly round: number;
  /** Share of its worth that each layer has lost so far, by node name. */
  readonly damages: Map<string, number>;
  /** What repairs are to bring outputs back to. */
  readonly original: Graph;
  readonly repairs: Repairs;
}

async function pruneOnce(
  graph: Graph,
  options: StructuredOptions,
  { macs, floors, round, damages, original, repairs }: Round,
  context: MethodContext,
): Promise<Graph> {
  const dependencies = findDependencies(graph);
  const { keep, rolledBack = new Set<string>() } = context;
  // Layers that were rolled back are chosen from like the others, which then do not make up for them, and get it all back.
  const wanted = { keep: new Set([...keep].filter((name) => !rolledBack.has(name))) };
  const held = heldGroups(graph, dependencies, (node) => stayReason(node, options, wanted) !== undefined, wanted.keep);
  const measured = await scoreUnits(graph, dependencies, options.criterion, options.samples, context);
  const scores = measured.map((score, index) => (held.has(index) ? undefined : score));
  // A share of what is left that adds up to the amount over all rounds.
  const ofRest = (amount: number) => {
    const [done, all] = [round - 1, options.rounds];
    return 1 - (1 - (amount * round) / all) / (1 - (amount * done) / all);
  };
  const amounts = dependencies.groups.map(({ layers }) => {
    const own = layers
      .map((name) => matchingGlob(name, Object.keys(options.amounts)))
      .find((glob) => glob !== undefined);
    const amount = own === undefined ? options.amount : options.amounts[own];
    return amount === undefined ? undefined : ofRest(amount);
  });
  const multiple = options.roundTo === 'target' ? context.target.channelMultiple : options.roundTo;
  const choice = chooseUnits(
    graph,
    dependencies,
    scores,
    { macs, amounts },
    {
      multiple,
      floors,
      ...(options.times && { times: options.times }),
    },
  );
  const returned = heldGroups(graph, dependencies, ({ name }) => rolledBack.has(name), rolledBack);
  const spared = new Set([...returned].flatMap((index) => dependencies.groups[index].units));
  const units = choice.units.filter((unit) => !spared.has(unit));
  for (const { node, groups } of dependencies.layers) {
    const share = Math.max(0, ...groups.map((index) => (returned.has(index) ? 0 : choice.lost[index])));
    if (share > 0) damages.set(node.name, 1 - (1 - (damages.get(node.name) ?? 0)) * (1 - share));
  }
  const pruned = removeUnits(graph, units);
  if (units.length === 0) return pruned;
  return repairs.refit({ original, before: graph, pruned, kept: keptIndices(graph, units) });
}

/** Groups that a layer holds: one of theirs that is to keep its channels, or any weight of a node that must stay as it is. */
function heldGroups(
  graph: Graph,
  dependencies: Dependencies,
  stays: (node: Node) => boolean,
  untouchable: ReadonlySet<string>,
): Set<number> {
  const names = new Set(graph.nodes.filter(stays).map(({ name }) => name));
  const constants = new Set(graph.nodes.filter(({ name }) => untouchable.has(name)).flatMap(({ inputs }) => inputs));
  const held = new Set<number>();
  dependencies.groups.forEach(({ layers, units }, index) => {
    const touches = units[0].members.some(({ value }) => graph.initializers.has(value) && constants.has(value));
    if (touches || layers.some((name) => names.has(name))) held.add(index);
  });
  return held;
}

function stayReason(
  node: Node,
  { skip }: StructuredOptions,
  { keep }: Pick<MethodContext, 'keep'>,
): string | undefined {
  return keep.has(node.name) ? 'it must stay as it is' : skipReason(node, skip);
}

/** @throws E_GRAPH_INVALID when no layer has a unit that can go, E_OPTION_VALUE when a layer asked for has none */
function requireWork({ layers, groups }: Dependencies, { amounts, branches }: StructuredOptions): void {
  const reasonOf = ({ node, fixed }: Layer) => `${node.name}: ${fixed ?? 'nothing can go'}`;
  for (const glob of Object.keys(amounts)) {
    const own = layers.filter(({ node }) => matchingGlob(node.name, [glob]) !== undefined);
    if (own.some((layer) => layer.groups.length > 0)) continue;
    const reason = own.length > 0 ? own.map(reasonOf).join('; ') : `${glob} is no layer with weights`;
    throw new HoneError('E_OPTION_VALUE', {
      option: 'amounts',
      expected: 'layers that can lose channels',
      found: reason,
    });
  }
  if (groups.length > 0 || branches > 0) return;
  const reasons = layers.slice(0, 5).map(reasonOf);
  const message = `no layer can lose channels (${reasons.join('; ') || 'there is no layer with weights'})`;
  throw new HoneError('E_GRAPH_INVALID', {
    diagnostics: formatDiagnostics([{ severity: 'error', kind: 'nothing-to-prune', where: 'graph', message }]),
  });
}

interface Outcome {
  readonly whole: Graph;
  readonly current: Graph;
  readonly first: Dependencies;
  readonly removed: readonly RemovedBranch[];
  readonly damages: ReadonlyMap<string, number>;
  readonly target: number | undefined;
  readonly before: number;
  readonly repairs: Repairs;
}

function resultOf(outcome: Outcome, options: StructuredOptions, context: MethodContext): MethodResult {
  const { whole, current, first, removed, damages, target, before, repairs } = outcome;
  const after = countMacs(current);
  const left = new Map(findDependencies(current).layers.map(({ node, extent }) => [node.name, extent]));
  const branchOf = new Map(removed.flatMap((entry) => entry.branch.nodes.map(({ name }) => [name, entry] as const)));
  const decisions = first.layers.map((layer): LayerDecision => {
    const { name } = layer.node;
    const branch = branchOf.get(name);
    if (branch) {
      const reason = `its branch, added by ${branch.branch.add.name}, changes the outputs least`;
      return { layer: name, treatment: 'removed', reason, damage: branch.error };
    }
    const count = left.get(name) ?? layer.extent;
    if (count === layer.extent)
      return { layer: name, treatment: 'left alone', reason: whyWhole(layer, options, context) };
    const treatment = `${layer.extent} to ${count} channels`;
    return {
      layer: name,
      treatment,
      reason: `least ${options.criterion} for what they cost`,
      damage: damages.get(name) ?? 0,
    };
  });
  const report: StructuredReport = {
    macs: { before, after, share: before > 0 ? after / before : 1 },
    parameters: { before: parametersOf(whole), after: parametersOf(current) },
    ...(target !== undefined && { goal: { share: target / before, reached: after <= target } }),
    layers: first.layers.map(({ node, extent }) => ({
      name: node.name,
      before: extent,
      after: branchOf.has(node.name) ? 0 : (left.get(node.name) ?? extent),
    })),
    branches: removed.map(({ branch, error }) => ({
      add: branch.add.name,
      nodes: branch.nodes.map(({ name }) => name),
      error,
    })),
    repairs: repairs.reports,
  };
  const missed = missedBy(report, options, context);
  const diagnostics = noticesOf(repairs);
  return {
    graph: current,
    decisions,
    report,
    ...(missed !== '' && { missed }),
    ...(diagnostics.length > 0 && { diagnostics }),
  };
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
  if (goal && !goal.reached)
    missed.push(`a share of ${places(goal.share)} of the MACs is out of reach, ${places(macs.share)} is left`);
  if (branches.length < options.branches)
    missed.push(`${options.branches} residual branches were to go, ${branches.length} can`);
  return missed.join('; ');
}

/** What the user should hear about repairs. */
function noticesOf(repairs: Repairs): Diagnostic[] {
  const off = repairs.off();
  return off === undefined
    ? []
    : [
        {
          severity: 'warning',
          kind: 'repairs-off',
          where: 'reconstruct',
          message: `weights and statistics stay as they are: ${off}`,
        },
      ];
}

function whyWhole(layer: Layer, options: StructuredOptions, context: MethodContext): string {
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
