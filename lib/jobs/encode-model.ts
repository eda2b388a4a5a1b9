import type { Graph } from '../ir/graph';
import { writeModel } from '../onnx/write-model';
import { narrowPorts } from '../passes/narrow-ports';
import type { ModelArtifact } from './artifact';

/** The ONNX file of a graph that was made of `model`: who fed that can feed this, float16 included. */
export function encodeModel(graph: Graph, { float16Ports }: Pick<ModelArtifact, 'float16Ports'>): Uint8Array {
  return writeModel(narrowPorts(graph, float16Ports));
}
