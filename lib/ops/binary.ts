import type { BinaryOperation } from '../core/binary-operation';
import type { ElementType } from '../ir/element-type';
import type { Dim } from '../ir/graph';
import { followed } from './axes';
import { broadcastExtents, broadcastOffsets, broadcastShapes } from './broadcast';
import { elementCost } from './cost';
import { elementwise } from './coupling';
import { emptyDense, isFloat } from './dense';
import type { Dense, InferContext, Inferred, Operator, Precision, Schema } from './operator';
import { NUMBERS, problem, required, typedAs, variadic } from './schema';

/** What sets one element-wise operator of two (or more) broadcast inputs apart from its family. */
export interface BinarySpec {
  readonly op: string;
  readonly since: number;
  readonly types?: readonly ElementType[];
  /** Output type where it is not that of the first input (comparisons). */
  readonly output?: ElementType;
  readonly attributes?: Schema['attributes'];
  /** The function of one pair of elements. */
  readonly of: (a: number, b: number) => number;
  /** The function for integer types, where it differs. */
  readonly ofIntegers?: (a: number, b: number) => number;
  /** The function on extents; undefined where the result cannot be known. Numbers use `of` unless told here. */
  readonly ofDims?: (a: Dim, b: Dim) => Dim | undefined;
  /** Any number of inputs, folded from the left (Min, Max, Sum). */
  readonly variadic?: boolean;
  /** Engine kernel of the operator. */
  readonly kernel?: BinaryOperation;
  /** What the engine runs for an operator that has no such kernel. */
  readonly lower?: Operator['lower'];
  /** Whether quantization leaves it float: a small divisor, or a difference of large numbers, makes codes mean nothing. */
  readonly staysFloat?: boolean;
}

/** Operator that combines broadcast inputs element by element. */
export function binary(spec: BinarySpec): Operator {
  const { op, since, types = NUMBERS, output, attributes = {} } = spec;
  const operator: Operator = {
    op,
    domain: '',
    since,
    schema: {
      inputs: spec.variadic
        ? [typedAs(variadic('data', types), 'data')]
        : [required('A', types), typedAs(required('B', types), 'A')],
      outputs: [required('C', output ? [output] : types)],
      attributes,
    },
    infer: (context) => inferBinary(context, spec),
    evaluate: (inputs, _node, precision) => {
      const operands = inputs as readonly Dense[];
      const of = isFloat(operands[0].type) ? spec.of : (spec.ofIntegers ?? spec.of);
      if (operands.length === 1) return [operands[0]];
      const combined = operands.reduce((a, b) => combine(a, b, output ?? a.type, of, precision));
      return [combined];
    },
    coupling: elementwise,
    cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, Math.max(1, inputs.length - 1)),
  };
  const { kernel } = spec;
  if (!kernel) return spec.lower ? { ...operator, lower: spec.lower } : operator;
  const role = spec.staysFloat ? 'none' : 'activation';
  return {
    ...operator,
    quantization: { inputs: operator.schema.inputs.map(() => ({ role })), output: spec.staysFloat ? 'float' : 'own' },
    lower: ({ node }) => (node.inputs.length === 1 ? { kernel: 'reshape' } : { kernel: 'binary', operation: kernel }),
  };
}

/** Applies `of` to every pair of broadcast elements. */
export function combine(
  a: Dense,
  b: Dense,
  type: ElementType,
  of: (a: number, b: number) => number,
  precision: Precision,
): Dense {
  const dims = broadcastExtents(a.dims, b.dims);
  const c = emptyDense(type, dims, precision);
  const [fromA, fromB] = [broadcastOffsets(a.dims, dims), broadcastOffsets(b.dims, dims)];
  for (let i = 0; i < c.data.length; i++) c.data[i] = of(a.data[fromA[i]], b.data[fromB[i]]);
  return c;
}

function inferBinary(context: InferContext, spec: BinarySpec): readonly Inferred[] | ReturnType<typeof problem> {
  const { node, inputs } = context;
  const first = inputs[0]!;
  const type = spec.output ?? first.type;
  const shapes = inputs.map((input) => input!.shape);
  if (shapes.some((shape) => shape === undefined)) return [{ type, shape: undefined }];
  const shape = broadcastShapes(shapes as Dim[][]);
  if (!shape)
    return problem(node, 'shape-mismatch', `shapes ${shapes.map((s) => `[${s}]`).join(' and ')} do not broadcast`);
  return [{ type, shape, partial: followed(partialOf(context, spec, shape), first.type) }];
}

/** Known elements of a shape-like result: vectors and scalars combine element by element, one element repeats. */
function partialOf(context: InferContext, spec: BinarySpec, shape: readonly Dim[]): Inferred['partial'] {
  if (shape.length > 1) return undefined;
  const lists = context.node.inputs.map((_, index) => context.partial(index));
  if (lists.some((list) => list === undefined)) return undefined;
  const [first, ...others] = lists as (Dim | undefined)[][];
  return others.reduce((as, bs) => {
    const count = as.length === 0 || bs.length === 0 ? 0 : Math.max(as.length, bs.length);
    return Array.from({ length: count }, (_, i) => {
      const [a, b] = [as[as.length === 1 ? 0 : i], bs[bs.length === 1 ? 0 : i]];
      return a === undefined || b === undefined ? undefined : combineDims(a, b, spec);
    });
  }, first);
}

function combineDims(a: Dim, b: Dim, spec: BinarySpec): Dim | undefined {
  if (typeof a === 'number' && typeof b === 'number') return (spec.ofIntegers ?? spec.of)(a, b);
  return spec.ofDims?.(a, b);
}
