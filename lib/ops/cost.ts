import type { ValueType } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import { knownDims } from './dims';
import type { Cost } from './operator';

/** Cost of an operator that does `each` operations per output element. */
export function elementCost(
  _inputs: readonly (ValueType | undefined)[],
  outputs: readonly (ValueType | undefined)[],
  _node: unknown,
  each = 1,
): Cost {
  let elementOps = 0;
  for (const output of outputs) elementOps += each * countOf(output);
  return { macs: 0, elementOps };
}

/** Cost of an operator that reads every input element once (reductions). */
export function inputCost(inputs: readonly (ValueType | undefined)[]): Cost {
  return { macs: 0, elementOps: countOf(inputs[0]) };
}

/** Cost of an operator that only describes or re-labels data. */
export function noCost(): Cost {
  return { macs: 0, elementOps: 0 };
}

function countOf(value: ValueType | undefined): number {
  const dims = knownDims(value?.shape);
  return dims ? elementCount(dims) : 0;
}
