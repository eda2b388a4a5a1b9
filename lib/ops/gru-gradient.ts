import type { Diagnostic } from '../core/diagnostic';
import { attribute } from '../ir/attribute';
import { dimsOf, floats, int64s } from './gradients';
import type { GradientContext } from './operator';
import {
  joinTimes,
  recurrentGradient,
  type Sweep,
  type SweepGradients,
  sliceColumns,
  splitTimes,
  sumOfKnown,
} from './recurrent-gradient';

/** Activations of gates and candidate unless a node names others. */
export const GRU_ACTIVATIONS = ['Sigmoid', 'Tanh'] as const;

/** Gradients of GRU to X, W, R, B and the initial state. */
export function gruGradient(context: GradientContext): (string | undefined)[] | Diagnostic {
  const linear = attribute(context.node, 'linear_before_reset', 'int', 0) !== 0;
  return recurrentGradient(context, {
    activations: GRU_ACTIVATIONS,
    states: [5],
    sweep: (sweep) => sweepBack(sweep, linear),
  });
}

/**
 * One direction. With update z, reset s, candidate g and state h before: `h' = (1 - z) * g + z * h`. Everything but the
 * chain of `dh` is known for all times at once. `linear` (linear_before_reset): g sees `s * (h * Rg' + b)`, else
 * `(s * h) * Rg' + b`.
 */
function sweepBack(parts: Sweep, linear: boolean): SweepGradients {
  const { emit, hidden, order, fromInput, before, r, recurrentBias, initial, dOutput, dFinal } = parts;
  const steps = order.length;
  const f = (op: string, ...inputs: string[]) => emit.node(op, inputs);
  const rows = (value: string, from: number, to: number) =>
    emit.node('Slice', [value, int64s(emit, [from * hidden]), int64s(emit, [to * hidden]), int64s(emit, [0])]);
  const columns = (value: string, from: number, to: number) => sliceColumns(emit, value, [from * hidden, to * hidden]);
  const biasOf = (from: number, to: number) => (recurrentBias ? [columns(recurrentBias, from, to)] : []);
  const product = (state: string, from: number, to: number) =>
    emit.node('Gemm', [state, rows(r, from, to), ...biasOf(from, to)], { transB: 1 });
  const one = floats(emit, [1]);
  const slope = (gate: string) => f('Mul', gate, f('Sub', one, gate));

  const gates = f('Sigmoid', f('Add', columns(fromInput, 0, 2), product(before, 0, 2)));
  const [z, s] = [columns(gates, 0, 1), columns(gates, 1, 2)];
  const scaled = f('Mul', s, before);
  const recurrent = product(linear ? before : scaled, 2, 3);
  const g = f('Tanh', f('Add', columns(fromInput, 2, 3), linear ? f('Mul', s, recurrent) : recurrent));
  const times = (value: string) => splitTimes(emit, value, steps);
  const updates = times(z);
  const resets = times(s);
  const toUpdate = times(f('Mul', f('Sub', before, g), slope(z)));
  const toCandidate = times(f('Mul', f('Sub', one, z), f('Sub', one, f('Mul', g, g))));
  const toReset = times(f('Mul', linear ? recurrent : before, slope(s)));
  const [gateWeights, candidateWeights] = [rows(r, 0, 2), rows(r, 2, 3)];

  const dInput: string[] = [];
  const dRecurrent: string[] = [];
  let dh: string | undefined = dFinal[0];
  for (const t of order.toReversed()) {
    const dOut: string = sumOfKnown(emit, [dOutput[t], dh]) ?? zeros();
    const dUpdate = f('Mul', dOut, toUpdate[t]);
    const dCandidate = f('Mul', dOut, toCandidate[t]);
    const kept = f('Mul', dOut, updates[t]);
    const join = (...values: string[]) => emit.node('Concat', values, { axis: 1 });
    if (linear) {
      const dReset = f('Mul', dCandidate, toReset[t]);
      dInput[t] = join(dUpdate, dReset, dCandidate);
      dRecurrent[t] = join(dUpdate, dReset, f('Mul', dCandidate, resets[t]));
      dh = emit.node('Gemm', [dRecurrent[t], r, kept]);
    } else {
      const dScaled = emit.node('Gemm', [dCandidate, candidateWeights]);
      const dReset = f('Mul', dScaled, toReset[t]);
      dInput[t] = join(dUpdate, dReset, dCandidate);
      dh = emit.node('Gemm', [join(dUpdate, dReset), gateWeights, f('Add', kept, f('Mul', dScaled, resets[t]))]);
    }
  }
  const all = joinTimes(emit, dInput);
  const allRecurrent = linear ? joinTimes(emit, dRecurrent) : all;
  const dR = () => {
    const against = (value: string, state: string) => emit.node('Gemm', [value, state], { transA: 1 });
    if (linear) return against(allRecurrent, before);
    const both = [against(columns(all, 0, 2), before), against(columns(all, 2, 3), scaled)];
    return emit.node('Concat', both, { axis: 0 });
  };
  return { dInput: all, dRecurrent: allRecurrent, dR, dInitial: [dh!] };

  function zeros(): string {
    return emit.node('Expand', [floats(emit, [0], [1, 1]), int64s(emit, dimsOf(emit, initial[0]))]);
  }
}
