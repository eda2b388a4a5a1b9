import { HoneError } from '../core/error';
import { patchGraph, usesOf } from '../ir/edit';
import type { Graph, Node } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import { fromDense, toDense } from '../ops/dense';
import { findOperator } from '../ops/index';

/**
 * The float graph behind a quantized one: every pair of QuantizeLinear and DequantizeLinear with the same scale and zero
 * point is dropped, and dequantized constants become float constants of the same value. Other conversions (a lone
 * QuantizeLinear before an integer output, two scales in a row) stay.
 */
export function removeQdq(graph: Graph): Graph {
  const uses = usesOf(graph);
  const redirect = new Map<string, string>();
  const initializers = new Map<string, Tensor>();
  const replace = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    if (node.op !== 'DequantizeLinear' || node.domain !== '') continue;
    const [quantized] = node.inputs;
    const source = uses.producer(quantized);
    if (source?.op === 'QuantizeLinear' && sameParameters(graph, source, node)) {
      redirect.set(node.outputs[0], source.inputs[0]);
      continue;
    }
    const constants = node.inputs.map((input) => graph.initializers.get(input));
    if (node.inputs.some((input, index) => input !== '' && constants[index] === undefined)) continue;
    initializers.set(node.outputs[0], dequantize(node, constants));
    replace.set(node, []);
  }
  return patchGraph(graph, { redirect, initializers, replace });
}

function sameParameters(graph: Graph, quantize: Node, dequantize: Node): boolean {
  return [1, 2].every((index) => {
    const [a, b] = [quantize.inputs[index] ?? '', dequantize.inputs[index] ?? ''];
    if (a === b) return true;
    const [left, right] = [graph.initializers.get(a), graph.initializers.get(b)];
    if (left === undefined || right === undefined || left.type !== right.type) return false;
    return left.dims.join() === right.dims.join() && left.bytes.every((byte, i) => byte === right.bytes[i]);
  });
}

function dequantize(node: Node, constants: readonly (Tensor | undefined)[]): Tensor {
  const evaluate = findOperator('', 'DequantizeLinear')?.evaluate;
  if (!evaluate) throw new HoneError('E_INTERNAL', { message: 'DequantizeLinear has no reference evaluation' });
  const inputs = constants.map((tensor) => tensor && toDense(tensor, 'float32'));
  return fromDense(evaluate(inputs, node, 'float32')[0]);
}
