import type { Dim, Graph, Node, ValueType } from '../ir/graph';
import { type Tensor, toNumbers } from '../ir/tensor';
import { unknownDim, unknownShape } from '../ops/axes';

/** What is known around a node with bodies. */
export interface BodyContext {
  typeOf(value: string): ValueType | undefined;
  constantOf(value: string): Tensor | undefined;
}

const LOOP_INPUTS: readonly ValueType[] = [
  { type: 'int64', shape: [] },
  { type: 'bool', shape: [] },
];

/** Types of a body's inputs, from what an If (none), Loop or Scan hands in; undefined where that is not known. */
export function bodyInputTypes(node: Node, body: Graph, context: BodyContext): (ValueType | undefined)[] {
  const scanned = scanInputs(node);
  return body.inputs.map((_, index) => {
    // A Loop hands in iteration and condition, then the state, which may change its shape from round to round.
    if (node.op === 'Loop') return LOOP_INPUTS[index];
    if (node.op !== 'Scan') return undefined;
    const type = context.typeOf(node.inputs[index] ?? '');
    const first = body.inputs.length - scanned;
    if (index < first || type?.shape === undefined) return type;
    return { type: type.type, shape: type.shape.toSpliced(scanAxis(node, index - first, type.shape.length), 1) };
  });
}

/** How often a body runs; undefined when that is not known. */
export function roundsOf(node: Node, context: BodyContext): Dim | undefined {
  if (node.op === 'If') return 1;
  if (node.op === 'Loop') {
    const limit = context.constantOf(node.inputs[0] ?? '');
    return limit?.type === 'int64' ? toNumbers(limit)[0] : undefined;
  }
  const shape = context.typeOf(node.inputs[node.inputs.length - scanInputs(node)] ?? '')?.shape;
  return node.op === 'Scan' && shape ? shape[scanAxis(node, 0, shape.length)] : undefined;
}

/** Types of a node's outputs from those of its bodies' outputs; undefined where they do not tell. */
export function bodyOutputTypes(
  node: Node,
  bodies: readonly (readonly (ValueType | undefined)[])[],
  context: BodyContext,
): (ValueType | undefined)[] {
  const [first] = bodies;
  return node.outputs.map((name, index) => {
    if (node.op === 'If')
      return common(
        bodies.map((outputs) => outputs[index]),
        name,
      );
    if (node.op !== 'Scan') return undefined;
    const type = first?.[index];
    const states = node.inputs.length - scanInputs(node);
    if (index < states || type?.shape === undefined) return type;
    const axis = scanAxis(node, index - states, type.shape.length + 1, 'scan_output_axes');
    const rounds = roundsOf(node, context) ?? unknownDim(name, axis);
    return { type: type.type, shape: type.shape.toSpliced(axis, 0, rounds) };
  });
}

/** What all branches of an If agree on. */
function common(types: readonly (ValueType | undefined)[], name: string): ValueType | undefined {
  const [first] = types;
  if (first === undefined || types.some((type) => type?.type !== first.type)) return undefined;
  const shapes = types.map((type) => type!.shape);
  const rank = shapes[0]?.length;
  if (rank === undefined || shapes.some((shape) => shape?.length !== rank))
    return { type: first.type, shape: undefined };
  const fresh = unknownShape(name, rank);
  return {
    type: first.type,
    shape: shapes[0]!.map((dim, axis) => (shapes.every((shape) => shape![axis] === dim) ? dim : fresh[axis])),
  };
}

function scanInputs(node: Node): number {
  const entry = node.attributes.get('num_scan_inputs');
  return node.op === 'Scan' && entry?.kind === 'int' ? entry.value : 0;
}

function scanAxis(node: Node, index: number, rank: number, name = 'scan_input_axes'): number {
  const entry = node.attributes.get(name);
  const axis = entry?.kind === 'ints' ? (entry.value[index] ?? 0) : 0;
  return axis < 0 ? axis + rank : axis;
}
