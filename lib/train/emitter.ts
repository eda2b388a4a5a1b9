import { HoneError } from '../core/error';
import { attributes } from '../ir/attribute';
import { GraphBuilder } from '../ir/builder';
import type { ElementType } from '../ir/element-type';
import type { Graph, Node, ValueType } from '../ir/graph';
import type { Emitter } from '../ops/operator';
import { Inference } from '../passes/inference';

type AttributeValues = Parameters<typeof attributes>[0];

/** An `Emitter` that extends one graph: it knows the type of every value, old or new, and can add inputs. */
export interface GraphEmitter extends Emitter {
  /** Adds a graph input named `hint`, or like it when that is taken, and returns its name. */
  input(hint: string, type: ElementType, dims: readonly number[]): string;
  /**
   * The graph input of exactly this name: added by the first who asks, the same for all others. For what a batch or a schedule
   * carries by name.
   * @throws E_LOSS when the name belongs to something else
   */
  namedInput(name: string, type: ElementType, dims: readonly number[]): string;
  /** The node that makes `value`, undefined for inputs and constants. */
  producer(value: string): Node | undefined;
  /** The graph so far, with these outputs. Nothing may be emitted afterwards. */
  build(outputs: readonly string[]): Graph;
}

/** Constants up to this size are compared with earlier ones, so that equal shapes and axes are stored once. */
const SHARED_BYTES = 256;

/**
 * Emitter that goes on from `graph`, whose values have known types; the types of new nodes come from their operators.
 * @throws E_INTERNAL (from its methods) when an emitted node cannot be right
 */
export function createEmitter(graph: Graph): GraphEmitter {
  const builder = new GraphBuilder({ from: { ...graph, outputs: [] } });
  const inference = new Inference(graph);
  for (const node of graph.nodes) inference.visit(node);
  const shared = new Map<string, string>();
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) producers.set(output, node);
  const inputs = new Set(graph.inputs);

  function typeOf(value: string): ValueType {
    const type = inference.typeOf(value);
    if (!type?.shape?.every((dim) => typeof dim === 'number'))
      throw new HoneError('E_INTERNAL', { message: `the shape of value '${value}' is not known` });
    return type;
  }

  function nodes(op: string, inputs: readonly string[], count: number, values: AttributeValues = {}, domain = '') {
    const outputs = builder.nodes(op, inputs, count, values, { domain });
    const node = { name: outputs[0], op, domain, inputs, outputs, attributes: attributes(values) };
    for (const output of outputs) producers.set(output, node);
    const fault = inference.visit(node).find(({ severity }) => severity === 'error');
    if (fault) throw new HoneError('E_INTERNAL', { message: fault.message });
    for (const output of outputs) {
      const type = inference.typeOf(output);
      if (!type) throw new HoneError('E_INTERNAL', { message: `nothing is known of the outputs of operator ${op}` });
      builder.declare(output, type.type, type.shape);
    }
    return outputs;
  }

  function addInput(name: string, type: ElementType, dims: readonly number[]): string {
    inference.setType(name, { type, shape: dims });
    inputs.add(name);
    return builder.input(name, type, dims);
  }

  return {
    typeOf,
    constantOf: (value) => inference.constantOf(value),
    node: (op, inputs, values, options) => nodes(op, inputs, 1, values, options?.domain)[0],
    nodes: (op, inputs, count, values, options) => nodes(op, inputs, count, values, options?.domain),
    constant(tensor) {
      const small = tensor.bytes.length <= SHARED_BYTES;
      const key = small ? `${tensor.type}[${tensor.dims}]${tensor.bytes}` : '';
      const known = shared.get(key);
      if (known !== undefined) return known;
      const name = builder.initializer(tensor);
      inference.setConstant(name, tensor);
      if (small) shared.set(key, name);
      return name;
    },
    input: (hint, type, dims) => addInput(builder.fresh(hint), type, dims),
    namedInput(name, type, dims) {
      const known = inference.typeOf(name);
      if (!known) return addInput(name, type, dims);
      if (inputs.has(name) && known.type === type && String(known.shape) === String(dims)) return name;
      throw new HoneError('E_LOSS', {
        value: name,
        reason: `expected an input ${type}[${dims}], and the graph has ${known.type}[${known.shape}] of that name`,
      });
    },
    producer: (value) => producers.get(value),
    build(outputs) {
      for (const output of outputs) {
        const type = inference.typeOf(output);
        builder.output(output, type?.type, type?.shape);
      }
      return builder.build();
    },
  };
}
