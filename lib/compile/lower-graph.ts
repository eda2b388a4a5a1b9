import type { Graph, Node } from '../ir/graph';
import type { KernelCall } from '../ops/operator';
import { lowerConcat, lowerPad, lowerReshape, lowerSlice, lowerTranspose } from './copy-layers';
import { lowerBinary, lowerDequantize, lowerQuantize, lowerUnary, shiftTable } from './element-layers';
import { Lowering, Unsupported } from './lowering';
import { lowerFullyConnected, lowerSoftmax } from './matrix-layers';
import type { Buffer } from './step';
import { channelsLastOrder, extentsOf, layoutKey, plainView, transposeView, type View } from './view';
import { lowerAveragePool, lowerConvolution, lowerMaxPool } from './window-layers';

/** Outcome of lowering: the steps, and the memory of inputs and outputs as the user sees them. */
export interface Lowered {
  readonly state: Lowering;
  readonly inputs: ReadonlyMap<string, Buffer>;
  readonly outputs: ReadonlyMap<string, Buffer>;
}

/**
 * Turns a prepared graph (dialect, numeric shapes) into kernel calls. Nodes that the engine cannot run become diagnostics in
 * `state.diagnostics`; what they would make is assumed to be there, so that all of them are reported, not only the first.
 */
export function lowerGraph(graph: Graph): Lowered {
  const state = new Lowering(graph);
  const inputs = new Map<string, Buffer>();
  for (const name of graph.inputs)
    attempt(state, name, 'graph input', () => void inputs.set(name, state.port(name))) || state.assumeFloat(name);
  for (const node of graph.nodes) {
    if (state.isAbsorbed(node)) continue;
    if (!attempt(state, node.name, `${node.op} node`, () => lowerNode(state, node)))
      for (const output of node.outputs) state.assumeFloat(output);
  }
  const outputs = new Map<string, Buffer>();
  for (const name of graph.outputs)
    attempt(state, name, 'graph output', () => void outputs.set(name, lowerOutput(state, name)));
  return { state, inputs, outputs };
}

/** Runs one lowering; what the engine lacks becomes a diagnostic. */
function attempt(state: Lowering, where: string, what: string, lower: () => void): boolean {
  try {
    lower();
    return true;
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    state.diagnostics.push({ severity: 'error', kind: 'not-on-engine', where, message: `${what}: ${error.message}` });
    return false;
  }
}

/** Lowering of every kernel family. */
const LOWERINGS: {
  readonly [K in KernelCall['kernel']]: (state: Lowering, node: Node, call: Extract<KernelCall, { kernel: K }>) => void;
} = {
  conv: lowerConvolution,
  'fully-connected': lowerFullyConnected,
  binary: lowerBinary,
  'max-pool': lowerMaxPool,
  'average-pool': lowerAveragePool,
  unary: lowerUnary,
  softmax: lowerSoftmax,
  concat: lowerConcat,
  slice: lowerSlice,
  pad: lowerPad,
  transpose: lowerTranspose,
  reshape: lowerReshape,
  quantize: lowerQuantize,
  dequantize: lowerDequantize,
};

function lowerNode(state: Lowering, node: Node): void {
  const call = state.kernelOf(node);
  (LOWERINGS[call.kernel] as (state: Lowering, node: Node, call: KernelCall) => void)(state, node, call);
}

/** Brings a graph output into the caller's memory, row-major: by the border kernels or a copy. */
function lowerOutput(state: Lowering, name: string): Buffer {
  const type = state.graph.values.get(name)?.type;
  const extents = state.extents(name);
  const count = extents.reduce((product, extent) => product * extent, 1);
  const integer = state.integer(name);
  if (type === 'int8' || type === 'uint8') {
    if (integer === undefined) throw new Unsupported(`'${name}' is not available to the engine as int8`);
    const view = state.arrange(
      integer,
      extents.map((_, axis) => axis),
    );
    const port = state.buffer(name, type, count, undefined, { kind: 'port' });
    const table = state.constant(`${name}:table`, 'uint8', [256], shiftTable(type));
    const inputs = [{ buffer: view.buffer, dims: [count] }, table];
    state.emit({ name: `${name}:output`, op: 'lut_s8', outputs: [{ buffer: port, dims: [count] }], inputs });
    return port;
  }
  if (type !== 'float32')
    throw new Unsupported(`output '${name}' of type ${type} (the engine gives float32, uint8 and int8)`);
  const port = state.buffer(name, 'float32', count, undefined, { kind: 'port' });
  if (integer === undefined) {
    state.copy(`${name}:output`, state.float(name), plainView(port, extents));
    return port;
  }
  const channelsFirst = extents.length >= 3 && isChannelsLast(integer, extents);
  const source = channelsFirst
    ? integer
    : state.arrange(
        integer,
        extents.map((_, axis) => axis),
      );
  const physical = channelsFirst ? [extents[0], ...extents.slice(2), extents[1]] : extents;
  state.emit({
    name: `${name}:dequantize`,
    op: 'dequantize_s8',
    outputs: [{ buffer: port, dims: extents }],
    inputs: [{ buffer: source.buffer, dims: physical }],
    params: { channelsFirst },
  });
  return port;
}

function isChannelsLast(view: View, extents: readonly number[]): boolean {
  if (view.offset !== 0 || view.buffer.count !== extents.reduce((product, extent) => product * extent, 1)) return false;
  const transposed = transposeView(view, channelsLastOrder(extents.length));
  return layoutKey(transposed) === layoutKey(plainView(view.buffer, extentsOf(transposed)));
}
