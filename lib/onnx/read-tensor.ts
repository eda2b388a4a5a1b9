import { byteLength, type ElementType, typeOfCode } from '../ir/element-type';
import { packStrings } from '../ir/strings';
import { elementCount, type Tensor } from '../ir/tensor';
import { formatError, guard, type ReadContext, unsupported } from './context';
import { externalTensor } from './external-data';
import { EXTERNAL_LOCATION, type Message } from './message-schema';
import { decodeMessage, decodeVarints } from './wire';

/**
 * The tensor of a file that holds one ONNX tensor (as the conformance tests store inputs and outputs).
 * `bytes` of the tensor views `file`.
 * @throws E_ONNX_FORMAT, E_ONNX_UNSUPPORTED
 */
export function parseTensor(file: Uint8Array, path = 'tensor'): { readonly name: string; readonly tensor: Tensor } {
  const context: ReadContext = { path, external: undefined };
  const plain = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const message = guard(context, () => decodeMessage('Tensor', plain));
  return { name: message.name ?? '', tensor: readTensor(message, context) };
}

/**
 * Tensor of a message; `raw` data and packed floats are viewed, other typed fields are converted.
 * @throws E_ONNX_FORMAT, E_ONNX_UNSUPPORTED, E_ONNX_EXTERNAL
 */
export function readTensor(message: Message<'Tensor'>, context: ReadContext): Tensor {
  const name = message.name || 'without name';
  const type = typeOfCode(message.type);
  if (type === undefined) throw unsupported(context, `tensor '${name}' of element type number ${message.type ?? 0}`);
  if (message.segment !== undefined) throw unsupported(context, `tensor '${name}' stored in segments`);
  const { dims } = message;
  const count = elementCount(dims);
  if (!dims.every((dim) => dim >= 0) || !Number.isSafeInteger(count * 8))
    throw formatError(context, `tensor '${name}' has the impossible shape [${dims.join(', ')}]`);

  if (message.location === EXTERNAL_LOCATION) {
    if (type === 'string') throw unsupported(context, `external strings (tensor '${name}')`);
    const entries = new Map(message.external.map((entry) => [entry.key ?? '', entry.value ?? '']));
    return externalTensor(name, type, dims, entries, context.external);
  }
  if (type === 'string') {
    if (message.strings.length !== count)
      throw formatError(context, `tensor '${name}' holds ${message.strings.length} strings, its shape ${count}`);
    return { type, dims, bytes: packStrings(message.strings) };
  }
  const bytes = message.raw?.length ? message.raw : guard(context, () => typedBytes(message, type));
  const expected = byteLength(type, count);
  if (bytes.length !== expected)
    throw formatError(
      context,
      `tensor '${name}' needs ${expected} bytes for ${type} [${dims.join(', ')}], found ${bytes.length}`,
    );
  return { type, dims, bytes };
}

/** Element bytes from the typed field that ONNX prescribes for this element type. */
function typedBytes(message: Message<'Tensor'>, type: ElementType): Uint8Array {
  switch (type) {
    case 'float32':
      return join(message.floats);
    case 'float64':
      return join(message.doubles);
    case 'int64':
      return bytesOf(decodeVarints(message.int64s));
    case 'uint64':
      return bytesOf(decodeVarints(message.uint64s));
    case 'uint32':
      return narrow(decodeVarints(message.uint64s), 4);
    case 'int32':
      return narrow(decodeVarints(message.int32s), 4);
    case 'int16':
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return narrow(decodeVarints(message.int32s), 2);
    default:
      // 8-bit types, and two packed 4-bit elements per entry.
      return narrow(decodeVarints(message.int32s), 1);
  }
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

/** The low `width` bytes of each 64-bit number. */
function narrow(values: BigInt64Array, width: 1 | 2 | 4): Uint8Array {
  const words = new Int32Array(values.buffer);
  const target = new { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[width](values.length);
  for (let index = 0; index < target.length; index++) target[index] = words[2 * index];
  return bytesOf(target);
}
