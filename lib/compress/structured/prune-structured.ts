import { formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph, Node } from '../../ir/graph';
import { countMacs } from '../count-macs';
import { trainExcept } from '../distill/finetune';
import { matchingGlob } from '../glob';
import type { Method, MethodContext, MethodResult, Milder } from '../method';
import { requireFloatGraph } from '../quantize/plan';
import { requireMeaning } from '../skip';
import { removeBranches } from './branches';
import { chooseUnits, type StepLeft } from './choose-units';
import { type Dependencies, findDependencies, type UnitLayer } from './dependencies';
import { heldGroups, stayReason } from './held-groups';
import { openPruneRepairs, type PruneRepairs } from './prune-repairs';
import { keptIndices, removeUnits } from './remove-units';
import { separateConstants } from './separate-constants';
import { type StructuredOptions, structuredOptions } from './structured-options';
import { amountOf, resultOf } from './structured-report';
import { STRUCTURED_CRITERIA } from './unit-criteria';

/**
 * Structured pruning: a physically smaller network. Channels, neurons, heads and branches go with everything that hangs on
 * them (see `findDependencies`); weights behind them are fitted anew and statistics of batch norm re-estimated, layer by layer
 * where held-out outputs gain by it.
 * @throws E_OPTION_VALUE for options that mean no layer, or one that cannot be pruned; E_GRAPH_INVALID when nothing can be pruned
 * or the graph is quantized; E_DATA_MISMATCH; what training and passes over samples throw
 */
export const pruneStructured: Method<StructuredOptions> = {
  name: 'prune-structured',
  summary: 'removes whole channels, neurons, heads and residual branches: a smaller and faster network',
  options: structuredOptions,
  apply,
  milder,
  makesUp: ({ amount }) => amount === undefined,
};

/** Share of the MACs that stays when no goal is given. */
const DEFAULT_MACS = 0.7;

/** Options that take a share of what these take, of MACs or channels. */
function milder(options: StructuredOptions, share: number): Milder<StructuredOptions> {
  const { macs = DEFAULT_MACS, amount, amounts, branches } = options;
  const rounded = (value: number) => Number(value.toPrecision(4));
  const common = {
    ...options,
    amounts: Object.fromEntries(Object.entries(amounts).map(([glob, own]) => [glob, rounded(own * share)])),
    branches: Math.floor(branches * share),
  };
  if (amount !== undefined) {
    const less = rounded(amount * share);
    return { options: { ...common, amount: less }, words: `amount ${less} instead of ${amount}` };
  }
  const more = rounded(1 - (1 - macs) * share);
  return { options: { ...common, macs: more }, words: `macs ${more} instead of ${macs}` };
}

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
  let short: StepLeft | undefined;
  const before = countMacs(whole);
  const target = options.amount === undefined ? (options.macs ?? DEFAULT_MACS) * before : undefined;
  const floors = new Map(
    first.layers.map(({ node, extent }) => [node.name, Math.ceil(extent * (1 - options.maxPerLayer))]),
  );
  const start = countMacs(shallow);
  let current = shallow;
  const repairs = openPruneRepairs(whole, options, context);
  // Training between rounds moves what outputs are to be like.
  const moves = options.tune === 'rounds' && options.training.epochs > 0;
  for (let round = 1; round <= options.rounds; round++) {
    // Every round leaves the same share of what it finds.
    const progress = round / options.rounds;
    const macs = target === undefined ? undefined : start * Math.min(1, target / start) ** progress;
    const named = Object.keys(options.amounts).length > 0;
    const original = moves ? current : whole;
    if (named || countMacs(current) > (macs ?? 0)) {
      const cut = { macs, floors, round, damages, original, repairs };
      ({ graph: current, short } = await pruneOnce(current, options, cut, context));
    }
    if (options.tune === 'rounds') current = await trainExcept(current, options.training, context, `round-${round}`);
  }
  if (options.training.epochs === 0) current = await repairs.renewStatistics(whole, current);
  else if (options.tune === 'end') current = await trainExcept(current, options.training, context, 'prune-structured');
  return resultOf({ whole, current, first, removed, damages, target, before, short, repairs }, options, context);
}

interface Round {
  readonly macs: number | undefined;
  readonly floors: ReadonlyMap<string, number>;
  readonly round: number;
  /** Share of its worth that each layer has lost so far, by node name. */
  readonly damages: Map<string, number>;
  /** What repairs are to bring outputs back to. */
  readonly original: Graph;
  readonly repairs: PruneRepairs;
}

async function pruneOnce(
  graph: Graph,
  options: StructuredOptions,
  { macs, floors, round, damages, original, repairs }: Round,
  context: MethodContext,
): Promise<{ readonly graph: Graph; readonly short: StepLeft | undefined }> {
  const dependencies = findDependencies(graph);
  const held = heldGroups(
    graph,
    dependencies,
    (node) => stayReason(node, options, context) !== undefined,
    context.keep,
  );
  const measured = await STRUCTURED_CRITERIA[options.criterion].score({
    graph,
    groups: dependencies.groups,
    samples: options.samples,
    context,
  });
  const scores = measured.map((score, index) => (held.has(index) ? undefined : score));
  // A share of what is left that adds up to the amount over all rounds.
  const ofRest = (amount: number) => {
    const [done, all] = [round - 1, options.rounds];
    return 1 - (1 - (amount * round) / all) / (1 - (amount * done) / all);
  };
  const amounts = dependencies.groups.map(({ layers }) => {
    const amount = amountOf(layers, options);
    return amount === undefined ? undefined : ofRest(amount);
  });
  const choice = chooseUnits(
    graph,
    dependencies,
    scores,
    { macs, amounts },
    { target: context.target, floors, ...(options.roundTo !== 'target' && { multiple: options.roundTo }) },
  );
  const { units } = choice;
  for (const { node, groups } of dependencies.layers) {
    const share = Math.max(0, ...groups.map((index) => choice.lost[index]));
    if (share > 0) damages.set(node.name, 1 - (1 - (damages.get(node.name) ?? 0)) * (1 - share));
  }
  const pruned = removeUnits(graph, units);
  const { short } = choice;
  if (units.length === 0) return { graph: pruned, short };
  return { graph: await repairs.refit({ original, before: graph, pruned, kept: keptIndices(graph, units) }), short };
}

/** @throws E_GRAPH_INVALID when no layer has a unit that can go, E_OPTION_VALUE when a layer asked for has none */
function requireWork({ layers, groups }: Dependencies, { amounts, branches }: StructuredOptions): void {
  const reasonOf = ({ node, fixed }: UnitLayer) => `${node.name}: ${fixed ?? 'nothing can go'}`;
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
