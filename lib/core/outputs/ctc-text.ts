import type { CtcSpec } from '../output-spec';
import { activate } from './activation';
import { badOutput, matrixOf, numbersOfRow, type OutputArray, transposed } from './output-array';
import { indexOfLargest } from './ranking';

/** Text of one sample. */
export interface DecodedText {
  readonly kind: 'ctc';
  readonly text: string;
  /** Mean probability of its characters, each where it first shows; null for no text. */
  readonly score: number | null;
}

/**
 * Text by best-path decoding (Graves et al. 2006, section 3.2): the best class of every time step, repeats taken once, blanks
 * left out. The first of equals is best; a step of nothing but NaN is a blank.
 * @throws E_OPTION_VALUE for an output that does not fit the spec
 */
export function decodeCtcText(spec: CtcSpec, name: string, output: OutputArray): DecodedText {
  const { alphabet, blank, axes, activation } = spec;
  const classes = alphabet.length + 1;
  const matrix = matrixOf(axes === 'TNC' ? withoutSamples(output) : output);
  const steps = matrix && axes === 'NCT' ? transposed(matrix) : matrix;
  if (steps === undefined || steps.columns !== classes) {
    const shape = { NTC: `1, T, ${classes}`, TNC: `T, 1, ${classes}`, NCT: `1, ${classes}, T` }[axes];
    const expected = `an alphabet for ${axes} of [${shape}]: ${alphabet.length} characters and a blank`;
    throw badOutput('alphabet', expected, name, output.dims);
  }
  if (blank >= classes) throw badOutput('blank', `a class from 0 to ${classes - 1}`, name, output.dims);
  let text = '';
  let [sum, count, before] = [0, 0, blank];
  for (let step = 0; step < steps.rows; step++) {
    const scores = activate(activation, numbersOfRow(steps, step, 0, classes));
    const best = indexOfLargest(scores) ?? blank;
    if (best !== blank && best !== before) {
      text += alphabet[best < blank ? best : best - 1];
      sum += scores[best];
      count++;
    }
    before = best;
  }
  return { kind: 'ctc', text, score: count === 0 ? null : sum / count };
}

/** `[T, 1, C]` as `[T, C]`. */
function withoutSamples({ dims, data }: OutputArray): OutputArray {
  return dims.length === 3 && dims[1] === 1
    ? { dims: [dims[0], dims[2]], data }
    : { dims: dims.length === 2 ? dims : [], data };
}
