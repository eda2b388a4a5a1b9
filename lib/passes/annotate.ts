import type { Graph, Node } from '../ir/graph';
import { matchPattern } from './pattern';
import { type Findings, RECOGNITIONS } from './recognitions';
import { patternContextOf } from './rewrite';

/** A group of nodes that together compute something with a name. */
export interface Annotation {
  readonly name: string;
  /** Names of the nodes, in graph order. */
  readonly nodes: readonly string[];
  /** The value that the last of them makes. */
  readonly output: string;
  readonly findings: Findings;
}

/**
 * Decomposed operators in a graph: layer normalizations, GELUs, SiLUs, HardSwishes and scales of attention, in graph order of their
 * last nodes. Says what is there and changes nothing; values inside may have other readers. Looks at prepared graphs: in other
 * ones it finds fewer.
 */
export function annotate(graph: Graph): Annotation[] {
  const context = patternContextOf(graph);
  const place = new Map(graph.nodes.map((node, index) => [node, index]));
  const found: { readonly last: Node; readonly annotation: Annotation }[] = [];
  for (const { name, patterns, find } of RECOGNITIONS) {
    const taken = new Set<Node>();
    for (const pattern of patterns)
      for (const last of graph.nodes) {
        if (taken.has(last)) continue;
        let findings: Findings | undefined;
        const match = matchPattern(pattern, last, context, (candidate) => {
          findings = find(candidate, context);
          return findings !== undefined;
        });
        if (!match || !findings || match.nodes.some((node) => taken.has(node))) continue;
        const nodes = [...match.nodes].sort((a, b) => place.get(a)! - place.get(b)!);
        for (const node of nodes) taken.add(node);
        const annotation = { name, nodes: nodes.map((node) => node.name), output: last.outputs[0], findings };
        found.push({ last, annotation });
      }
  }
  return found.sort((a, b) => place.get(a.last)! - place.get(b.last)!).map(({ annotation }) => annotation);
}
