import { byteLength } from '../../ir/element-type';
import type { Graph } from '../../ir/graph';
import { elementCount, type Tensor, type ViewType, viewAs } from '../../ir/tensor';

const WORDS: Readonly<Record<string, ViewType>> = { float32: 'float32', int8: 'int8', int32: 'int32', uint8: 'uint8' };

/** Bytes of all initializers without the elements that are zero: how small a network is, also where files store zeros. */
export function weightBytes(graph: Graph): number {
  let bytes = 0;
  for (const tensor of graph.initializers.values())
    bytes += byteLength(tensor.type, elementCount(tensor.dims) - zerosIn(tensor));
  return bytes;
}

/** Elements that are zero; those of types without arithmetic here count as others. */
function zerosIn(tensor: Tensor): number {
  const type = WORDS[tensor.type];
  if (type === undefined) return 0;
  let zeros = 0;
  for (const value of viewAs(tensor, type)) if (value === 0) zeros++;
  return zeros;
}
