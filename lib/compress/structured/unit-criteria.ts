import { HoneError } from '../../core/error';
import { Rng } from '../../core/rng';
import type { Dataset } from '../../ir/dataset';
import { usesOf } from '../../ir/edit';
import type { Evaluate, Graph } from '../../ir/graph';
import { elementCount, viewAs } from '../../ir/tensor';
import { hasStatistics, hasTrait, parametersOf } from '../../ops/facts';
import { freeToTrain } from '../free-to-train';
import { measureGradients } from '../gradients';
import type { MethodContext } from '../method';
import { first } from '../prune/measure-scores';
import { addTaylorScores } from '../prune/taylor';
import { collect } from '../quantize/calibrate';
import type { Observer } from '../quantize/observer';
import type { Group } from './dependencies';
import type { Member } from './index-sets';
import { outputErrors } from './output-error';

/** Worth per group and unit; the lowest go first. Undefined: the criterion says nothing about the group. */
export type UnitScores = readonly (Float64Array | undefined)[];

/** What worth is measured with. */
interface Measurement {
  readonly graph: Graph;
  readonly groups: readonly Group[];
  /** Most samples to measure on. */
  readonly samples: number;
  readonly context: MethodContext;
}

/** A way to tell the worth of a unit (channel, neuron, head). */
export interface StructuredCriterionRow {
  /** What it is, for the text of the option. */
  readonly about: string;
  /**
   * The worth of every unit in the graph as it is, summed over all tensors that it has weights in. Unless all scores are changes of
   * one loss, those of a tensor are divided by their mean over the group, so that layers of small weights are not emptied first.
   */
  readonly score: (request: Measurement) => Promise<UnitScores>;
}

/** The criteria of structured pruning. Options, docs and tests loop over the rows. */
export const STRUCTURED_CRITERIA = {
  l1: {
    about: 'l1 norm of all weights that go with it',
    score: ofEachGroup((graph, group) => norms(graph, group, l1)),
  },
  l2: { about: 'l2 norm of them', score: ofEachGroup((graph, group) => norms(graph, group, l2)) },
  'output-error': {
    about: 'what the layers behind it lose after making up for it, from samples without labels',
    score: outputError,
  },
  taylor: {
    about: '(g w)^2 from samples (the float model names classes where labels are absent)',
    score: taylor,
  },
  fpgm: { about: 'distance from the other filters', score: ofEachGroup((graph, group) => norms(graph, group, fpgm)) },
  'bn-gamma': { about: 'scale behind it', score: ofEachGroup(gammas) },
  apoz: { about: 'how seldom it is zero', score: apoz },
  random: {
    about: 'any, as a baseline',
    score: async ({ groups, context }) => {
      const rng = new Rng(context.seed);
      return groups.map(({ units }) => Float64Array.from(units, () => rng.uniform()));
    },
  },
} as const satisfies Readonly<Record<string, StructuredCriterionRow>>;
export type StructuredCriterion = keyof typeof STRUCTURED_CRITERIA;

/** A score that depends on the weights of a group alone. */
function ofEachGroup(score: (graph: Graph, group: Group) => Float64Array | undefined): StructuredCriterionRow['score'] {
  return async ({ graph, groups }) => groups.map((group) => score(graph, group));
}

/** The error grows with the square of the weights, so that its root is what norms are. */
async function outputError({ graph, groups, samples, context }: Measurement): Promise<UnitScores> {
  const errors = await outputErrors(graph, groups, samples, context);
  return groups.map((group, index) => {
    const parts = weightsOf(graph, group).map((member) => errors[index].get(member));
    if (parts.every((part) => !part)) return norms(graph, group, l2);
    // A tensor that it says nothing of counts the same for every unit.
    return sumOf(parts.map((part) => normalized(part?.map(Math.sqrt) ?? new Float64Array(group.units.length).fill(1))));
  });
}

/** The weights of every unit of a group in one tensor: one array per unit. */
type Parts = readonly Float32Array[];

/** Places of the weights among the members of a group's units: matrices and kernels, or all there are when there are none. */
function weightsOf(graph: Graph, { units: [{ members }] }: Group): number[] {
  const parameters = Array.from(members.keys()).filter((index) => isFloat(graph, members[index]));
  const weights = parameters.filter((index) => graph.initializers.get(members[index].value)!.dims.length >= 2);
  return weights.length > 0 ? weights : parameters;
}

function norms(graph: Graph, group: Group, measure: (parts: Parts) => Float64Array): Float64Array {
  return sumOf(weightsOf(graph, group).map((member) => normalized(measure(partsOf(graph, group, member)))));
}

function partsOf(graph: Graph, { units }: Group, member: number): Parts {
  return units.map(({ members }) => elementsOf(graph, members[member]));
}

function isFloat(graph: Graph, { value }: Member): boolean {
  return graph.initializers.get(value)?.type === 'float32';
}

/** Elements of a constant at the indices of a member. */
function elementsOf(graph: Graph, { value, axis, indices }: Member): Float32Array {
  const tensor = graph.initializers.get(value)!;
  const data = viewAs(tensor, 'float32');
  return Float32Array.from(positionsOf(tensor.dims, axis, indices), (position) => data[position]);
}

function positionsOf(dims: readonly number[], axis: number, indices: readonly number[]): Uint32Array {
  const inner = elementCount(dims.slice(axis + 1));
  const outer = elementCount(dims.slice(0, axis));
  const positions = new Uint32Array(outer * indices.length * inner);
  let at = 0;
  for (let row = 0; row < outer; row++)
    for (const index of indices)
      for (let i = 0; i < inner; i++) positions[at++] = (row * dims[axis] + index) * inner + i;
  return positions;
}

function l1(parts: Parts): Float64Array {
  return Float64Array.from(parts, (part) => part.reduce((sum, weight) => sum + Math.abs(weight), 0));
}

function l2(parts: Parts): Float64Array {
  return Float64Array.from(parts, (part) => Math.sqrt(part.reduce((sum, weight) => sum + weight ** 2, 0)));
}

/** Sum of the distances to all others: small near the geometric median (He et al. 2019, "Filter pruning via geometric median"). */
function fpgm(parts: Parts): Float64Array {
  return Float64Array.from(parts, (part) =>
    parts.reduce((sum, other) => sum + Math.sqrt(part.reduce((d, weight, i) => d + (weight - other[i]) ** 2, 0)), 0),
  );
}

/** Size of the scales of BatchNormalization behind the units (Liu et al. 2017, "Network slimming"). */
function gammas(graph: Graph, group: Group): Float64Array | undefined {
  const scales = new Set(
    graph.nodes
      .filter(hasStatistics)
      .flatMap((node) => parametersOf(node, 'scale').map(({ index }) => node.inputs[index])),
  );
  const chosen = group.units[0].members.flatMap(({ value }, index) => (scales.has(value) ? [index] : []));
  if (chosen.length === 0) return undefined;
  return sumOf(
    chosen.map((index) => normalized(l1(group.units.map(({ members }) => elementsOf(graph, members[index]))))),
  );
}

/**
 * `(g w)^2` summed over all weights of a unit (Molchanov et al. 2019), from gradients on training samples with labels; where
 * there are none, with the classes that the float model names.
 * @throws E_DATA_MISMATCH when there are neither labels nor a classifier to name them
 */
async function taylor({ graph, groups, samples, context }: Measurement): Promise<UnitScores> {
  const { data } = context;
  const given = first(data.training ?? data.calibration, samples);
  const dataset = given.hasLabels ? given : await withTeacherLabels(given, context);
  const wanted = new Set(
    groups.flatMap(({ units }) =>
      units[0].members.filter((member) => isFloat(graph, member)).map(({ value }) => value),
    ),
  );
  const weights = new Map([...wanted].map((name) => [name, viewAs(graph.initializers.get(name)!, 'float32')]));
  const sums = new Map([...weights].map(([name, { length }]) => [name, new Float64Array(length)]));
  await measureGradients(graph, dataset, [...wanted], context, (gradients, share) => {
    for (const [name, sum] of sums)
      addTaylorScores(sum, weights.get(name)!, viewAs(gradients.get(name)!, 'float32'), share);
  });
  return groups.map(({ units }) =>
    Float64Array.from(units, ({ members }) => {
      let worth = 0;
      for (const { value, axis, indices } of members) {
        const sum = sums.get(value);
        if (!sum) continue;
        for (const position of positionsOf(graph.initializers.get(value)!.dims, axis, indices)) worth += sum[position];
      }
      return worth;
    }),
  );
}

/** The samples labelled with the largest element of the float model's first output. */
async function withTeacherLabels(dataset: Dataset, { teacher, evaluate }: MethodContext): Promise<Dataset> {
  return labelledBy(await freeToTrain(teacher, dataset, evaluate), dataset, evaluate);
}

function labelledBy(teacher: Graph, dataset: Dataset, evaluate: Evaluate): Dataset {
  const [output] = teacher.outputs;
  return {
    ...dataset,
    hasLabels: true,
    async *batches(options) {
      for await (const batch of dataset.batches(options)) {
        const result = (await evaluate(teacher, batch.inputs, [output])).get(output)!;
        if (result.type !== 'float32' || result.dims.length !== 2)
          throw new HoneError('E_DATA_MISMATCH', {
            expected:
              'labelled samples for the criterion taylor, or a classifier with an output [N, C] (l2 needs neither)',
            found: `no labels in ${dataset.name}, and an output '${output}' of type ${result.type}[${result.dims}]`,
          });
        const scores = viewAs(result, 'float32');
        const classes = result.dims[1];
        const labels = Int32Array.from({ length: batch.count }, (_, n) => {
          const row = scores.subarray(n * classes, (n + 1) * classes);
          return row.indexOf(Math.max(...row));
        });
        yield { ...batch, labels };
      }
    },
    select: (indices) => labelledBy(teacher, dataset.select(indices), evaluate),
  };
}

/** Counts elements above zero per index of one axis. */
class ActiveCount implements Observer {
  readonly counts: Float64Array;
  private readonly axis: number;

  constructor(axis: number, extent: number) {
    this.axis = axis;
    this.counts = new Float64Array(extent);
  }

  observe(data: Float32Array, dims: readonly number[]): void {
    const inner = elementCount(dims.slice(this.axis + 1));
    const extent = dims[this.axis];
    for (let at = 0; at < data.length; at++) if (data[at] !== 0) this.counts[Math.floor(at / inner) % extent]++;
  }
}

/** How often a unit's activations are not zero (Hu et al. 2016, "Network trimming"): behind Relu or Clip where there is one. */
async function apoz({ graph, groups, samples, context }: Measurement): Promise<UnitScores> {
  const { data, evaluate, signal } = context;
  const uses = usesOf(graph);
  const requests = new Map<string, ActiveCount[]>();
  const chosen = groups.map(({ units }) => {
    const activations = units[0].members.flatMap(({ value }, index) => {
      return hasTrait(uses.producer(value), 'rectifies') ? [index] : [];
    });
    return activations.map((index) => {
      const { value, axis } = units[0].members[index];
      const extent = graph.values.get(value)!.shape![axis] as number;
      const counter = new ActiveCount(axis, extent);
      requests.set(value, [...(requests.get(value) ?? []), counter]);
      return { index, counter };
    });
  });
  if (requests.size > 0)
    await collect(graph, first(data.calibration, samples), requests, { evaluate, ...(signal && { signal }) });
  return groups.map(({ units }, group) => {
    if (chosen[group].length === 0) return undefined;
    const scores = chosen[group].map(({ index, counter }) =>
      Float64Array.from(units, ({ members }) =>
        members[index].indices.reduce((sum, position) => sum + counter.counts[position], 0),
      ),
    );
    return sumOf(scores.map(normalized));
  });
}

/** Scores divided by their mean; all ones when that is zero. */
function normalized(scores: Float64Array): Float64Array {
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return scores.map((score) => (mean > 0 ? score / mean : 1));
}

/** Sum over tensors: a unit that many layers hang on is worth more. */
function sumOf(lists: readonly Float64Array[]): Float64Array {
  return lists[0].map((_, unit) => lists.reduce((sum, list) => sum + list[unit], 0));
}
