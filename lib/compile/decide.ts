import type { KernelCall } from '../ops/kernel-call';
import { PLAN_OPS } from '../plan/plan-ops';
import { sameGrid } from './grid';
import type { Family, Integers, LoweredLayer, Results } from './layer';
import type { QuantizedView } from './lowering';
import type { Quantization } from './step';
import { Unsupported } from './unsupported';

/** How a layer will run: with integers, or in float for a reason. Nothing is emitted before `emit` is called. */
export type Decision<C extends KernelCall> =
  | {
      readonly form: 'int8';
      readonly layer: LoweredLayer<C>;
      readonly grid: Quantization;
      readonly emit: () => Results;
    }
  | { readonly form: 'float'; readonly layer: LoweredLayer<C>; readonly reason: string; readonly emit: () => Results };

/**
 * Chooses the form of a layer. It runs with integers where its operands are there as int8, its result has a grid, and what
 * its family asks besides holds: weights that int8 kernels take, sums that int32 holds.
 */
export function decide<C extends KernelCall>(family: Family<C>, layer: LoweredLayer<C>): Decision<C> {
  try {
    const { layer: whole, integers, lower } = integerForm(family, layer);
    return { form: 'int8', layer: whole, grid: integers.grid, emit: lower(whole, integers) };
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error;
    const { float } = family;
    // Activations behind integers have kernels of their own.
    const whole = float?.fuses && layer.isReal ? layer : layer.alone();
    const emit = () => {
      if (float === undefined) throw error;
      return float.lower(whole);
    };
    return { form: 'float', layer: whole, reason: error.message, emit };
  }
}

/** The int8 form with what it works with. @throws Unsupported with the reason when a layer lacks some of it */
function integerForm<C extends KernelCall>({ integer }: Family<C>, layer: LoweredLayer<C>) {
  if (integer === undefined) throw new Unsupported('the engine has a float kernel for it, none for int8');
  const { operands: wanted, grid, lower } = integer;
  const { inputs } = layer.node;
  const found = (wanted === 'all' ? inputs : inputs.slice(0, 1)).map((_, index) => layer.integer(index));
  const missing = found.indexOf(undefined);
  if (missing !== -1)
    throw new Unsupported(inputs.length === 1 ? 'its input is float' : `its ${ordinal(missing)} input is float`);
  const operands = found as QuantizedView[];
  if (grid === 'result') {
    const { quantize } = layer.tail;
    if (quantize === undefined) throw new Unsupported(whyNotQuantized(layer));
    return { layer, integers: { operands, grid: quantize.quantization }, lower };
  }
  if (grid === 'operand')
    return { layer: layer.alone(), integers: { operands, grid: operands[0].quantization }, lower };
  const near = layer.withoutActivations();
  return { layer: near, integers: eitherGrid(near, operands), lower };
}

function eitherGrid(layer: LoweredLayer, operands: readonly QuantizedView[]): Integers {
  const [{ quantization: own }] = operands;
  // Bytes stand for themselves.
  if (layer.bytes !== undefined) return { operands, grid: own };
  const behind = layer.tail.quantize?.quantization;
  if (behind === undefined && !operands.every(({ quantization }) => sameGrid(quantization, own)))
    throw new Unsupported('its inputs have several scales, and its result is not quantized');
  return { operands, grid: behind ?? own };
}

function whyNotQuantized(layer: LoweredLayer): string {
  const { nodes, isOutput } = layer.readers(layer.tail.value);
  if (isOutput) return 'its result is an output of the model in float';
  return nodes > 1 ? `its result is not quantized for one reader, ${nodes} read it` : 'its result is not quantized';
}

function ordinal(index: number): string {
  return ['first', 'second', 'third'][index] ?? `${index + 1}th`;
}

/** Whether a family only looks at values in another way, in whatever form they are. */
export function isView<C extends KernelCall>({ integer, ops }: Family<C>): boolean {
  return integer?.grid === 'operand' && ops.every((op) => PLAN_OPS[op].domain === 'any');
}
