import { DATATYPES, type Datatype } from '../core/datatype';
import { HoneError } from '../core/error';

/** A tensor as model metadata describes it. */
export interface TensorMetadata {
  readonly name: string;
  /** A word of DATATYPES. */
  readonly datatype: string;
  readonly shape: readonly number[];
}

type TensorArray = Float32Array | Uint16Array | BigInt64Array | Int32Array | Int8Array | Uint8Array;
/** Elements of every input by name, in row-major order of the model's shape. */
export type Inputs = Readonly<Record<string, TensorArray>>;
/** Elements of every output by name. */
export type Outputs = Readonly<Record<string, TensorArray>>;

/** Body of an inference request with binary tensors, and the length of its JSON header. @throws E_INPUT_NAME */
export function inferBody(
  specs: readonly TensorMetadata[],
  inputs: Inputs,
): { body: Uint8Array<ArrayBuffer>; headerLength: number } {
  const entries = Object.entries(inputs);
  const tensors = entries.map(([name, data]) => {
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined)
      throw new HoneError('E_INPUT_NAME', { name, expected: specs.map((known) => known.name).join(', ') });
    const { datatype, shape } = spec;
    return { name, datatype, shape, parameters: { binary_data_size: data.byteLength } };
  });
  const header = Buffer.from(JSON.stringify({ inputs: tensors, parameters: { binary_data_output: true } }));
  const blobs = entries.map(([, data]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return { body: Buffer.concat([header, ...blobs]), headerLength: header.length };
}

/** Outputs in the body of a binary answer whose JSON header takes `headerLength` bytes; copies. @throws E_INTERNAL */
export function readOutputs(body: Uint8Array, headerLength: number): Outputs {
  const header = Buffer.from(body.subarray(0, headerLength)).toString('utf8');
  const { outputs } = JSON.parse(header) as {
    outputs: { name: string; datatype: string; parameters: { binary_data_size: number } }[];
  };
  let position = headerLength;
  return Object.fromEntries(
    outputs.map(({ name, datatype, parameters }) => {
      // Not `slice`: that of a Buffer does not copy, and the copy puts the elements at an aligned place.
      const bytes = Uint8Array.from(body.subarray(position, position + parameters.binary_data_size));
      position += parameters.binary_data_size;
      return [name, typed(datatype, bytes)];
    }),
  );
}

function typed(datatype: string, bytes: Uint8Array): TensorArray {
  if (datatype in DATATYPES) return new DATATYPES[datatype as Datatype](bytes.buffer as ArrayBuffer);
  throw new HoneError('E_INTERNAL', { message: `the agent sent elements of type ${datatype}` });
}
