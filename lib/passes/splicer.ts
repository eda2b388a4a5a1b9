import { makeNames, namesOf, patchGraph, renameReads } from '../ir/edit';
import type { Attribute, Graph, Node, ValueType } from '../ir/graph';
import type { Tensor } from '../ir/tensor';

/** Puts subgraphs in the place of the nodes that they belong to, under names of their own. */
export class Splicer {
  private readonly graph: Graph;
  private readonly fresh: (hint: string) => string;
  private readonly replaced = new Map<Node, readonly Node[]>();
  private readonly initializers = new Map<string, Tensor>();
  private readonly values = new Map<string, ValueType>();
  /** Names of the initializers of a subgraph, which all of its copies share. */
  private readonly shared = new Map<Graph, ReadonlyMap<string, string>>();

  constructor(graph: Graph) {
    this.graph = graph;
    this.fresh = makeNames(namesOf(graph));
  }

  /** The nodes of a subgraph that reads `inputs`, and the names of its outputs, as they are in the graph. */
  splice(
    node: Node,
    subgraph: Graph,
    inputs: readonly string[] = [],
  ): { nodes: readonly Node[]; outputs: readonly string[] } {
    const names = new Map<string, string>(this.constantsOf(node, subgraph));
    for (const [index, name] of subgraph.inputs.entries()) names.set(name, inputs[index]);
    for (const { outputs } of subgraph.nodes)
      for (const name of outputs) if (name !== '') names.set(name, this.fresh(`${node.name}/${name}`));
    const renamed = (name: string) => names.get(name) ?? name;
    for (const [name, type] of subgraph.values)
      if (names.has(name) && !subgraph.inputs.includes(name)) this.values.set(renamed(name), type);
    const nodes = subgraph.nodes.map((each) => ({
      ...renameReads(each, names),
      name: this.fresh(`${node.name}/${each.name}`),
      outputs: each.outputs.map(renamed),
    }));
    return { nodes, outputs: subgraph.outputs.map(renamed) };
  }

  /** A node of the standard domain with one output, of which it has the name. */
  node(place: Node, op: string, inputs: readonly string[], attributes: ReadonlyMap<string, Attribute>): Node {
    const output = this.fresh(`${place.name}/${op}`);
    return { name: output, op, domain: '', inputs, outputs: [output], attributes };
  }

  /** Name of a new constant. */
  constant(place: Node, tensor: Tensor): string {
    const name = this.fresh(`${place.name}/constant`);
    this.initializers.set(name, tensor);
    return name;
  }

  /** Puts `nodes` in the place of a node, and one node that `end` makes for each of its outputs. */
  replace(node: Node, nodes: readonly Node[], end: (index: number, output: string, name: string) => Node): void {
    const ends = node.outputs.flatMap((output, index) =>
      output === '' ? [] : [end(index, output, this.fresh(`${node.name}/${output}`))],
    );
    this.replaced.set(node, [...nodes, ...ends]);
  }

  /** The graph with all that was replaced; the graph itself when nothing was. */
  result(): Graph {
    const { graph, replaced, initializers, values } = this;
    return replaced.size === 0 ? graph : patchGraph(graph, { replace: replaced, initializers, values });
  }

  private constantsOf(node: Node, subgraph: Graph): ReadonlyMap<string, string> {
    const known = this.shared.get(subgraph);
    if (known !== undefined) return known;
    const names = new Map([...subgraph.initializers.keys()].map((name) => [name, this.fresh(`${node.name}/${name}`)]));
    for (const [name, tensor] of subgraph.initializers) this.initializers.set(names.get(name)!, tensor);
    this.shared.set(subgraph, names);
    return names;
  }
}
