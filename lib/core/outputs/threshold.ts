import type { ThresholdSpec } from '../output-spec';
import { activate } from './activation';
import { badOutput, type OutputArray } from './output-array';

/** Whether it is on after a sample, and what the next one goes on from. */
export interface DecodedThreshold {
  readonly kind: 'threshold';
  readonly on: boolean;
  readonly score: number;
  /** Samples in a row, this one included, that spoke for a change. */
  readonly against: number;
  /** Samples in a row that it has been so, this one included. */
  readonly samples: number;
}

/**
 * On or off after one more sample: on once `minOn` scores in a row are at least `on`, off once `minOff` in a row are below `off`.
 * Before the first sample it is off. A NaN speaks for nothing.
 * @throws E_OPTION_VALUE when the output has no number at `index`
 */
export function decodeThreshold(
  spec: ThresholdSpec,
  name: string,
  { dims, data }: OutputArray,
  before?: DecodedThreshold,
): DecodedThreshold {
  const { index, activation } = spec;
  if (index >= data.length) throw badOutput('index', 'the index of a number', name, dims);
  const score = activate(activation, data)[index];
  const was = before?.on ?? false;
  const against = (was ? score < spec.off : score >= spec.on) ? (before?.against ?? 0) + 1 : 0;
  if (against >= (was ? spec.minOff : spec.minOn))
    return { kind: 'threshold', on: !was, score, against: 0, samples: 1 };
  return { kind: 'threshold', on: was, score, against, samples: (before?.samples ?? 0) + 1 };
}
