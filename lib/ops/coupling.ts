import type { Dim, Node } from '../ir/graph';
import { type Tensor, tensorFrom, toNumbers } from '../ir/tensor';
import type { Coupling, CouplingContext, PortAxis, ShrinkContext, Tie } from './operator';

/** Axis `axis` of input `index`. */
export function inputPort(index: number, axis: number): PortAxis {
  return { of: 'input', index, axis };
}

/** Axis `axis` of output `index`. */
export function outputPort(axis: number, index = 0): PortAxis {
  return { of: 'output', index, axis };
}

/** Every output element depends on the elements that broadcasting puts in its place, and on no others. */
export const elementwise: Coupling = {
  ties: (context) => ({
    ties: context.inputs.flatMap((_, index) =>
      context.outputs.flatMap((_, output) => broadcast(context, index, output)),
    ),
  }),
};

/** Ties of input `index` to the output (which may lie at `output`) that it broadcasts to. */
export function broadcast(context: CouplingContext, index: number, output = 0): Tie[] {
  const shape = context.inputs[index]?.shape;
  const target = context.outputs[output]?.shape;
  if (!shape || !target) return [];
  return shape.flatMap((dim, axis) => {
    const to = target.length - shape.length + axis;
    return dim === target[to] ? [{ from: inputPort(index, axis), to: outputPort(to, output) }] : [];
  });
}

/** Axes of the first input that the outputs keep in place, except those for which `isMixed` holds (counted from the front). */
export function axesApart(isMixed: (axis: number, context: CouplingContext) => boolean): Coupling {
  return {
    ties: (context) => ({
      ties: context.outputs.flatMap((_, output) =>
        broadcast(context, 0, output).filter(({ from }) => !isMixed(from.axis, context)),
      ),
    }),
  };
}

/** Pooling: batch and channel axes stay apart, places are mixed. */
export const pooling: Coupling = axesApart((axis) => axis >= 2);

/** The first input under other axes, so that axis `from[k]` of it is axis `k` of the output; undefined: a new one. */
export function movedAxes(
  sources: (context: CouplingContext) => readonly (number | undefined)[] | undefined,
): Coupling {
  return {
    ties: (context) => ({
      ties: (sources(context) ?? []).flatMap((from, to) =>
        from === undefined ? [] : [{ from: inputPort(0, from), to: outputPort(to) }],
      ),
    }),
  };
}

/**
 * The same elements in row-major order under another shape. Where several axes become one or one becomes several, only the
 * outermost of them that is free can lose indices (channels of `[C, H, W]`, heads of `[heads, width]`): each takes along the
 * whole block of the single axis that belongs to it.
 */
export const relabelling: Coupling = {
  late: true,
  ties: (context) => {
    const [from, to] = [context.inputs[0]?.shape, context.outputs[0]?.shape];
    if (!from || !to) return { ties: [] };
    return { ties: matchingBlocks(from, to).flatMap((block) => tiesOfBlock(block, from, to, context)) };
  },
};

/** `relabelling` by a constant that names the extents. */
export const reshaping: Coupling = {
  ...relabelling,
  shrink: (context) => {
    const target = context.constant(1);
    if (!target) return context.node;
    const extents = toNumbers(target).map((extent, axis) =>
      extent > 0 ? (context.kept(outputPort(axis))?.length ?? extent) : extent,
    );
    return withConstant(context, 1, target, extents);
  },
};

/** The node with input `index`, a list of integers, renewed; the same node when nothing changes. */
export function withConstant(context: ShrinkContext, index: number, old: Tensor, values: readonly number[]): Node {
  const { node } = context;
  if (toNumbers(old).every((value, i) => value === values[i])) return node;
  const name = context.add(node.inputs[index], tensorFrom(old.type as 'int64', old.dims, values));
  return { ...node, inputs: node.inputs.map((input, i) => (i === index ? name : input)) };
}

/** Neighbouring axes of two shapes that hold the same elements. */
interface Block {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** Smallest blocks of equal size, matched from the last axis on; stops at symbols that do not match. */
function matchingBlocks(from: readonly Dim[], to: readonly Dim[]): Block[] {
  const blocks: Block[] = [];
  let [i, j] = [from.length - 1, to.length - 1];
  while (i >= 0 && j >= 0) {
    if (from[i] === to[j]) {
      blocks.push({ from: [i--], to: [j--] });
      continue;
    }
    const [left, right] = [[i], [j]];
    let [a, b] = [from[i--], to[j--]];
    while (typeof a === 'number' && typeof b === 'number' && a !== b) {
      const [shape, at, list] = a < b ? [from, i--, left] : [to, j--, right];
      const next = shape[at];
      if (typeof next !== 'number' || next === 0) return blocks;
      list.unshift(at);
      if (a < b) a *= next;
      else b *= next;
    }
    if (a !== b || typeof a !== 'number') return blocks;
    blocks.push({ from: left, to: right });
  }
  return blocks;
}

function tiesOfBlock(block: Block, from: readonly Dim[], to: readonly Dim[], context: CouplingContext): Tie[] {
  const inputs = block.from.filter((axis) => from[axis] !== 1);
  const outputs = block.to.filter((axis) => to[axis] !== 1);
  if (inputs.length === 0 || outputs.length === 0) return [];
  if (inputs.length > 1 && outputs.length > 1) return [];
  const [one, many, shape] =
    outputs.length === 1
      ? [outputPort(outputs[0]), inputs.map((axis) => inputPort(0, axis)), from]
      : [inputPort(0, inputs[0]), outputs.map((axis) => outputPort(axis)), to];
  const chosen = many.find((axis) => !context.isFixed(axis));
  if (!chosen) return [];
  const extent = shape[chosen.axis] as number;
  const inner = many
    .slice(many.indexOf(chosen) + 1)
    .reduce((product, { axis }) => product * (shape[axis] as number), 1);
  return [{ from: one, to: chosen, map: (index) => Math.floor(index / inner) % extent }];
}
