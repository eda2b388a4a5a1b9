import type { Diagnostic } from '../core/diagnostic';
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

/** Activations of gates, cell and output unless a node names others. */
export const LSTM_ACTIVATIONS = ['Sigmoid', 'Tanh', 'Tanh'] as const;

/** Gradients of LSTM to X, W, R, B and the initial states. */
export function lstmGradient(context: GradientContext): (string | undefined)[] | Diagnostic {
  return recurrentGradient(context, { activations: LSTM_ACTIVATIONS, states: [5, 6], sweep });
}

/**
 * One direction. With gates i, o, f, candidate g, cell c and `e = tanh(c)`, going back: `dc += dh * o * (1 - e^2)`; the
 * gradients before the activations are `[dc, dh, dc, dc]` times factors that are known for all times at once.
 */
function sweep({ emit, hidden, order, fromInput, before, r, recurrentBias, initial, dOutput, dFinal }: Sweep) {
  const steps = order.length;
  const f = (op: string, ...inputs: string[]) => emit.node(op, inputs);
  const one = floats(emit, [1]);
  const products = emit.node('Gemm', [before, r, ...(recurrentBias ? [recurrentBias] : [])], { transB: 1 });
  const sums = f('Add', fromInput, products);
  const [i, o, forget] = [0, 1, 2].map((gate) =>
    f('Sigmoid', sliceColumns(emit, sums, [gate * hidden, (gate + 1) * hidden])),
  );
  const g = f('Tanh', sliceColumns(emit, sums, [3 * hidden, 4 * hidden]));

  const [forgets, news] = [forget, f('Mul', i, g)].map((value) => splitTimes(emit, value, steps));
  const cells: string[] = [];
  const cellsBefore: string[] = [];
  let cell = initial[1];
  for (const t of order) {
    cellsBefore[t] = cell;
    cell = f('Add', f('Mul', forgets[t], cell), news[t]);
    cells[t] = cell;
  }
  const e = f('Tanh', joinTimes(emit, cells));
  const sigmoidSlope = (gate: string) => f('Mul', gate, f('Sub', one, gate));
  const tanhSlope = (value: string) => f('Sub', one, f('Mul', value, value));
  const factors = splitTimes(
    emit,
    emit.node(
      'Concat',
      [
        f('Mul', g, sigmoidSlope(i)),
        f('Mul', e, sigmoidSlope(o)),
        f('Mul', joinTimes(emit, cellsBefore), sigmoidSlope(forget)),
        f('Mul', i, tanhSlope(g)),
      ],
      { axis: 1 },
    ),
    steps,
  );
  const outputFactors = splitTimes(emit, f('Mul', o, tanhSlope(e)), steps);

  const gates: string[] = [];
  let [dh, dc] = dFinal;
  for (const t of order.toReversed()) {
    const slope = sumOfKnown(emit, [dOutput[t], dh]);
    const throughOutput = slope && f('Mul', slope, outputFactors[t]);
    const dCell = sumOfKnown(emit, [dc, throughOutput]) ?? zeros();
    gates[t] = f('Mul', emit.node('Concat', [dCell, slope ?? zeros(), dCell, dCell], { axis: 1 }), factors[t]);
    dh = emit.node('Gemm', [gates[t], r]);
    dc = f('Mul', dCell, forgets[t]);
  }
  const all = joinTimes(emit, gates);
  return {
    dInput: all,
    dRecurrent: all,
    dR: () => emit.node('Gemm', [all, before], { transA: 1 }),
    dInitial: [dh!, dc!],
  } satisfies SweepGradients;

  function zeros(): string {
    return emit.node('Expand', [floats(emit, [0], [1, 1]), int64s(emit, dimsOf(emit, initial[0]))]);
  }
}
