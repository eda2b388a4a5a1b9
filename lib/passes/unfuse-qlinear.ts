import { attribute } from '../ir/attribute';
import type { Attribute, Graph, Node } from '../ir/graph';
import { elementCount, type Tensor, tensorOf, viewAs } from '../ir/tensor';
import type { Guard } from './guards';
import { constant, type Match, node, optional, type Pattern, type PatternContext } from './pattern';
import { applyRules, type Rewrite, type RewriteContext, type Rule, replaceBy, type Trace } from './rewrite';

/**
 * The graph with quantized operators (QLinearConv, QLinearMatMul, and those that quantizers write in the com.microsoft
 * domain) as DequantizeLinear, float operator, QuantizeLinear: the form that the rest of Hone works on. Bias becomes a
 * DequantizeLinear with scale `x_scale * w_scale`. A node whose scales are not constant stays. Single scales become
 * scalars. Returns the same graph when there is nothing to do.
 */
export function unfuseQlinear(graph: Graph, trace?: Trace): Graph {
  return applyRules(graph, UNFUSE_QLINEAR, trace);
}

/** An operator of integers: a float operator whose operands come with scale and zero point behind them. */
interface Fused {
  readonly op: string;
  /** Where each quantized operand stands in the inputs; a function where their number is free. */
  readonly operands: readonly number[] | ((node: Node) => readonly number[]);
  /** Axis of an operand with many scales. */
  readonly axis?: (operand: number, rank: number, node: Node) => number;
  /** Where the int32 bias stands. */
  readonly bias?: number;
  /** Where the scale of the result stands, the zero point behind it. */
  readonly result: number;
  /** Attributes of the float operator; undefined: this form has none. */
  readonly attributes?: (node: Node) => ReadonlyMap<string, Attribute> | undefined;
}

const unary = (op: string): Fused => ({ op, operands: [0], result: 3 });
const binary = (op: string): Fused => ({ op, operands: [0, 3], result: 6 });

const FUSED: Readonly<Record<string, Readonly<Record<string, Fused>>>> = {
  '': {
    QLinearConv: { ...binary('Conv'), axis: () => 0, bias: 8 },
    QLinearMatMul: { ...binary('MatMul'), axis: (operand, rank) => rank - (operand === 0 ? 2 : 1) },
  },
  'com.microsoft': {
    QLinearAdd: binary('Add'),
    QLinearMul: binary('Mul'),
    QLinearSigmoid: unary('Sigmoid'),
    QLinearLeakyRelu: unary('LeakyRelu'),
    QLinearConcat: {
      op: 'Concat',
      operands: ({ inputs }) => Array.from({ length: Math.floor((inputs.length - 2) / 3) }, (_, at) => 2 + 3 * at),
      result: 0,
    },
    // Before opset 13 Softmax meant all axes from `axis` on.
    QLinearSoftmax: {
      ...unary('Softmax'),
      attributes: (node) => (attribute(node, 'opset', 'int', 0) < 13 ? undefined : without(node, 'opset')),
    },
    QGemm: {
      op: 'Gemm',
      operands: [0, 3],
      axis: (_, __, node) => (attribute(node, 'transB', 'int', 0) ? 0 : 1),
      bias: 6,
      result: 7,
    },
  },
};

function without(node: Node, name: string): ReadonlyMap<string, Attribute> {
  return new Map([...node.attributes].filter(([key]) => key !== name));
}

/** Integer operators come apart, and the scales of what is left take one form. */
export const UNFUSE_QLINEAR: readonly Rule[] = [
  ...Object.entries(FUSED).flatMap(([domain, row]) =>
    Object.entries(row).map(
      ([op, fused]): Rule => ({
        name: `unfuse-${op.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()}`,
        summary: `${op} becomes ${fused.op} on dequantized operands`,
        pattern: node('fused', op, operandPatterns(fused), { domain }),
        guards: guardsOf(fused),
        replace: (match, context) => takenApart(match, context, fused),
      }),
    ),
  ),
  {
    name: 'scalar-scales',
    summary: 'one scale or zero point for a whole tensor, written as a vector, becomes a scalar',
    pattern: node(
      'quantizer',
      ['QuantizeLinear', 'DequantizeLinear'],
      [optional(), constant('scale', undefined, ({ dims }) => elementCount(dims) === 1)],
    ),
    guards: [
      {
        word: 'scale or zero point is a vector',
        holds: (match, context) =>
          match.node('quantizer').inputs.some((name, index) => index > 0 && isLoneElement(name, context)),
      },
    ],
    replace: (match, context) => {
      const { inputs } = match.node('quantizer');
      const scalars = inputs.map((name, index) => (index === 0 ? name : asScalar(name, context)));
      return replaceBy(match.node('quantizer'), { ...match.node('quantizer'), inputs: scalars });
    },
  },
];

function guardsOf(fused: Fused): readonly Guard[] {
  const hasForm: Guard = {
    word: 'the float operator has this form',
    holds: (match) => attributesOf(match, fused) !== undefined,
  };
  const hasScales: Guard = {
    word: 'scales are constant float32 vectors or scalars',
    holds: (match, context) => scalesOf(match, context, fused).every((scale) => scale && isScale(scale)),
  };
  const isEven: Guard = {
    word: 'as many zero points as scales, or one',
    holds: (match, context) => {
      const { inputs } = match.node('fused');
      return placesOf(fused, match.node('fused')).every((at) => areEven(inputs.slice(at + 1, at + 3), context));
    },
  };
  // Operands with fixed places have their scales in the pattern.
  return [...(fused.attributes ? [hasForm] : []), ...(typeof fused.operands === 'function' ? [hasScales] : []), isEven];
}

/** A scale per row or column lies along an axis that a vector names; other forms stay. */
function isScale({ type, dims }: Tensor): boolean {
  return type === 'float32' && dims.length <= 1;
}

/** Patterns of the inputs of an operator whose operands have fixed places: constant scales. */
function operandPatterns(fused: Fused): readonly Pattern[] {
  const { operands: places } = fused;
  if (typeof places === 'function') return [];
  const scale = (at: number) => constant(`scale${at}`, 'float32', isScale);
  return Array.from({ length: places.at(-1)! + 2 }, (_, at) => (places.includes(at - 1) ? scale(at - 1) : optional()));
}

function placesOf({ operands }: Fused, node: Node): readonly number[] {
  return typeof operands === 'function' ? operands(node) : operands;
}

function attributesOf(match: Match, fused: Fused): ReadonlyMap<string, Attribute> | undefined {
  return fused.attributes ? fused.attributes(match.node('fused')) : match.node('fused').attributes;
}

function scalesOf(match: Match, context: PatternContext, fused: Fused): readonly (Tensor | undefined)[] {
  const node = match.node('fused');
  return placesOf(fused, node).map((at) => context.constant(node.inputs[at + 1] ?? ''));
}

function takenApart(match: Match, context: RewriteContext, fused: Fused): Rewrite {
  const node = match.node('fused');
  const parts = new Parts(node, context);
  const inputs = placesOf(fused, node).map((at, operand) => {
    const rank = context.typeOf(node.inputs[at])?.shape?.length ?? 2;
    return parts.dequantize(node.inputs.slice(at, at + 3), fused.axis?.(operand, rank, node) ?? 0);
  });
  const bias = node.inputs[fused.bias ?? -1] ?? '';
  if (bias !== '') {
    const scales = scalesOf(match, context, fused) as readonly Tensor[];
    const scale = biasScale(scales, attribute(node, 'alpha', 'float', 1));
    const name = context.add(`${node.name}_bias_scale`, scale);
    inputs.push(parts.dequantize([bias, name], 0, elementCount(scale.dims)));
  }
  const grid = node.inputs.slice(fused.result, fused.result + 2);
  return parts.finish(fused.op, inputs, attributesOf(match, fused)!, grid);
}

/** Whether scale and zero point have one element or as many as the other. */
function areEven(parameters: readonly string[], context: PatternContext): boolean {
  const counts = parameters.map((name) => elementCount(context.constant(name)?.dims ?? []));
  return counts.every((count) => count === 1 || count === Math.max(...counts));
}

/** `fl(fl(x_scale * w_scale) * alpha)`, one element per weight scale. */
function biasScale([x, w]: readonly Tensor[], alpha: number): Tensor {
  const [xScale] = viewAs(x, 'float32');
  const scales = viewAs(w, 'float32').map((scale) => Math.fround(scale * xScale) * alpha);
  return tensorOf('float32', scales.length === 1 ? [] : [scales.length], scales);
}

/** Collects the nodes that take the place of one fused node. */
class Parts {
  private readonly node: Node;
  private readonly context: RewriteContext;
  private readonly nodes: Node[] = [];

  constructor(node: Node, context: RewriteContext) {
    this.node = node;
    this.context = context;
  }

  /** Dequantizes a value with its scale and zero point: one for all, or `count` along `axis`. */
  dequantize([value, ...parameters]: readonly string[], axis: number, count?: number): string {
    const { node, context } = this;
    const output = context.fresh(`${node.name}_${value}_float`);
    const given = parameters.filter((name) => name !== '');
    const counts = given.map((name) => elementCount(context.constant(name)?.dims ?? []));
    const length = count ?? Math.max(...counts);
    const inputs = count
      ? given
      : given.map((name, index) => (counts[index] < length ? this.repeat(name, length) : name));
    const attributes = new Map(length === 1 ? [] : [['axis', { kind: 'int', value: axis }] as const]);
    this.nodes.push({
      ...node,
      name: output,
      op: 'DequantizeLinear',
      domain: '',
      inputs: [value, ...inputs],
      outputs: [output],
      attributes,
    });
    return output;
  }

  /** A constant of one element as a vector: fused nodes may have many scales and one zero point, or the reverse. */
  private repeat(name: string, count: number): string {
    const { type, bytes } = this.context.constant(name)!;
    const repeated = new Uint8Array(bytes.length * count);
    for (let index = 0; index < count; index++) repeated.set(bytes, index * bytes.length);
    return this.context.add(`${name}_repeated`, { type, dims: [count], bytes: repeated });
  }

  /** The float operator, and the quantization of its result unless that stays float. */
  finish(
    op: string,
    inputs: readonly string[],
    attributes: ReadonlyMap<string, Attribute>,
    grid: readonly string[],
  ): Rewrite {
    const { node, context, nodes } = this;
    const staysFloat = (grid[0] ?? '') === '';
    const output = staysFloat ? node.outputs[0] : context.fresh(`${node.outputs[0]}_float`);
    nodes.push({ ...node, op, domain: '', inputs, outputs: [output], attributes });
    if (!staysFloat)
      nodes.push({
        ...node,
        name: context.fresh(`${node.name}_quantize`),
        op: 'QuantizeLinear',
        domain: '',
        inputs: [output, ...grid.filter((name) => name !== '')],
        attributes: new Map(),
      });
    return replaceBy(node, nodes);
  }
}

/** Whether a name is a constant of one element that has axes. */
function isLoneElement(name: string, context: PatternContext): boolean {
  const tensor = context.constant(name);
  return tensor !== undefined && tensor.dims.length > 0 && elementCount(tensor.dims) === 1;
}

/** The name of a constant of one element as a scalar; a name of anything else as it is. */
function asScalar(name: string, context: RewriteContext): string {
  if (!isLoneElement(name, context)) return name;
  const { type, bytes } = context.constant(name)!;
  return context.add(`${name}_scalar`, { type, dims: [], bytes });
}
