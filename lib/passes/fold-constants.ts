import { makeNames, namesOf, patchGraph, subgraphsOf, type Uses, usesOf } from '../ir/edit';
import { byteLength, type ElementType } from '../ir/element-type';
import type { Dim, Graph, Node } from '../ir/graph';
import { elementCount, type Tensor, tensorFrom } from '../ir/tensor';
import { findOperator } from '../ops';
import { fromDense, isFloat, toDense } from '../ops/dense';
import { knownDims } from '../ops/dims';
import type { Dense, Operator } from '../ops/operator';
import { constantTensor } from '../ops/operators/constant';
import { Inference, type InferenceMemory } from './inference';

/** Dequantized constants are what a compressed model is made of: they never become floats. */
const KEPT = new Set(['DequantizeLinear']);

/** A folded value may be this much larger than what it is made of. */
const GROWTH_LIMIT = 4;
const GROWTH_FREE_BYTES = 1 << 20;

/** Operators whose inputs behind the first are weights, and the most bytes of those that are computed. */
const WEIGHTED: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'LSTM', 'GRU', 'RNN']);
const WEIGHT_BYTES = 1 << 28;
/** Most nodes between a value and the layer that reads what is made of it as weights. */
const WEIGHT_STEPS = 16;

/**
 * The graph with every value computed that does not depend on inputs: nodes over constants (reference evaluation in
 * float32), shapes and shape arithmetic as far as extents are numbers, and Reshape targets with one symbol as `-1`.
 * Returns the same graph when there is nothing to fold.
 */
export function foldConstants(graph: Graph, memory?: InferenceMemory): Graph {
  const inference = new Inference(graph, memory);
  const found = new Map<string, Tensor>();
  const replace = new Map<Node, readonly Node[]>();
  const uses = usesOf(graph);
  const targets = new ReshapeTargets(graph, uses);
  const outputs = new Set(graph.outputs);
  const redirect = new Map<string, string>();
  const fresh = makeNames(namesOf(graph));
  for (const node of graph.nodes) {
    // A node that cannot be right is for shape inference to report, not to compute.
    if (inference.visit(node).some(({ severity }) => severity === 'error')) continue;
    // A graph output keeps a maker: not every runtime takes a constant there. Others that read it take the constant.
    const isOutput = node.outputs.some((name) => outputs.has(name));
    const isRead = node.outputs.some((name) => uses.consumers(name).length > 0);
    const values =
      isOutput && !isRead
        ? undefined
        : (noElements(node, inference) ?? evaluateNode(node, inference, uses) ?? knownElements(node, inference));
    if (values) {
      replace.set(node, []);
      for (const [name, tensor] of values) {
        const constant = isOutput ? fresh(`${name}/value`) : name;
        if (isOutput) redirect.set(name, constant);
        found.set(constant, tensor);
        inference.setConstant(name, tensor);
      }
      continue;
    }
    const target = targets.simplify(node, inference);
    if (!target) continue;
    found.set(target.name, target.tensor);
    replace.set(node, [target.node]);
  }
  if (replace.size === 0) return graph;
  const values = new Map([...graph.values].filter(([name]) => !found.has(name)));
  return patchGraph({ ...graph, values }, { replace, initializers: found, redirect });
}

type Values = ReadonlyMap<string, Tensor>;

/** Outputs that are known to be empty, whatever they are computed from. */
function noElements(node: Node, inference: Inference): Values | undefined {
  const tensors = node.outputs.map((name): Tensor | undefined => {
    const type = inference.typeOf(name);
    const dims = knownDims(type?.shape);
    return dims?.includes(0) && type!.type !== 'string'
      ? { type: type!.type, dims, bytes: new Uint8Array(0) }
      : undefined;
  });
  return tensors.every((tensor) => tensor) ? named(node, tensors as Tensor[]) : undefined;
}

/** Values of all outputs of a node whose inputs are all constant. */
function evaluateNode(node: Node, inference: Inference, uses: Uses): Values | undefined {
  const inputs = node.inputs.map((name) => (name === '' ? undefined : inference.constantOf(name)));
  if (node.op !== 'Constant' && growsTooMuch(node, inputs, inference, uses)) return undefined;
  return evaluateConstants(
    node,
    inputs,
    node.outputs.map((name) => inference.typeOf(name)?.type),
  );
}

/**
 * Values of all outputs of a node that cannot be wrong, when its inputs are all there; undefined for others, and for those that no
 * evaluation has exactly.
 */
export function evaluateConstants(
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  outputTypes: readonly (ElementType | undefined)[],
): ReadonlyMap<string, Tensor> | undefined {
  const operator = findOperator(node.domain, node.op);
  if (!operator?.evaluate || KEPT.has(node.op) || subgraphsOf(node).length > 0) return undefined;
  if (node.op === 'Constant') {
    const tensor = constantTensor(node);
    return tensor && new Map([[node.outputs[0], tensor]]);
  }
  if (node.inputs.some((name, index) => name !== '' && !inputs[index])) return undefined;
  if ([...inputs.map((input) => input?.type), ...outputTypes].includes('string')) return undefined;
  const outputs = tryEvaluate(operator.evaluate, inputs, node);
  if (!outputs?.every(isExact)) return undefined;
  // The mean of nothing is undefined: runtimes differ.
  const nothing = inputs.some((tensor) => tensor?.dims.includes(0));
  if (nothing && outputs.some(({ data }) => data.some((element: number) => Number.isNaN(element)))) return undefined;
  return named(node, outputs.map(fromDense));
}

/** A value that is only wrong at run time (an index out of range) leaves the node for the runtime to refuse. */
function tryEvaluate(
  evaluate: NonNullable<Operator['evaluate']>,
  inputs: readonly (Tensor | undefined)[],
  node: Node,
): readonly Dense[] | undefined {
  try {
    return evaluate(
      inputs.map((tensor) => tensor && toDense(tensor, 'float32')),
      node,
      'float32',
    );
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Outputs whose elements shape inference knows as numbers, though the inputs are not constant. */
function knownElements(node: Node, inference: Inference): Values | undefined {
  const tensors = node.outputs.map((name) => tensorOfElements(name, inference));
  return tensors.every((tensor) => tensor) ? named(node, tensors as Tensor[]) : undefined;
}

function tensorOfElements(name: string, inference: Inference): Tensor | undefined {
  const elements = inference.partialOf(name);
  const type = inference.typeOf(name);
  const dims = knownDims(type?.shape);
  if (!elements || !dims || elementCount(dims) !== elements.length) return undefined;
  if (!elements.every((element) => typeof element === 'number')) return undefined;
  const tensor = { type: type!.type, dims, data: elements as readonly number[] };
  const whole = isFloat(tensor.type) || elements.every(Number.isInteger);
  return whole && isExact(tensor) ? tensorFrom(tensor.type as 'int64', dims, tensor.data) : undefined;
}

function named(node: Node, tensors: readonly Tensor[]): Values {
  return new Map(node.outputs.flatMap((name, index) => (name === '' ? [] : [[name, tensors[index]] as const])));
}

/** Reference evaluation holds 64-bit integers as numbers: beyond 2^53 they would be wrong. */
function isExact({ type, dims, data }: Pick<Dense, 'type' | 'dims'> & { readonly data: ArrayLike<number> }): boolean {
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) return false;
  if (type !== 'int64' && type !== 'uint64') return true;
  return Array.prototype.every.call(data, Number.isSafeInteger);
}

function growsTooMuch(node: Node, inputs: readonly (Tensor | undefined)[], inference: Inference, uses: Uses): boolean {
  const before = inputs.reduce((sum, input) => sum + (input ? byteLength(input.type, elementCount(input.dims)) : 0), 0);
  const after = node.outputs.reduce((sum, name) => {
    const type = inference.typeOf(name);
    const dims = knownDims(type?.shape);
    return sum + (type && dims ? byteLength(type.type, elementCount(dims)) : 0);
  }, 0);
  if (after <= GROWTH_FREE_BYTES || after <= GROWTH_LIMIT * before) return false;
  return after > WEIGHT_BYTES || !node.outputs.every((name) => isWeight(name, uses));
}

/** Whether all that is made of a value is read as weights: those must be constant, however large. */
function isWeight(name: string, uses: Uses, steps = WEIGHT_STEPS): boolean {
  const consumers = uses.consumers(name);
  return (
    consumers.length > 0 &&
    consumers.every(({ op, domain, inputs, outputs }) => {
      if (domain === '' && WEIGHTED.has(op)) return inputs[0] !== name;
      return steps > 0 && outputs.every((output) => isWeight(output, uses, steps - 1));
    })
  );
}

/** Turns computed Reshape targets into constants: 0 where an extent stays, -1 for the one that is unknown. */
class ReshapeTargets {
  private readonly taken: Set<string>;
  private readonly uses: Uses;

  constructor(graph: Graph, uses: Uses) {
    this.uses = uses;
    this.taken = new Set([...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)]);
  }

  simplify(node: Node, inference: Inference): { node: Node; name: string; tensor: Tensor } | undefined {
    if (node.op !== 'Reshape' || node.domain !== '' || !this.uses.producer(node.inputs[1])) return undefined;
    const input = inference.typeOf(node.inputs[0])?.shape;
    const elements = inference.partialOf(node.inputs[1]);
    if (!input || !elements || node.attributes.get('allowzero')?.value) return undefined;
    const target = elements.map((dim, axis): Dim | undefined =>
      dim !== undefined && typeof dim !== 'number' && dim === input[axis] ? 0 : dim,
    );
    const open = target.filter((dim) => typeof dim !== 'number');
    if (open.length > 1 || (open.length === 1 && target.includes(-1))) return undefined;
    const numbers = target.map((dim) => (typeof dim === 'number' ? dim : -1));
    let name = `${node.name}_target`;
    while (this.taken.has(name)) name += '_';
    this.taken.add(name);
    const tensor = tensorFrom('int64', [numbers.length], numbers);
    return { node: { ...node, inputs: [node.inputs[0], name] }, name, tensor };
  }
}
