import { elementCount } from '../../ir/tensor';
import type { PlanFunction } from '../../plan/description';
import { constantExtents, floatConstant, scaledIntegers } from '../constants';
import type { FamilyOf, LayerOf, Results } from '../layer';
import type { Operand } from '../step';
import { plainView } from '../view';

/** Inputs of the ONNX operators behind X; peepholes follow the states. */
const [WEIGHTS, RECURRENT, BIAS, FIRST_STATE, SECOND_STATE, PEEPHOLES] = [1, 2, 3, 5, 6, 7];
/** Functions that a plan has for every direction. */
const FUNCTIONS = 3;

/**
 * RNN, GRU and LSTM: one product of all inputs with their weights, bias included, then the recurrence. Weights may be
 * quantized: products of dequantized ones are what the graph says.
 */
export const recurrentFamily: FamilyOf<'recurrent'> = {
  ops: ['fc_f32', 'recurrent_f32'],
  float: { fuses: false, lower },
};

function lower(layer: LayerOf<'recurrent'>): Results {
  const { node, call, program, constants } = layer;
  const [directions, columns, hidden] = constantExtents(constants, node.inputs[RECURRENT])!;
  const [outer, inner, size] = layer.inputExtents(0);
  const [steps, batch] = call.batchFirst ? [inner, outer] : [outer, inner];
  const weights = (index: number) => floatConstant(constants, node.inputs[index])!.data;
  const matrix = (index: number, dims: readonly number[]): Operand =>
    program.constant(node.inputs[index], 'float32', dims, weights(index), undefined, () =>
      scaledIntegers(constants, node.inputs[index], (data) => data),
    );
  const { input, state } = biasesOf(layer, directions, columns, hidden);

  const rows = steps * batch;
  const all = directions * columns;
  const sums = program.buffer(`${node.name}:sums`, 'float32', rows * all);
  program.emit({
    name: `${node.name}:inputs`,
    op: 'fc_f32',
    outputs: [{ buffer: sums, dims: [rows, all] }],
    inputs: [
      { buffer: program.rowMajor(layer.float(0)).buffer, dims: [rows, size] },
      matrix(WEIGHTS, [all, size]),
      program.constant(`${node.name}:bias`, 'float32', [all], input),
    ],
    params: {},
  });

  const states = [directions * batch, hidden];
  const initial = (index: number): Operand | undefined =>
    isThere(layer, index) ? { buffer: program.rowMajor(layer.float(index)).buffer, dims: states } : undefined;
  const isLstm = call.cell === 'lstm';
  const cell = isLstm && isThere(layer, PEEPHOLES) ? weights(PEEPHOLES) : state;
  const [, ...last] = node.outputs;
  const buffers = [
    program.buffer(node.outputs[0] || `${node.name}:states`, 'float32', rows * directions * hidden),
    ...last.map((name, i) => program.buffer(name || `${node.name}:last${i}`, 'float32', elementCount(states))),
  ];
  program.emit({
    name: node.name,
    op: 'recurrent_f32',
    outputs: buffers.map((buffer, i) => ({ buffer, dims: i === 0 ? [rows * directions, hidden] : states })),
    inputs: [
      { buffer: sums, dims: [rows, all] },
      matrix(RECURRENT, [directions, columns, hidden]),
      cell && program.constant(`${node.name}:cell`, 'float32', [directions, cell.length / directions], cell),
      initial(FIRST_STATE),
      isLstm ? initial(SECOND_STATE) : undefined,
    ],
    params: {
      cell: call.cell,
      direction: call.direction,
      batch,
      batchFirst: call.batchFirst,
      linearBeforeReset: call.linearBeforeReset,
      inputForget: call.inputForget,
      clip: call.clip,
      functions: planFunctions(layer, directions),
    },
  });
  const one = call.batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  const every = call.batchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden];
  return buffers.map((buffer, i) => (node.outputs[i] ? plainView(buffer, i === 0 ? every : one) : undefined));
}

/** Whether an optional input is there: exporters leave some out by tensors without elements. */
function isThere({ node, constants }: LayerOf<'recurrent'>, index: number): boolean {
  const name = node.inputs[index];
  return Boolean(name) && constantExtents(constants, name)?.includes(0) !== true;
}

/** Bias of the inputs: both halves of B, but for what the reset gate of a GRU scales, which stays with the state. */
function biasesOf(layer: LayerOf<'recurrent'>, directions: number, columns: number, hidden: number) {
  const { node, call, constants } = layer;
  const input = new Float32Array(directions * columns);
  const separate = call.cell === 'gru' && call.linearBeforeReset;
  const state = separate && isThere(layer, BIAS) ? new Float32Array(directions * hidden) : undefined;
  if (!isThere(layer, BIAS)) return { input, state };
  const bias = floatConstant(constants, node.inputs[BIAS])!.data;
  for (let d = 0; d < directions; d++)
    for (let column = 0; column < columns; column++) {
      const [own, recurrent] = [bias[2 * d * columns + column], bias[(2 * d + 1) * columns + column]];
      const stays = state !== undefined && column >= columns - hidden;
      if (stays) state[d * hidden + column - (columns - hidden)] = recurrent;
      input[d * columns + column] = stays ? own : own + recurrent;
    }
  return { input, state };
}

/** Three functions for each of two directions, as plans have them: what a cell has not repeats what it has. */
function planFunctions({ call: { functions } }: LayerOf<'recurrent'>, directions: number): PlanFunction[] {
  const each = functions.length / directions;
  return Array.from({ length: 2 * FUNCTIONS }, (_, i) => {
    const [direction, which] = [Math.floor(i / FUNCTIONS), i % FUNCTIONS];
    return functions[Math.min(direction, directions - 1) * each + Math.min(which, each - 1)];
  });
}
