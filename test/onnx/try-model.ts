import { HoneError } from '../../lib/core/error';
import type { Graph } from '../../lib/ir/graph';
import { print } from '../../lib/ir/print';
import { verify } from '../../lib/ir/verify';
import type { ExternalData } from '../../lib/onnx/external-data';
import { readModel } from '../../lib/onnx/read-model';
import { writeModel } from '../../lib/onnx/write-model';

/** A file system with one file of 8 bytes. */
const external: ExternalData = {
  size: (location) => {
    if (location !== 'w.bin') throw new Error('no such file');
    return 8;
  },
  read: (_, offset, length) => new Uint8Array(8).subarray(offset, offset + length),
};

/**
 * Reads hostile bytes. Returns the model that they are, which must be sound, printable and byte-stable; undefined when they
 * are none.
 * @throws whatever the reader throws besides a HoneError of the expected kind: a defect
 */
export function tryModel(bytes: Uint8Array): Graph | undefined {
  let graph: Graph;
  try {
    graph = readModel(bytes, { path: 'fuzz', externalData: external });
  } catch (error) {
    if (error instanceof HoneError && /^E_(ONNX|GRAPH|MODEL)_/.test(error.code)) return undefined;
    throw error;
  }
  if (verify(graph).length > 0) throw new Error('the reader let an invalid graph pass');
  print(graph);
  try {
    const first = writeModel(graph);
    if (Buffer.compare(writeModel(readModel(first)), first) !== 0) throw new Error('not byte-stable');
  } catch (error) {
    if (!(error instanceof HoneError && /^E_(ONNX|GRAPH|MODEL)_/.test(error.code))) throw error;
  }
  return graph;
}
