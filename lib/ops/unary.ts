import type { UnaryOperation } from '../core/unary-operation';
import type { ElementType } from '../ir/element-type';
import type { Node } from '../ir/graph';
import { elementCost } from './cost';
import { elementwise } from './coupling';
import { emptyDense, isFloat } from './dense';
import { gradientBySlope, type Slope } from './gradients';
import type { EngineFunction } from './kernel-call';
import type { Operator, Schema, Trait } from './operator';
import { FLOATS, required } from './schema';

/** What sets one element-wise operator of one input apart from its family. */
export interface UnarySpec {
  readonly op: string;
  readonly since: number;
  /** Input types; the four floating types unless given. */
  readonly types?: readonly ElementType[];
  /** Output type where it is not that of the input. */
  readonly output?: ElementType;
  readonly attributes?: Schema['attributes'];
  readonly traits?: readonly Trait[];
  /** The function of one element that `node` stands for. */
  readonly of: (node: Node) => (x: number) => number;
  /** Bounds of the output when the function is a clamp of its input. */
  readonly clamp?: (node: Node) => readonly [number, number];
  /** What computes the function on float32 in the engine, where it is no clamp. */
  readonly float?: UnaryOperation | ((node: Node) => EngineFunction);
  /** Whether an int8 table of the function is accurate enough (bounded activations; not Exp or Log). */
  readonly quantizable?: boolean;
  /** Derivative of the function, where it has one. */
  readonly slope?: Slope;
}

/** Operator that maps each element of its input alone. */
export function unary(spec: UnarySpec): Operator {
  const { op, since, types = FLOATS, attributes = {}, output, traits } = spec;
  const operator: Operator = {
    op,
    domain: '',
    since,
    ...(traits && { traits }),
    schema: { inputs: [required('X', types)], outputs: [required('Y', output ? [output] : types)], attributes },
    infer: ({ inputs: [x] }) => [{ type: output ?? x!.type, shape: x!.shape }],
    evaluate: ([x], node, precision) => {
      const apply = spec.of(node);
      const y = emptyDense(output ?? x!.type, x!.dims, precision);
      for (let i = 0; i < y.data.length; i++) y.data[i] = apply(x!.data[i]);
      return [y];
    },
    coupling: elementwise,
    cost: elementCost,
  };
  const { clamp, float } = spec;
  if (!types.some(isFloat) || (!clamp && !float)) return operator;
  return {
    ...operator,
    ...(spec.slope && { gradient: gradientBySlope(spec.slope) }),
    quantization: spec.quantizable
      ? { inputs: [{ role: 'activation' }], output: 'own' }
      : { inputs: [{ role: 'none' }], output: 'float' },
    lower: ({ node }) => {
      const apply = spec.of(node);
      const table = (x: number) => Math.fround(apply(Math.fround(x)));
      if (clamp) return { kernel: 'unary', table, clamp: clamp(node) };
      return { kernel: 'unary', table, float: typeof float === 'function' ? float(node) : { operation: float! } };
    },
  };
}
