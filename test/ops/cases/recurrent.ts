import type { Attribute } from '../../../lib/ir/graph';
import { tensorFrom } from '../../../lib/ir/tensor';
import { float, integers, type OpCase, uniform } from '../op-case';

const [STEPS, BATCH, INPUTS, HIDDEN] = [5, 3, 4, 6];

function lstm(
  title: string,
  directions: number,
  attributes: OpCase['attributes'],
  more: OpCase['inputs'] = [],
): OpCase {
  return {
    op: 'LSTM',
    title,
    outputs: 3,
    attributes: { hidden_size: HIDDEN, ...attributes },
    inputs: [
      uniform([STEPS, BATCH, INPUTS]),
      uniform([directions, 4 * HIDDEN, INPUTS], 2),
      uniform([directions, 4 * HIDDEN, HIDDEN], 3),
      uniform([directions, 8 * HIDDEN], 4),
      ...more,
    ],
  };
}

const constants = (values: readonly number[]) => tensorFrom('int32', [values.length], values);
const states = (directions: number) => [
  uniform([directions, BATCH, HIDDEN], 5),
  uniform([directions, BATCH, HIDDEN], 6),
];

function gru(title: string, directions: number, attributes: OpCase['attributes'], more: OpCase['inputs'] = []): OpCase {
  return {
    op: 'GRU',
    title,
    outputs: 2,
    attributes: { hidden_size: HIDDEN, ...attributes },
    inputs: [
      uniform([STEPS, BATCH, INPUTS]),
      uniform([directions, 3 * HIDDEN, INPUTS], 2),
      uniform([directions, 3 * HIDDEN, HIDDEN], 3),
      uniform([directions, 6 * HIDDEN], 4),
      ...more,
    ],
  };
}

/** One gate for each unit. */
function rnn(title: string, directions: number, attributes: OpCase['attributes'], more: OpCase['inputs'] = []): OpCase {
  return {
    op: 'RNN',
    title,
    outputs: 2,
    attributes: { hidden_size: HIDDEN, ...attributes },
    inputs: [
      uniform([STEPS, BATCH, INPUTS]),
      uniform([directions, HIDDEN, INPUTS], 2),
      uniform([directions, HIDDEN, HIDDEN], 3),
      uniform([directions, 2 * HIDDEN], 4),
      ...more,
    ],
  };
}

const strings = (...value: string[]): Attribute => ({ kind: 'strings', value });
const numbers = (...value: number[]): Attribute => ({ kind: 'floats', value });

/** RNN, LSTM and GRU in every direction. */
export const RECURRENT: readonly OpCase[] = [
  lstm('forward', 1, {}),
  lstm('reverse with states', 1, { direction: 'reverse' }, [undefined, ...states(1)]),
  lstm('bidirectional with peepholes', 2, { direction: 'bidirectional' }, [
    undefined,
    ...states(2),
    uniform([2, 3 * HIDDEN], 7),
  ]),
  lstm('sequence lengths', 2, { direction: 'bidirectional' }, [integers('int32', [BATCH], 2, STEPS), ...states(2)]),
  lstm('clip', 1, { clip: float(0.5) }),
  lstm('coupled gates', 1, { input_forget: 1 }),
  lstm('other activations', 1, { activations: strings('HardSigmoid', 'Softsign', 'Relu') }),
  lstm('activations with factors, others backwards', 2, {
    direction: 'bidirectional',
    activations: strings('HardSigmoid', 'LeakyRelu', 'Elu', 'Sigmoid', 'Softplus', 'Tanh'),
    activation_alpha: numbers(0.3, 0.05, 0.5),
    activation_beta: numbers(0.4),
  }),
  lstm('full lengths', 1, {}, [constants([STEPS, STEPS, STEPS])]),
  lstm('coupled gates with peepholes and clip', 1, { input_forget: 1, clip: float(0.7) }, [
    undefined,
    ...states(1),
    uniform([1, 3 * HIDDEN], 7),
  ]),
  {
    ...lstm('one step without bias', 1, {}),
    inputs: [uniform([1, 2, 9]), uniform([1, 4 * 21, 9], 2), uniform([1, 4 * 21, 21], 3)],
    attributes: { hidden_size: 21 },
  },
  ...[0, 1].flatMap((linear_before_reset) => {
    const form = `linear_before_reset ${linear_before_reset}`;
    return [
      gru(`forward, ${form}`, 1, { linear_before_reset }),
      gru(`reverse with state, ${form}`, 1, { linear_before_reset, direction: 'reverse' }, [
        undefined,
        uniform([1, BATCH, HIDDEN], 5),
      ]),
      gru(`bidirectional with lengths, ${form}`, 2, { linear_before_reset, direction: 'bidirectional' }, [
        integers('int32', [BATCH], 2, STEPS),
        uniform([2, BATCH, HIDDEN], 5),
      ]),
      gru(`clip, ${form}`, 1, { linear_before_reset, clip: float(0.5) }),
    ];
  }),
  gru('other activations', 1, { activations: strings('HardSigmoid', 'Softsign') }),
  {
    ...gru('no bias', 1, { linear_before_reset: 1 }),
    inputs: [uniform([3, 1, 4]), uniform([1, 3 * HIDDEN, 4], 2), uniform([1, 3 * HIDDEN, HIDDEN], 3)],
  },
  rnn('forward', 1, {}),
  rnn('reverse with state', 1, { direction: 'reverse' }, [undefined, uniform([1, BATCH, HIDDEN], 5)]),
  rnn('bidirectional with clip', 2, { direction: 'bidirectional', clip: float(0.5) }),
  rnn('lengths', 1, {}, [integers('int32', [BATCH], 2, STEPS)]),
  rnn('scaled tanh', 1, {
    activations: strings('ScaledTanh'),
    activation_alpha: numbers(0.7),
    activation_beta: numbers(1.5),
  }),
  rnn('affine', 1, { activations: strings('Affine'), activation_alpha: numbers(0.4), activation_beta: numbers(0.1) }),
  rnn('thresholded', 1, { activations: strings('ThresholdedRelu'), activation_alpha: numbers(0.2) }),
];
