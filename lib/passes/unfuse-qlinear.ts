import type { Graph, Node } from '../ir/graph';
import { elementCount, type Tensor, tensorOf, viewAs } from '../ir/tensor';
import { applyRules, type RewriteContext, type Rule } from './rewrite';

/**
 * The graph with QLinearConv and QLinearMatMul written as DequantizeLinear, float operator, QuantizeLinear: the form that
 * the rest of Hone works on. Bias becomes a DequantizeLinear with scale `x_scale * w_scale`. A node whose scales are not
 * constant stays. Returns the same graph when there is none.
 */
export function unfuseQlinear(graph: Graph): Graph {
  return applyRules(graph, [unfuseConv, unfuseMatMul]);
}

const unfuseConv: Rule = (node, context) => {
  if (node.op !== 'QLinearConv' || node.domain !== '') return undefined;
  const [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias = ''] = node.inputs;
  const scales = [xScale, wScale].map((name) => context.constant(name));
  if (scales.some((scale) => !scale)) return undefined;
  const parts = new Parts(node, context);
  const inputs = [
    parts.dequantize('x', x, xScale, xZero),
    parts.dequantize('w', w, wScale, wZero, axisOf(scales[1]!, 0)),
  ];
  if (bias !== '') inputs.push(parts.dequantize('bias', bias, parts.biasScale(scales[0]!, scales[1]!), '', 0));
  return parts.finish('Conv', inputs, yScale, yZero);
};

const unfuseMatMul: Rule = (node, context) => {
  if (node.op !== 'QLinearMatMul' || node.domain !== '') return undefined;
  const [a, aScale, aZero, b, bScale, bZero, yScale, yZero] = node.inputs;
  const scales = [aScale, bScale].map((name) => context.constant(name));
  // A scale per row of `a` or column of `b` lies along an axis that a vector names; other forms stay.
  if (scales.some((scale) => !scale || scale.dims.length > 1)) return undefined;
  const rank = (name: string) => context.typeOf(name)?.shape?.length ?? 2;
  const parts = new Parts(node, context);
  const inputs = [
    parts.dequantize('a', a, aScale, aZero, axisOf(scales[0]!, rank(a) - 2)),
    parts.dequantize('b', b, bScale, bZero, axisOf(scales[1]!, rank(b) - 1)),
  ];
  return parts.finish('MatMul', inputs, yScale, yZero);
};

/** The axis of a scale vector; none for a single scale. */
function axisOf(scale: Tensor, axis: number): number | undefined {
  return elementCount(scale.dims) === 1 ? undefined : axis;
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

  dequantize(what: string, value: string, scale: string, zeroPoint: string, axis?: number): string {
    const output = this.context.fresh(`${this.node.name}_${what}_float`);
    const inputs = [value, this.scalarOrVector(scale), ...(zeroPoint === '' ? [] : [this.scalarOrVector(zeroPoint)])];
    const attributes = new Map(axis === undefined ? [] : [['axis', { kind: 'int', value: axis }] as const]);
    this.nodes.push({ ...this.node, name: output, op: 'DequantizeLinear', inputs, outputs: [output], attributes });
    return output;
  }

  /** `fl(x_scale * w_scale)`, one element per weight scale. */
  biasScale(x: Tensor, w: Tensor): string {
    const [xScale] = viewAs(x, 'float32');
    const scales = viewAs(w, 'float32').map((scale) => scale * xScale);
    return this.context.add(
      `${this.node.name}_bias_scale`,
      tensorOf('float32', scales.length === 1 ? [] : [scales.length], scales),
    );
  }

  finish(op: string, inputs: readonly string[], scale: string, zeroPoint: string): { replace: Map<Node, Node[]> } {
    const output = this.context.fresh(`${this.node.outputs[0]}_float`);
    this.nodes.push({ ...this.node, op, inputs, outputs: [output] });
    this.nodes.push({
      ...this.node,
      name: this.context.fresh(`${this.node.name}_quantize`),
      op: 'QuantizeLinear',
      inputs: [output, this.scalarOrVector(scale), this.scalarOrVector(zeroPoint)],
      attributes: new Map(),
    });
    return { replace: new Map([[this.node, this.nodes]]) };
  }

  /** A vector of one element says "per axis" to DequantizeLinear: a constant one becomes a scalar. */
  private scalarOrVector(name: string): string {
    const tensor = this.context.constant(name);
    if (!tensor || tensor.dims.length === 0 || elementCount(tensor.dims) !== 1) return name;
    return this.context.add(`${name}_scalar`, { type: tensor.type, dims: [], bytes: tensor.bytes });
  }
}
