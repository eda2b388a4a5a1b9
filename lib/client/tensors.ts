import { HoneError } from '../core/error';
import type { ResponseTensor } from '../protocol/read-infer-response';
import { elementsIn, isDatatype, type TensorData } from '../protocol/tensor';
import { writeInferRequest } from '../protocol/write-infer-request';
import type { WrittenBody } from '../protocol/written-body';

/** A tensor as model metadata describes it. */
export interface TensorMetadata {
  readonly name: string;
  /** A datatype of the protocol. */
  readonly datatype: string;
  /** A leading -1 stands for any number of rows. */
  readonly shape: readonly number[];
}

/** Elements of every input by name, in row-major order of the model's shape. */
export type Inputs = Readonly<Record<string, TensorData>>;
/** Elements of every output by name. */
export type Outputs = Readonly<Record<string, TensorData>>;

/**
 * Body of an inference request with binary tensors that asks for such.
 * @throws E_INPUT_NAME, E_INPUT_LENGTH, E_RESPONSE_FORMAT for metadata with a datatype that no array has
 */
export function inferBody(specs: readonly TensorMetadata[], inputs: Inputs): WrittenBody {
  const tensors = Object.entries(inputs).map(([name, data]) => {
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined)
      throw new HoneError('E_INPUT_NAME', { name, expected: specs.map((known) => known.name).join(', ') });
    const { datatype } = spec;
    if (!isDatatype(datatype))
      throw new HoneError('E_RESPONSE_FORMAT', { reason: `the datatype of input ${name} is ${datatype}` });
    return { name, datatype, shape: shapeFor(spec, data), data };
  });
  return writeInferRequest(tensors);
}

/** The shape with as many rows as there are elements for. */
function shapeFor({ name, shape }: TensorMetadata, { length }: TensorData): readonly number[] {
  if (shape[0] !== -1) return shape;
  const [, ...row] = shape;
  const rows = length / elementsIn(row);
  if (!Number.isInteger(rows))
    throw new HoneError('E_INPUT_LENGTH', { name, expected: `a multiple of ${elementsIn(row)}`, found: length });
  return [rows, ...row];
}

/** Elements of outputs by name. @throws E_RESPONSE_FORMAT for texts */
export function outputsByName(outputs: readonly ResponseTensor[]): Outputs {
  return Object.fromEntries(
    outputs.map(({ name, datatype, data }) => {
      if (datatype === 'BYTES')
        throw new HoneError('E_RESPONSE_FORMAT', { reason: `output ${name} has texts; numbers were asked for` });
      return [name, data];
    }),
  );
}
