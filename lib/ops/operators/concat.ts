import { attribute } from '../../ir/attribute';
import type { Dim } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { normalizeAxis, unknownDim } from '../axes';
import { elementCost } from '../cost';
import { concatenation } from '../coupling-shapes';
import { emptyLike } from '../dense';
import { addDims } from '../dims';
import { cut, dimsOf, int64s } from '../gradients';
import type { Dense, GradientContext, Operator } from '../operator';
import { EVERY_TYPE, problem, required, typedAs, variadic } from '../schema';

/** The inputs one behind the other along `axis`. */
export const concat: Operator = {
  op: 'Concat',
  domain: '',
  since: 13,
  schema: {
    inputs: [typedAs(variadic('inputs', EVERY_TYPE), 'inputs')],
    outputs: [required('concat_result', EVERY_TYPE)],
    attributes: { axis: { kind: 'int', required: true } },
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type } = inputs[0]!;
    const known = inputs.find((input) => input!.shape)?.shape;
    if (!known) return [{ type, shape: undefined }];
    const shapes = inputs.map((input) => input!.shape);
    const axis = normalizeAxis(attribute(node, 'axis', 'int'), known.length);
    if (axis === undefined) return problem(node, 'bad-axis', `axis does not fit shape [${known}]`);
    const bad = shapes.find((shape) => shape && !alike(shape, known, axis));
    if (bad) return problem(node, 'shape-mismatch', `shapes [${known}] and [${bad}] differ beside axis ${axis}`);
    const total = shapes.every((shape) => shape)
      ? shapes.map((shape) => shape![axis]).reduce(addDims)
      : unknownDim(node.outputs[0], axis);
    const lists = known.length === 1 ? node.inputs.map((_, i) => context.partial(i)) : [];
    // A piece of known length but unknown elements leaves gaps; one of unknown length ends all knowledge.
    const pieces = lists.map((list, i) => list ?? gaps(shapes[i]?.[0]));
    const partial =
      known.length === 1 && lists.some((list) => list) && pieces.every((piece) => piece)
        ? pieces.flatMap((piece) => [...piece!])
        : undefined;
    return [{ type, shape: known.map((dim, i) => (i === axis ? total : strictest(shapes, i, dim))), partial }];
  },
  evaluate: (inputs, node) => [concatenate(inputs as readonly Dense[], attribute(node, 'axis', 'int'))],
  coupling: concatenation,
  gradient: concatGradient,
  cost: elementCost,
  quantization: { inputs: [{ role: 'activation' }], output: 'same' },
  lower: ({ node, inputs: [first] }) => {
    const axis = first?.shape && normalizeAxis(attribute(node, 'axis', 'int'), first.shape.length);
    return axis === undefined ? problem(node, 'not-lowered', 'the rank is unknown') : { kernel: 'concat', axis };
  },
};

/** Each input gets its part of the gradient back: by one Split where all are wanted, else by slices. */
function concatGradient({ node, emit, outputGradients, wants }: GradientContext): readonly (string | undefined)[] {
  const dy = outputGradients[0]!;
  const axis = normalizeAxis(attribute(node, 'axis', 'int'), dimsOf(emit, dy).length)!;
  const lengths = node.inputs.map((input) => dimsOf(emit, input)[axis]);
  if (lengths.every((_, index) => wants(index)))
    return emit.nodes('Split', [dy, int64s(emit, lengths)], lengths.length, { axis });
  let end = 0;
  return node.inputs.map((input, index) => {
    const start = end;
    end += lengths[index];
    const dims = dimsOf(emit, input);
    const starts = dims.map((_, at) => (at === axis ? start : 0));
    return wants(index) ? cut(emit, dy, starts, dims) : undefined;
  });
}

/** The tensors one behind the other along `axis`. */
function concatenate(inputs: readonly Dense[], axis: number): Dense {
  const at = normalizeAxis(axis, inputs[0].dims.length)!;
  const total = inputs.reduce((sum, input) => sum + input.dims[at], 0);
  const dims = inputs[0].dims.map((dim, i) => (i === at ? total : dim));
  const result = emptyLike(inputs[0], dims);
  const outer = elementCount(dims.slice(0, at));
  let position = 0;
  for (let row = 0; row < outer; row++)
    for (const { data } of inputs) {
      const count = data.length / outer;
      for (let i = 0; i < count; i++) result.data[position++] = data[row * count + i];
    }
  return result;
}

function alike(a: readonly Dim[], b: readonly Dim[], axis: number): boolean {
  const clash = (x: Dim, y: Dim) => typeof x === 'number' && typeof y === 'number' && x !== y;
  return a.length === b.length && a.every((dim, i) => i === axis || !clash(dim, b[i]));
}

/** A number where any input has one: all inputs agree beside the axis. */
function strictest(shapes: readonly (readonly Dim[] | undefined)[], axis: number, fallback: Dim): Dim {
  return shapes.map((shape) => shape?.[axis]).find((dim) => typeof dim === 'number') ?? fallback;
}

function gaps(count: Dim | undefined): undefined[] | undefined {
  return typeof count === 'number' && count <= 1024 ? new Array<undefined>(count).fill(undefined) : undefined;
}
