import { attribute } from '../ir/attribute';
import type { Tensor } from '../ir/tensor';
import { toNumbers } from '../ir/tensor';
import { keepsAxes, normalizeAxes, normalizeAxis, reducesNoAxis } from './axes';
import { broadcast, inputPort, outputPort, withConstant } from './coupling';
import { toDense } from './dense';
import { knownDims } from './dims';
import type { Coupling, CouplingContext, ShrinkContext, Tie } from './operator';
import { padsPerAxis } from './pad-extents';
import { problem } from './schema';
import { rangesOf } from './slice-ranges';

type AnyContext = CouplingContext | ShrinkContext;

/** Concat: every input with its part of the output; the other axes all together. */
export const concatenation: Coupling = {
  ties: (context) => {
    const rank = context.outputs[0]?.shape?.length;
    const axis = rank === undefined ? undefined : normalizeAxis(attribute(context.node, 'axis', 'int'), rank);
    const shapes = context.inputs.map((input) => knownExtent(input?.shape?.[axis ?? 0]));
    if (axis === undefined || shapes.includes(undefined))
      return problem(context.node, 'coupling', 'the extents of its inputs are not known');
    let start = 0;
    const ties = context.inputs.flatMap((_, index): Tie[] => {
      const offset = start;
      start += shapes[index]!;
      const beside = broadcast(context, index).filter(({ from }) => from.axis !== axis);
      return [...beside, { from: inputPort(index, axis), to: outputPort(axis), map: (i) => i + offset }];
    });
    return { ties };
  },
};

/** Split: every output with its part of the input. */
export const splitting: Coupling = {
  ties: (context) => {
    const axis = splitAxis(context);
    const lengths = context.outputs.map((output) => knownExtent(output?.shape?.[axis ?? 0]));
    if (axis === undefined || lengths.includes(undefined))
      return problem(context.node, 'coupling', 'the lengths of its pieces are not known');
    let start = 0;
    const ties = context.outputs.flatMap((_, index): Tie[] => {
      const offset = start;
      start += lengths[index]!;
      const beside = broadcast(context, 0, index).filter(({ from }) => from.axis !== axis);
      return [...beside, { from: outputPort(axis, index), to: inputPort(0, axis), map: (i) => i + offset }];
    });
    return { ties };
  },
  shrink: (context) => {
    const axis = splitAxis(context)!;
    const lengths = context.outputs.map((_, index) => context.kept(outputPort(axis, index))!.length);
    const before = context.outputs.map((output) => output!.shape![axis] as number);
    if (lengths.every((length, index) => length === before[index])) return context.node;
    const given = context.constant(1);
    if (given) return withConstant(context, 1, given, lengths);
    const { node } = context;
    const attributes = new Map([...node.attributes].filter(([name]) => name !== 'num_outputs'));
    const sizes = context.add(`${node.name}_split`, lengthsTensor(lengths));
    return { ...node, inputs: [node.inputs[0], sizes], attributes };
  },
};

function splitAxis(context: AnyContext): number | undefined {
  const rank = context.inputs[0]?.shape?.length;
  return rank === undefined ? undefined : normalizeAxis(attribute(context.node, 'axis', 'int', 0), rank);
}

function lengthsTensor(lengths: readonly number[]): Tensor {
  const data = BigInt64Array.from(lengths.map((length) => BigInt(length)));
  return { type: 'int64', dims: [lengths.length], bytes: new Uint8Array(data.buffer) };
}

/** Slice: the part taken with its place in the input. An axis that is taken in steps stays whole. */
export const slicing: Coupling = {
  ties: (context) => {
    const ranges = sliceRanges(context);
    if (!ranges) return problem(context.node, 'coupling', 'the part to take is not constant');
    const ties = ranges.flatMap((range, axis): Tie[] => {
      if (range?.step !== 1) return [];
      return [{ from: outputPort(axis), to: inputPort(0, axis), map: (i) => i + range.start }];
    });
    return { ties };
  },
  shrink: (context) => {
    const { constant } = context;
    const ranges = sliceRanges(context)!;
    const axes = slicedAxes(context);
    const [starts, ends] = [1, 2].map((index) => toNumbers(constant(index)!));
    axes.forEach((axis, i) => {
      const kept = context.kept(inputPort(0, axis));
      const range = ranges[axis];
      if (!kept || !range || kept.length === context.inputs[0]!.shape![axis]) return;
      starts[i] = kept.filter((index) => index < range.start).length;
      ends[i] = starts[i] + context.kept(outputPort(axis))!.length;
    });
    const shifted = withConstant(context, 1, constant(1)!, starts);
    return withConstant({ ...context, node: shifted }, 2, constant(2)!, ends);
  },
};

/** Ranges of the axes of the input; undefined for symbolic axes that are not cut. */
function sliceRanges(context: AnyContext): (ReturnType<typeof rangesOf>[number] | undefined)[] | undefined {
  const shape = context.inputs[0]?.shape;
  const given = [1, 2, 3, 4].map((index) => (context.node.inputs[index] ? context.constant(index) : null));
  if (!shape || given.includes(undefined)) return undefined;
  const cut = slicedAxes(context);
  if (cut.some((axis) => typeof shape[axis] !== 'number')) return undefined;
  // Any extent will do for an axis that is not cut.
  const dims = shape.map((dim) => (typeof dim === 'number' ? dim : 1));
  const ranges = rangesOf(
    dims,
    given.map((tensor) => (tensor ? toDense(tensor, 'float32') : undefined)),
  );
  return ranges.map((range, axis) => (typeof shape[axis] === 'number' ? range : undefined));
}

function slicedAxes(context: AnyContext): number[] {
  const axes = context.node.inputs[3] ? toNumbers(context.constant(3)!) : undefined;
  const count = toNumbers(context.constant(1)!).length;
  return normalizeAxes(axes ?? Array.from({ length: count }, (_, i) => i), context.inputs[0]!.shape!.length)!;
}

/** Pad: the input with its place in the output. Padded indices are removed with whatever they meet there; mirrors stay whole. */
export const padding: Coupling = {
  ties: (context) => {
    const shape = context.inputs[0]?.shape;
    const pads = padsOf(context);
    if (!shape || !pads) return problem(context.node, 'coupling', 'the pads are not constant');
    const constant = attribute(context.node, 'mode', 'string', 'constant') === 'constant';
    const ties = shape.flatMap((dim, axis): Tie[] => {
      const [before, after] = [pads[0][axis], pads[1][axis]];
      if (before === 0 && after === 0) return [{ from: inputPort(0, axis), to: outputPort(axis) }];
      if (!constant || before < 0 || after < 0 || typeof dim !== 'number') return [];
      return [{ from: inputPort(0, axis), to: outputPort(axis), map: (i) => i + before }];
    });
    return { ties };
  },
  shrink: (context) => {
    const pads = padsOf(context)!;
    const tensor = context.constant(1)!;
    const rank = context.inputs[0]!.shape!.length;
    const given = context.node.inputs[3] ? toNumbers(context.constant(3)!) : undefined;
    const axes = normalizeAxes(given ?? Array.from({ length: rank }, (_, axis) => axis), rank)!;
    const values = toNumbers(tensor);
    axes.forEach((axis, i) => {
      const kept = context.kept(outputPort(axis));
      if (!kept || kept.length === context.outputs[0]!.shape![axis]) return;
      const [before, extent] = [pads[0][axis], context.inputs[0]!.shape![axis] as number];
      values[i] = kept.filter((index) => index < before).length;
      values[i + axes.length] = kept.filter((index) => index >= before + extent).length;
    });
    return withConstant(context, 1, tensor, values);
  },
};

function padsOf(context: AnyContext): [number[], number[]] | undefined {
  const rank = context.inputs[0]?.shape?.length;
  const [pads, axes] = [1, 3].map((index) => (context.node.inputs[index] ? context.constant(index) : null));
  if (rank === undefined || !pads || axes === undefined) return undefined;
  return padsPerAxis(rank, toNumbers(pads), axes ? toNumbers(axes) : undefined);
}

/** Resize: axes that keep their extent. */
export const resizing: Coupling = {
  ties: (context) => ({ ties: broadcast(context, 0) }),
  shrink: (context) => {
    const sizes = context.node.inputs[3] ? context.constant(3) : undefined;
    if (!sizes) return context.node;
    const rank = context.inputs[0]!.shape!.length;
    const axes = attribute(
      context.node,
      'axes',
      'ints',
      Array.from({ length: rank }, (_, axis) => axis),
    );
    const values = toNumbers(sizes).map(
      (size, i) => context.kept(outputPort(normalizeAxis(axes[i], rank)!))?.length ?? size,
    );
    return withConstant(context, 3, sizes, values);
  },
};

/** Expand: axes that are not repeated, and repeated ones freely. */
export const expansion: Coupling = {
  ties: (context) =>
    context.constant(1)
      ? { ties: broadcast(context, 0) }
      : problem(context.node, 'coupling', 'its shape is not constant'),
  shrink: (context) => {
    const shape = context.constant(1)!;
    const rank = context.outputs[0]!.shape!.length;
    const extents = toNumbers(shape);
    const values = extents.map((extent, i) =>
      extent > 1 ? (context.kept(outputPort(rank - extents.length + i))?.length ?? extent) : extent,
    );
    return withConstant(context, 1, shape, values);
  },
};

/** Gather: the axes beside the one that is looked up, which stays whole. */
export const gathering: Coupling = {
  ties: (context) => {
    const [data, indices] = context.inputs.map((input) => input?.shape);
    const axis = data && normalizeAxis(attribute(context.node, 'axis', 'int', 0), data.length);
    if (!data || !indices || axis === undefined)
      return problem(context.node, 'coupling', 'the ranks of its inputs are not known');
    const ties = data.flatMap((_, at): Tie[] => {
      if (at === axis) return [];
      return [{ from: inputPort(0, at), to: outputPort(at < axis ? at : at + indices.length - 1) }];
    });
    return { ties };
  },
};

/** Reductions: the axes that are not reduced. */
export const reducing: Coupling = {
  ties: (context) => {
    const shape = context.inputs[0]?.shape;
    const given = context.node.inputs[1] ? context.constant(1) : null;
    if (!shape || given === undefined) return problem(context.node, 'coupling', 'the reduced axes are not constant');
    const listed = given ? toNumbers(given) : [];
    const noop = listed.length === 0 && reducesNoAxis(context.node);
    const all = shape.map((_, axis) => axis);
    const reduced = noop ? [] : listed.length > 0 ? normalizeAxes(listed, shape.length)! : all;
    const keep = keepsAxes(context.node);
    const rest = all.filter((axis) => !reduced.includes(axis));
    return { ties: rest.map((axis, i): Tie => ({ from: inputPort(0, axis), to: outputPort(keep ? axis : i) })) };
  },
};

function knownExtent(dim: unknown): number | undefined {
  return knownDims([dim as number])?.[0];
}
