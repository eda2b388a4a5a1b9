import type { OnnxValue, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { HoneError } from '../core/error';
import type { ElementType } from '../ir/element-type';
import { packStrings, unpackStrings } from '../ir/strings';
import { type Tensor, type ViewType, viewAs } from '../ir/tensor';
import { loadRuntime } from './runtime';

/** Element types that onnxruntime-node exchanges as typed arrays under our names. */
const VIEWED: ReadonlySet<ElementType> = new Set<ViewType>([
  'float32',
  'float64',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
]);

/**
 * Tensor for input `name` of onnxruntime; shares the bytes where alignment allows.
 * @throws E_INPUT_TYPE for element types that its JavaScript face does not take (bfloat16)
 */
export function toRuntimeTensor(name: string, tensor: Tensor): RuntimeTensor {
  const { Tensor: Runtime } = loadRuntime();
  const { type, dims } = tensor;
  if (type === 'string') return new Runtime('string', unpackStrings(tensor), dims);
  if (type === 'float16') return new Runtime('float16', viewAs({ ...tensor, type: 'uint16' }, 'uint16'), dims);
  if (type === 'int4' || type === 'uint4')
    return new Runtime(type, viewAs({ ...tensor, type: 'uint8' }, 'uint8'), dims);
  if (!VIEWED.has(type)) throw new HoneError('E_INPUT_TYPE', { name, expected: [...VIEWED].join(', '), found: type });
  // The map of classes by type is the same on both sides; TypeScript cannot see the pairing.
  const data = viewAs(tensor, type as ViewType);
  return new Runtime(type as 'float32', data as Float32Array, dims);
}

/**
 * A result of onnxruntime as our tensor, over memory that the result owns.
 * @throws E_REFERENCE_RUN for results that are not dense tensors
 */
export function fromRuntimeTensor(name: string, value: OnnxValue): Tensor {
  const { data, dims } = value as RuntimeTensor;
  const type = (value as RuntimeTensor).type as ElementType;
  if (Array.isArray(data)) return { type: 'string', dims, bytes: packStrings(data) };
  if (!ArrayBuffer.isView(data))
    throw new HoneError('E_REFERENCE_RUN', { reason: `output '${name}' is not a dense tensor` });
  return { type, dims, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}
