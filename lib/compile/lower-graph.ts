import { readsOf } from '../ir/edit';
import type { Graph, Node } from '../ir/graph';
import type { States } from '../ir/states';
import { elementCount } from '../ir/tensor';
import { QUANTIZED_TYPES } from '../ops/quantizer';
import { decide, isView } from './decide';
import { FAMILIES } from './families/table';
import { type Family, type Kernel, LoweredLayer } from './layer';
import { isPlanType, Lowering, type QuantizedView, shiftTable } from './lowering';
import { Network } from './network';
import { readBounded } from './read-bounded';
import type { Buffer } from './step';
import { Unsupported } from './unsupported';
import { channelsLastOrder, extentsOf, isPlain, plainView, transposeView } from './view';

/** Outcome of lowering: the steps, and the memory of inputs and outputs as the user sees them. */
export interface Lowered {
  readonly state: Lowering;
  readonly inputs: ReadonlyMap<string, Buffer>;
  readonly outputs: ReadonlyMap<string, Buffer>;
  /** Of outputs with an extent that only a run decides: its axis, and what tells it. */
  readonly counts: ReadonlyMap<string, { readonly axis: number; readonly buffer: Buffer }>;
}

/**
 * Turns a prepared graph (dialect, numeric shapes) into kernel calls. What the engine cannot run becomes diagnostics in
 * `state.diagnostics`, all of it at once: what a refused node would make is assumed to be there; a node that depends on open
 * extents or on something else that is missing is only asked whether its operator has a chance. `states` are inputs that live in
 * the memory of the plan, with the outputs that make the next ones.
 */
export function lowerGraph(graph: Graph, states: States = new Map()): Lowered {
  const network = new Network(graph);
  const state = new Lowering(network, states);
  const missing = new Set<string>();
  // Values whose extents, and what depends on them, are not known before numbers are given.
  const open = new Set<string>();
  const giveUp = (value: string): void => {
    if (value !== '' && !state.assume(value)) missing.add(value);
  };
  const inputs = new Map<string, Buffer>();
  for (const name of graph.inputs) {
    const free = network.typeOf(name)?.shape?.filter((dim) => typeof dim !== 'number') ?? [];
    if (free.length > 0) open.add(name);
    const found = attempt(state, name, 'graph input', () => {
      if (free.length > 0) throw new Unsupported(`its shape leaves ${free.join(' and ')} open: give numbers for them`);
      inputs.set(name, state.port(name));
    });
    if (!found) giveUp(name);
  }
  for (const node of graph.nodes) {
    if (state.isAbsorbed(node)) continue;
    const reads = [...readsOf(node)];
    const isOpen = reads.some((value) => open.has(value));
    if (isOpen) for (const output of node.outputs) open.add(output);
    const complete = !isOpen && !reads.some((value) => missing.has(value));
    const lowered = attempt(state, node.name, node.op, () => {
      if (complete) lowerNode(state, node);
      else network.requireChance(node);
    });
    if (!lowered || !complete) node.outputs.forEach(giveUp);
  }
  const outputs = new Map<string, Buffer>();
  const counts = new Map<string, { readonly axis: number; readonly buffer: Buffer }>();
  for (const name of new Set(graph.outputs))
    if (!missing.has(name))
      attempt(state, name, 'graph output', () => {
        outputs.set(name, lowerOutput(state, name));
        const count = countOutput(state, name);
        if (count) counts.set(name, count);
      });
  return { state, inputs, outputs, counts };
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

/** Whether elements of a type may come out of a family: what moves elements asks not what they stand for. */
function gives(kernel: Kernel, family: Family, type: string | undefined): boolean {
  if (type === 'float32') return kernel !== 'quantize';
  const isBytes = type === 'int8' || type === 'uint8';
  const keepsBytes = family.integer !== undefined && family.integer.grid !== 'result';
  if (kernel === 'quantize') return (QUANTIZED_TYPES as readonly (string | undefined)[]).includes(type);
  if (isBytes && keepsBytes) return true;
  const types = family.float?.types ?? [];
  return types === 'any' ? isPlanType(type) : (types as readonly (string | undefined)[]).includes(type);
}

/** The first output that is there: an operator with several may leave out others. */
function firstOutput({ outputs }: Node): string {
  return outputs.find((name) => name !== '') ?? '';
}

function lowerNode(state: Lowering, node: Node): void {
  const { network } = state;
  if (state.evaluate(node)) return;
  const call = network.kernelOf(node);
  for (const [index, input] of node.inputs.entries())
    if (!network.isLeftOut(node, index)) network.requireElements(input);
  for (const output of node.outputs) network.requireElements(output);
  const family: Family = FAMILIES[call.kernel];
  const type = network.typeOf(firstOutput(node))?.type;
  if (!gives(call.kernel, family, type)) throw new Unsupported(`it gives ${type}, for which the engine has no kernel`);
  const layer = new LoweredLayer(state, node, call);
  const result = readBounded(state, layer);
  if (result) state.setPlain(node.outputs[0], result);
  else if (family.border === undefined) lowerLayer(state, family, layer);
  else family.border(layer, state);
}

/** Emits a layer in the form that is decided, and records the results and the reason for float. */
function lowerLayer(state: Lowering, family: Family, layer: LoweredLayer): void {
  const { network } = state;
  const decision = decide(family, layer);
  const { node, tail } = decision.layer;
  const isFloat = decision.form === 'float' && network.isReal(firstOutput(node));
  if (isFloat && network.isQuantized && !isView(family)) state.floatReasons.set(node.name, decision.reason);
  const [view, ...others] = [decision.emit()].flat();
  if (decision.form === 'float') {
    if (view) state.finishPlain(tail, view);
    for (const [index, other] of others.entries()) if (other) state.setPlain(node.outputs[index + 1], other);
  } else {
    const { grid: quantization } = decision;
    if (view) state.finishInteger(tail, node.outputs[0], { ...view, quantization });
    for (const [index, other] of others.entries())
      if (other) state.setInteger(node.outputs[index + 1], { ...other, quantization });
  }
}

/** What tells the extent of an output that only a run decides. @throws Unsupported for two of them, or of a state */
function countOutput({ network, counts }: Lowering, name: string) {
  const shape = network.shapeOf(name) ?? [];
  const [axis, second] = [...shape.keys()].filter((each) => network.bounded.isBounded(shape[each]));
  if (axis === undefined) return undefined;
  if (second !== undefined) throw new Unsupported(`only a run decides its extents [${shape}], and a plan tells one`);
  return { axis, buffer: counts.kept(shape[axis]).buffer };
}

/** Brings a graph output into the caller's memory, row-major: by the border kernels or a copy. */
function lowerOutput(state: Lowering, name: string): Buffer {
  const { network, program } = state;
  const extents = network.extents(name);
  const port = state.portBuffer(name, 'gives');
  if (network.isBytes(name) && !state.hasPlain(name)) {
    const integer = state.integer(name);
    if (integer === undefined) throw new Unsupported(`'${name}' is not available to the engine as int8`);
    const dims = [elementCount(extents)];
    const table = program.constant(`${name}:table`, 'uint8', [256], shiftTable(port.type === 'uint8'));
    program.emit({
      name: `${name}:output`,
      op: 'lut_s8',
      outputs: [{ buffer: port, dims }],
      inputs: [{ buffer: program.rowMajor(integer).buffer, dims }, table],
    });
    return port;
  }
  const integer = state.onlyInteger(name);
  if (integer !== undefined && port.type === 'float32') dequantizeOutput(state, name, integer, port);
  else program.copy(`${name}:output`, state.plain(name), plainView(port, extents));
  return port;
}

/** Dequantizes into the caller's memory; channels-last images turn on the way. */
function dequantizeOutput({ network, program }: Lowering, name: string, integer: QuantizedView, port: Buffer): void {
  const extents = network.extents(name);
  const channelsFirst = extents.length >= 3 && isChannelsLast(integer);
  const source = channelsFirst ? integer : program.rowMajor(integer);
  const dims = channelsFirst ? channelsLastOrder(extents.length).map((axis) => extents[axis]) : extents;
  program.emit({
    name: `${name}:dequantize`,
    op: 'dequantize_s8',
    outputs: [{ buffer: port, dims: extents }],
    inputs: [{ buffer: source.buffer, dims }],
    params: { channelsFirst },
  });
}

function isChannelsLast(view: QuantizedView): boolean {
  const turned = transposeView(view, channelsLastOrder(view.dims.length));
  return isPlain(turned, extentsOf(turned));
}
