import { float } from '../../ops/op-case';
import type { Maker, Value } from '../maker';
import { type Draw, type Draws, eachOf } from './draw';

/** Matrices of gates per cell. */
const GATES: Readonly<Record<string, number>> = { LSTM: 4, GRU: 3, RNN: 1 };

const cell: Draw = (m, op) => {
  const x = m.want({ within: [-100, 100], ranks: [3, 3], fits: (dims) => dims[0] <= 12 && dims[2] <= 20 });
  const [steps, batch, inputs] = x.dims;
  const hidden_size = m.integer(1, 9);
  const direction = m.pick(['forward', 'reverse', 'bidirectional']);
  const count = direction === 'bidirectional' ? 2 : 1;
  const constant = (dims: readonly number[]): Value => m.fresh('float32', dims, [-1, 1], true);
  const state = (): Value | undefined =>
    m.chance(0.4) ? m.want({ within: [-3, 3] }, [count, batch, hidden_size]) : undefined;
  const operands: (Value | undefined)[] = [
    x,
    constant([count, GATES[op] * hidden_size, inputs]),
    constant([count, GATES[op] * hidden_size, hidden_size]),
    m.chance(0.7) ? constant([count, 2 * GATES[op] * hidden_size]) : undefined,
    m.chance(0.3) ? lengths(m, batch, steps) : undefined,
    state(),
  ];
  if (op === 'LSTM') operands.push(state(), m.chance(0.3) ? constant([count, 3 * hidden_size]) : undefined);
  while (operands.at(-1) === undefined) operands.pop();
  const attributes = {
    hidden_size,
    ...(direction === 'forward' && m.chance(0.5) ? {} : { direction }),
    ...(m.chance(0.2) ? { clip: float(0.75) } : {}),
    ...(op === 'GRU' && m.chance(0.5) ? { linear_before_reset: m.integer(0, 1) } : {}),
    ...(op === 'LSTM' && m.chance(0.15) ? { input_forget: 1 } : {}),
  };
  return m.nodes(op, operands, attributes, op === 'LSTM' ? 3 : 2);
};

/** Lengths: those of whole sequences nearly always, which is what the engine has. */
const lengths = (m: Maker, batch: number, steps: number): Value =>
  m.fresh('int32', [batch], [m.chance(0.95) ? steps : 1, steps], m.isBody || m.chance(0.98));

export const RECURRENT: Draws = eachOf(Object.keys(GATES), cell);
