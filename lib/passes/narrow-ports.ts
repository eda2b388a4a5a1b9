import { attributes } from '../ir/attribute';
import { nameMaker, removeDead, renameReads } from '../ir/edit';
import { ELEMENT_TYPES, type ElementType } from '../ir/element-type';
import type { Graph, Node } from '../ir/graph';
import { inferShapes } from './infer-shapes';

/** Names of the inputs and outputs of a graph that are float16. */
export function float16PortsOf({ inputs, outputs, values }: Graph): ReadonlySet<string> {
  return new Set([...inputs, ...outputs].filter((name) => values.get(name)?.type === 'float16'));
}

/**
 * A graph of the dialect whose inputs and outputs of these names take and give float16 where they were float32, with a Cast behind
 * or before each; what lies between stays float32. Names that are no port, or no float32, change nothing. The graph itself when
 * nothing does. `widenFloats` undoes it, up to Casts without effect.
 */
export function narrowPorts(graph: Graph, ports: ReadonlySet<string>): Graph {
  const isNarrowed = (name: string) => ports.has(name) && graph.values.get(name)?.type === 'float32';
  const inputs = graph.inputs.filter(isNarrowed);
  // An input that is an output as well needs no second Cast.
  const outputs = [...new Set(graph.outputs)].filter((name) => isNarrowed(name) && !graph.inputs.includes(name));
  if (inputs.length + outputs.length === 0) return graph;
  const fresh = nameMaker(graph);
  const inner = new Map([...inputs, ...outputs].map((name) => [name, fresh(`${name}_float32`)]));
  const renamed = (name: string) => inner.get(name) ?? name;
  const nodes = graph.nodes.map((node) => {
    const reading = renameReads(node, inner);
    return node.outputs.some((name) => inner.has(name)) ? { ...reading, outputs: node.outputs.map(renamed) } : reading;
  });
  const values = [...graph.values].flatMap(([name, type]) =>
    inner.has(name)
      ? ([
          [name, { ...type, type: 'float16' }],
          [renamed(name), type],
        ] as const)
      : [[name, type] as const],
  );
  // Inputs that nobody reads get no Cast.
  const narrowed = removeDead({
    ...graph,
    nodes: [
      ...inputs.map((name) => castNode(name, renamed(name), 'float32', fresh(`${name}_cast`))),
      ...nodes,
      ...outputs.map((name) => castNode(renamed(name), name, 'float16', fresh(`${name}_cast`))),
    ],
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [renamed(name), tensor])),
    values: new Map(values),
  });
  // Extents that a run decides are called by the values that have them.
  return inferShapes(narrowed).graph;
}

function castNode(from: string, to: string, type: ElementType, name: string): Node {
  const { code } = ELEMENT_TYPES[type];
  return { name, op: 'Cast', domain: '', inputs: [from], outputs: [to], attributes: attributes({ to: code }) };
}
