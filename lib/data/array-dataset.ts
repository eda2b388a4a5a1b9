import { HoneError } from '../core/error';
import type { Dataset } from '../ir/dataset';
import type { Tensor } from '../ir/tensor';
import { mismatch } from './convert';
import { datasetFromTensors } from './create-dataset';
import { type ExpectedInputs, fitArrays, labelsFrom, sampleCount } from './fit-input';

/**
 * Dataset over the arrays of a file after all checks against the model's inputs.
 * @throws E_DATA_MISMATCH, E_DATA_EMPTY
 */
export function openArrays(
  path: string,
  arrays: ReadonlyMap<string, Tensor>,
  labels: Tensor | undefined,
  expected: ExpectedInputs | undefined,
): Dataset {
  for (const [name, { dims }] of arrays)
    if (dims.length === 0) throw mismatch(`a leading sample axis in array '${name}'`, 'a single number');
  const fitted = fitArrays(arrays, expected);
  const classes = labels && labelsFrom(labels);
  if (sampleCount(fitted, classes) === 0) throw new HoneError('E_DATA_EMPTY', { path });
  const samples = new Map(
    [...fitted].map(([name, { array, dims, axis }]) => {
      const type = expected?.get(name)?.type ?? array.type;
      return [name, axis === 0 ? { type, dims } : { type, dims, axis }];
    }),
  );
  return datasetFromTensors(path, new Map([...fitted].map(([name, { array }]) => [name, array])), classes, samples);
}
