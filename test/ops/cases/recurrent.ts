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

/** LSTM and GRU in every direction. */
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
  lstm('other activations', 1, { activations: { kind: 'strings', value: ['HardSigmoid', 'Softsign', 'Relu'] } }),
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
  gru('other activations', 1, { activations: { kind: 'strings', value: ['HardSigmoid', 'Softsign'] } }),
];
