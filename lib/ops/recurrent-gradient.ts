import type { Diagnostic } from '../core/diagnostic';
import { attribute } from '../ir/attribute';
import { dimsOf, floats, int64s, reshapeTo, sumOver, transposeTo } from './gradients';
import type { Emitter, GradientContext } from './operator';
import { directionsOf } from './recurrent';
import { problem } from './schema';

/** One direction of a recurrent layer in the middle of its gradient. T time steps, N samples, G gates of H units. */
export interface Sweep {
  readonly emit: Emitter;
  readonly hidden: number;
  /** Times in the order in which the cell met them. */
  readonly order: readonly number[];
  /** Input part of all gates with its bias, `[T * N, G * H]`. */
  readonly fromInput: string;
  /** Output before each time, `[T * N, H]`. */
  readonly before: string;
  /** Recurrent weights `[G * H, H]` and bias `[1, G * H]`. */
  readonly r: string;
  readonly recurrentBias: string | undefined;
  /** Initial states `[N, H]`, zeros where the node has none. */
  readonly initial: readonly string[];
  /** Gradient of the output at each time, `[N, H]`. */
  readonly dOutput: readonly (string | undefined)[];
  /** Gradient of each final state, `[N, H]`. */
  readonly dFinal: readonly (string | undefined)[];
}

/** What the cell of one direction finds. */
export interface SweepGradients {
  /** Gradient of `fromInput`. */
  readonly dInput: string;
  /** Gradient of the recurrent products with their bias, `[T * N, G * H]`. */
  readonly dRecurrent: string;
  /** Gradient of the recurrent weights `[G * H, H]`. */
  readonly dR: () => string;
  /** Gradient of each initial state. */
  readonly dInitial: readonly string[];
}

/** What sets one recurrent operator apart. */
export interface RecurrentRule {
  readonly activations: readonly string[];
  /** Places of the inputs with initial states; the first state is the output. */
  readonly states: readonly number[];
  readonly sweep: (sweep: Sweep) => SweepGradients;
}

/**
 * Gradient of a recurrent layer by backpropagation through time (Werbos 1990). The output Y holds the state before every
 * time, so all gates of all times are computed again by whole products; only the sweep back goes time by time. The graph
 * grows with T. Sequence lengths, clipping, coupled gates, peepholes and other activations are answered with a diagnostic.
 */
export function recurrentGradient(context: GradientContext, rule: RecurrentRule): (string | undefined)[] | Diagnostic {
  const { node, emit, outputGradients, wants } = context;
  const unsupported = whyNot(context, rule);
  if (unsupported !== undefined) return problem(node, 'missing-gradient', unsupported);
  const batchFirst = attribute(node, 'layout', 'int', 0) === 1;
  const timeFirst = (value: string) => (batchFirst ? transposeTo(emit, value, [1, 0, 2]) : value);
  const [, w, r, bias = ''] = node.inputs;
  const x = timeFirst(node.inputs[0]);
  const [steps, batch, inputSize] = dimsOf(emit, x);
  const [, rows, hidden] = dimsOf(emit, r);
  const rowsOfX = reshapeTo(emit, x, [steps * batch, inputSize]);
  const allTimes = (value: string) => (batchFirst ? transposeTo(emit, value, [1, 2, 0, 3]) : value);
  const given = node.outputs[0] ?? '';
  const y = allTimes(given === '' ? emit.node(node.op, node.inputs, Object.fromEntries(node.attributes)) : given);
  const [dy, ...dFinal] = outputGradients.map((gradient, index) =>
    gradient === undefined ? undefined : (index === 0 ? allTimes : timeFirst)(gradient),
  );
  const zeros = () => emit.node('Expand', [floats(emit, [0], [1, 1]), int64s(emit, [batch, hidden])]);

  const parts = directionsOf(node).map((backwards, d) => {
    const pick = (value: string, axis = 0) => pickIndex(emit, value, d, axis);
    const [inputBias, recurrentBias] =
      bias === '' ? [] : [0, 1].map((half) => sliceColumns(emit, pick(bias), [half * rows, (half + 1) * rows]));
    const weights = pick(w);
    const initial = rule.states.map((place) => {
      const start = node.inputs[place] ?? '';
      return start === '' ? zeros() : pick(timeFirst(start));
    });
    const products = ['Gemm', [rowsOfX, weights, ...(inputBias ? [inputBias] : [])], { transB: 1 }] as const;
    const found = rule.sweep({
      emit,
      hidden,
      order: Array.from({ length: steps }, (_, step) => (backwards ? steps - 1 - step : step)),
      fromInput: emit.node(...products),
      before: statesBefore(emit, reshapeTo(emit, pick(y, 1), [steps * batch, hidden]), initial[0], backwards),
      r: pick(r),
      recurrentBias,
      initial,
      dOutput: dy === undefined ? Array(steps).fill(undefined) : splitTimes(emit, flatTimes(emit, pick(dy, 1)), steps),
      dFinal: rule.states.map((_, index) => (dFinal[index] === undefined ? undefined : pick(dFinal[index]))),
    });
    return { ...found, weights };
  });

  const stack = (values: readonly string[]) => {
    const expanded = values.map((value) => reshapeTo(emit, value, [1, ...dimsOf(emit, value)]));
    return expanded.length === 1 ? expanded[0] : emit.node('Concat', expanded, { axis: 0 });
  };
  const results: (string | undefined)[] = node.inputs.map(() => undefined);
  if (wants(0)) {
    const sums = parts.map(({ dInput, weights }) => emit.node('Gemm', [dInput, weights]));
    const total = sums.length === 1 ? sums[0] : emit.node('Add', sums);
    results[0] = timeFirst(reshapeTo(emit, total, [steps, batch, inputSize]));
  }
  if (wants(1)) results[1] = stack(parts.map(({ dInput }) => emit.node('Gemm', [dInput, rowsOfX], { transA: 1 })));
  if (wants(2)) results[2] = stack(parts.map(({ dR }) => dR()));
  if (bias !== '' && wants(3))
    results[3] = stack(
      parts.map(({ dInput, dRecurrent }) => {
        const sums = [dInput, dRecurrent].map((value) => sumOver(emit, value, [0]));
        return emit.node('Concat', sums, { axis: 0 });
      }),
    );
  rule.states.forEach((place, index) => {
    if ((node.inputs[place] ?? '') !== '' && wants(place))
      results[place] = timeFirst(stack(parts.map(({ dInitial }) => dInitial[index])));
  });
  return results;
}

/** Why a node has no gradient. */
function whyNot({ node }: GradientContext, rule: RecurrentRule): string | undefined {
  const count = directionsOf(node).length;
  const usual = Array.from({ length: count }, () => rule.activations).flat();
  const names = attribute(node, 'activations', 'strings', usual);
  if ((node.inputs[4] ?? '') !== '') return 'sequence lengths have no gradient';
  if (attribute(node, 'clip', 'float', 0) > 0) return 'clip has no gradient';
  if (names.some((name, index) => name.toLowerCase() !== usual[index].toLowerCase()))
    return `only the activations ${rule.activations.join(', ')} have a gradient`;
  if (attribute(node, 'input_forget', 'int', 0) !== 0) return 'coupled gates have no gradient';
  return (node.inputs[7] ?? '') === '' ? undefined : 'peepholes have no gradient';
}

/** Columns `from` to before `to` of the last axis. */
export function sliceColumns(emit: Emitter, value: string, [from, to]: readonly [number, number]): string {
  return emit.node('Slice', [value, int64s(emit, [from]), int64s(emit, [to]), int64s(emit, [-1])]);
}

/** `[T * N, ...]` as one value per time. */
export function splitTimes(emit: Emitter, value: string, steps: number): string[] {
  return steps === 1 ? [value] : emit.nodes('Split', [value], steps, { axis: 0, num_outputs: steps });
}

/** One value per time, in order of time, as `[T * N, ...]`. */
export function joinTimes(emit: Emitter, values: readonly string[]): string {
  return values.length === 1 ? values[0] : emit.node('Concat', values, { axis: 0 });
}

/** `[a, b, ...]` as `[a * b, ...]`. */
function flatTimes(emit: Emitter, value: string): string {
  const [steps, batch, ...rest] = dimsOf(emit, value);
  return reshapeTo(emit, value, [steps * batch, ...rest]);
}

/** Index `index` of an axis, which disappears. */
function pickIndex(emit: Emitter, value: string, index: number, axis: number): string {
  const dims = dimsOf(emit, value);
  if (dims[axis] === 1) return reshapeTo(emit, value, dims.toSpliced(axis, 1));
  const one = [index, index + 1].map((bound) => int64s(emit, [bound]));
  return reshapeTo(emit, emit.node('Slice', [value, ...one, int64s(emit, [axis])]), dims.toSpliced(axis, 1));
}

/** The output one step earlier, for every time: `[T * N, H]`, the initial state where there is no earlier one. */
function statesBefore(emit: Emitter, y: string, initial: string, backwards: boolean): string {
  const [total, batch] = [dimsOf(emit, y)[0], dimsOf(emit, initial)[0]];
  if (total === batch) return initial;
  const bounds = backwards ? [batch, total] : [0, total - batch];
  const kept = emit.node('Slice', [y, ...bounds.map((bound) => int64s(emit, [bound])), int64s(emit, [0])]);
  return emit.node('Concat', backwards ? [kept, initial] : [initial, kept], { axis: 0 });
}

/** Sum of those that are there. */
export function sumOfKnown(emit: Emitter, values: readonly (string | undefined)[]): string | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length < 2 ? known[0] : emit.node('Sum', known);
}
