import type { Kernel, LayerOf } from '../layer';
import type { Program } from '../program';

/** What a step of a layer makes: its name, the value that it stands for, and the extents of that. */
export interface Result {
  readonly program: Program;
  readonly name: string;
  readonly value: string;
  readonly extents: readonly number[];
}

/** The first output of a layer. */
export function layerResult<K extends Kernel>({ program, node, extents }: LayerOf<K>): Result {
  return { program, name: node.name, value: node.outputs[0], extents };
}

/** A value that a layer of several steps makes on its way. */
export function partOf(result: Result, part: string): Result {
  return { ...result, name: `${result.name}:${part}`, value: `${result.value}:${part}` };
}
