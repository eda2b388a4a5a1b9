import { unpackStrings } from '../ir/strings';
import { type Tensor, toNumbers } from '../ir/tensor';

/** An output as `--json` prints it. */
export interface OutputValue {
  readonly type: Tensor['type'];
  readonly shape: readonly number[];
  readonly data: readonly number[] | readonly string[];
}

/** Outputs with their elements as numbers or texts, by name. */
export function outputValues(outputs: ReadonlyMap<string, Tensor>): Map<string, OutputValue> {
  return new Map(
    [...outputs].map(([name, tensor]) => {
      const { type, dims: shape } = tensor;
      return [name, { type, shape, data: type === 'string' ? unpackStrings(tensor) : toNumbers(tensor) }];
    }),
  );
}
