import type { PlanConvParams } from '../plan/description';
import { inputIndex } from '../plan/op-rule';
import { PLAN_OPS } from '../plan/plan-ops';
import type { Step } from './step';

/** Where a convolution takes what it adds. */
const RESIDUAL = inputIndex(PLAN_OPS.conv_s8, 'residual');

/**
 * Fuses int8 additions into the convolution that makes one of their operands: the convolution rounds to its own int8 in
 * registers and adds at once, so no value changes and one pass over memory goes. The convolution moves to the place of the
 * addition; of two candidates the later one is taken.
 */
export function fuseResiduals(steps: readonly Step[]): Step[] {
  const readers = new Map<number, number>();
  for (const step of steps)
    for (const input of step.inputs) if (input) readers.set(input.buffer.id, (readers.get(input.buffer.id) ?? 0) + 1);
  const result: Step[] = [];
  for (const step of steps) {
    const fused = step.op === 'binary_s8' && step.params.operation === 'add' ? fuse(result, step, readers) : undefined;
    if (fused === undefined) result.push(step);
    else {
      result.splice(fused.index, 1);
      result.push(fused.step);
    }
  }
  return result;
}

function fuse(
  steps: readonly Step[],
  add: Extract<Step, { op: 'binary_s8' }>,
  readers: ReadonlyMap<number, number>,
): { index: number; step: Step } | undefined {
  const [a, b] = add.inputs;
  if (a === undefined || b === undefined || a.buffer.count !== b.buffer.count) return undefined;
  for (let index = steps.length - 1; index >= 0; index--) {
    const step = steps[index];
    if (step.op !== 'conv_s8' || step.inputs[RESIDUAL] !== undefined) continue;
    const [output] = step.outputs;
    // The same buffer, not only the same memory: an operand read with another grid is not what the convolution rounded to.
    const residual = output.buffer === a.buffer ? b : output.buffer === b.buffer ? a : undefined;
    const { quantization } = output.buffer;
    if (residual === undefined || quantization === undefined || readers.get(output.buffer.id) !== 1) continue;
    const params: PlanConvParams = {
      ...step.params,
      residual: { scale: quantization.scale, zeroPoint: quantization.zeroPoint, clamp: add.params.clamp },
    };
    const dims = output.dims;
    const inputs = [...step.inputs.slice(0, RESIDUAL), { buffer: residual.buffer, dims }];
    const outputs = [{ buffer: add.outputs[0].buffer, dims }];
    return { index, step: { name: `${step.name}+${add.name}`, op: 'conv_s8', outputs, inputs, params } };
  }
  return undefined;
}
