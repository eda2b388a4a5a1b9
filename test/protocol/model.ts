import type { Datatype } from '../../lib/core/datatype';
import type { ModelPorts } from '../../lib/protocol/infer-request';
import type { TensorData, TensorSpec } from '../../lib/protocol/tensor';

export const spec = (name: string, datatype: Datatype, shape: readonly number[]): TensorSpec => ({
  name,
  datatype,
  shape,
});

/** A model that takes and gives one tensor `x` of a datatype and shape. */
export function modelOf(datatype: Datatype, shape: readonly number[], batch?: number): ModelPorts {
  return { name: 'm', inputs: [spec('x', datatype, shape)], outputs: [spec('y', datatype, shape)], batch };
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** All bytes of a body. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(chunks));
}

/** Elements as plain values, -0 and NaN included. */
export function plain(data: TensorData): readonly (number | bigint)[] {
  return Array.from<number | bigint>(data);
}
