import { HoneError } from '../core/error';
import { nearest } from '../core/nearest';
import type { Graph, Node } from '../ir/graph';
import { findOperator } from '../ops/index';
import { matchingGlob } from './glob';

/** Nodes that a method leaves alone: globs of node names, and operators. */
export interface Skip {
  readonly names: readonly string[];
  readonly types: readonly string[];
}

/** Why a node is left alone; undefined when it is not. */
export function skipReason(node: Node, skip: Skip): string | undefined {
  const glob = matchingGlob(node.name, skip.names);
  if (glob !== undefined) return `skipped by name '${glob}'`;
  return skip.types.includes(node.op) ? `skipped by type ${node.op}` : undefined;
}

/** @throws E_OPTION_VALUE when an entry means no node; `option` is its name in the message */
export function requireMeaning(graph: Graph, skip: Skip, option = 'skip'): void {
  const names = graph.nodes.map((node) => node.name);
  for (const glob of skip.names)
    if (!names.some((name) => matchingGlob(name, [glob]) !== undefined))
      throw new HoneError('E_OPTION_VALUE', {
        option: `${option}.names`,
        expected: `node names of the model, or globs that match some${suchAs(glob, names)}`,
        found: glob,
      });
  const types = graph.nodes.map((node) => node.op);
  for (const type of skip.types)
    if (!types.includes(type) && !findOperator('', type))
      throw new HoneError('E_OPTION_VALUE', {
        option: `${option}.types`,
        expected: `names of ONNX operators${suchAs(type, types)}`,
        found: type,
      });
}

/** ` (such as 'word')` with the nearest of the words; empty when none is near. */
export function suchAs(word: string, words: readonly string[]): string {
  const near = nearest(word, words);
  return near === undefined ? '' : ` (such as '${near}')`;
}
