import type { Node } from '../../ir/graph';
import type { Tail } from '../network';
import type { Program } from '../program';
import { type Quantization, stepName } from '../step';

/** What a step of a layer makes: its name, the value that it stands for, and the extents of that. */
export interface Result {
  readonly program: Program;
  readonly name: string;
  readonly value: string;
  readonly extents: readonly number[];
}

/** What of a layer says what it makes. */
interface Layer {
  readonly program: Program;
  readonly node: Node;
  readonly tail: Tail;
  readonly extents: readonly number[];
}

/** The first output of a layer. */
export function layerResult({ program, node, extents }: Layer): Result {
  return { program, name: node.name, value: node.outputs[0], extents };
}

/** What ends a layer that is computed with what is behind it: on int8 the quantized value. */
export function tailResult({ program, node, tail, extents }: Layer, grid?: Quantization): Result {
  return { program, name: stepName(node, tail), value: grid ? tail.quantize!.value : tail.value, extents };
}

/** A value that a layer of several steps makes on its way. */
export function partOf(result: Result, part: string): Result {
  return { ...result, name: `${result.name}:${part}`, value: `${result.value}:${part}` };
}
