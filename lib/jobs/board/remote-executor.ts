import type { AgentClient } from '../../client/client';
import type { Inputs } from '../../client/tensors';
import { DATATYPES, type Datatype } from '../../core/datatype';
import { HoneError } from '../../core/error';
import { fromFloat16, toFloat16 } from '../../data/convert';
import type { ElementType } from '../../ir/element-type';
import type { ValueType } from '../../ir/graph';
import type { Tensor } from '../../ir/tensor';
import { isDatatype, type TensorData } from '../../protocol/tensor';
import type { Artifact } from '../artifact';
import type { Executor } from '../executor';

/** Element types of datatypes. */
const TYPES: Readonly<Record<Datatype, ElementType>> = {
  FP32: 'float32',
  FP16: 'float16',
  INT64: 'int64',
  INT32: 'int32',
  INT8: 'int8',
  UINT8: 'uint8',
  BOOL: 'bool',
};

/** A model that runs elsewhere: each run is a request. `artifact` is the same model here, of which its data are prepared. */
export async function openRemoteExecutor(client: AgentClient, model: string, artifact: Artifact): Promise<Executor> {
  if (artifact.kind === 'plan' && artifact.description.variants.some(({ states }) => states.length > 0))
    throw new HoneError('E_OPTION_VALUE', {
      option: '--board',
      expected: 'a model whose states are inputs and outputs',
      found: 'a plan that keeps states, which all clients of a board would share',
    });
  const { inputs, outputs } = await client.metadata(model);
  const ports = new Map(
    [...inputs, ...outputs].map(({ name, datatype, shape }) => [name, { type: typeOf(name, datatype), shape }]),
  );
  const convert = (feeds: ReadonlyMap<string, Tensor>) =>
    new Map(
      [...feeds].map(([name, tensor]) => [
        name,
        ports.get(name)?.type === 'float16' && tensor.type === 'float32' ? toFloat16(tensor, name) : tensor,
      ]),
    );
  return {
    name: 'native',
    inputs: new Map(inputs.map(({ name }) => [name, shownType(ports.get(name)!)])),
    outputs: outputs.map(({ name }) => name),
    indexLimits: new Map(),
    convert,
    async run(feeds) {
      const sent = [...convert(feeds)].map(([name, tensor]) => [
        name,
        elementsOf(tensor, inputs.find((port) => port.name === name)?.datatype),
      ]);
      const found = await client.infer(model, Object.fromEntries(sent) as Inputs);
      return new Map(
        outputs.map(({ name }) => {
          const { type, shape } = ports.get(name)!;
          return [name, tensorOf(type, shape, found[name], name)];
        }),
      );
    },
    reset: () => {},
    close: async () => client.close(),
  };
}

function typeOf(name: string, datatype: string): ElementType {
  if (isDatatype(datatype)) return TYPES[datatype];
  throw new HoneError('E_RESPONSE_FORMAT', { reason: `the datatype of ${name} is ${datatype}` });
}

/** Float16 ports take and give float32 here, as other executors do. */
function shownType({ type, shape }: { readonly type: ElementType; readonly shape: readonly number[] }): ValueType {
  return { type: type === 'float16' ? 'float32' : type, shape: shape.map((extent) => (extent === -1 ? 1 : extent)) };
}

function elementsOf({ bytes }: Tensor, datatype: string | undefined): TensorData {
  const View = DATATYPES[datatype as Datatype] ?? Uint8Array;
  // Tensors lie anywhere in their memory; views need their alignment.
  const own = bytes.byteOffset % View.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new View(own.buffer as ArrayBuffer, own.byteOffset, own.byteLength / View.BYTES_PER_ELEMENT);
}

/** The tensor of an output; the extent that only a run decides follows from the number of elements. */
function tensorOf(type: ElementType, shape: readonly number[], data: TensorData | undefined, name: string): Tensor {
  if (data === undefined) throw new HoneError('E_RESPONSE_FORMAT', { reason: `output ${name} is missing` });
  const known = shape.reduce((product, extent) => (extent === -1 ? product : product * extent), 1);
  const dims = shape.map((extent) => (extent === -1 ? data.length / known : extent));
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return type === 'float16' ? fromFloat16({ type, dims, bytes }) : { type, dims, bytes };
}
