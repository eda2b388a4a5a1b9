import { HoneError } from '../core/error';
import { type Tensor, tensorOf, viewAs } from '../ir/tensor';
import type { StepParameter } from './parameters';
import type { Masking, MaskMoment } from './train-options';

/** State of a run by input name. */
type State = ReadonlyMap<string, Tensor>;

/**
 * The state before step `at.step` (from 0), with new masks when they are due. What a `frozen` mask newly covers becomes zero,
 * and so does the optimiser's memory of it.
 * @throws E_INTERNAL when a new mask is missing or has another shape
 */
export function renewMasks(
  state: State,
  parameters: readonly StepParameter[],
  masking: Masking,
  at: { readonly step: number; readonly steps: number },
): State {
  const { update } = masking;
  if (!update || at.step % update.everySteps !== 0) return state;
  const masks = update.masks(momentOf(state, parameters, at));
  return withMasks(state, parameters, masking, masks);
}

/** The state with these masks, one per masked parameter. */
export function withMasks(
  state: State,
  parameters: readonly StepParameter[],
  masking: Masking,
  masks: ReadonlyMap<string, Tensor>,
): State {
  const values = new Map(state);
  for (const { name, input, dims, mask: place, slots, average } of parameters) {
    if (place === undefined) continue;
    const mask = masks.get(name);
    if (!mask || String(mask.dims) !== String(dims))
      throw new HoneError('E_INTERNAL', {
        message: `the mask of '${name}': expected [${dims}], found ${mask ? `[${mask.dims}]` : 'none'}`,
      });
    values.set(place, mask);
    if (masking.mode === 'dense') continue;
    for (const covered of [input, ...slots.map((slot) => slot.input), ...(average ? [average.input] : [])])
      values.set(covered, multiplied(values.get(covered)!, mask));
  }
  return values;
}

function momentOf(
  state: State,
  parameters: readonly StepParameter[],
  at: { readonly step: number; readonly steps: number },
): MaskMoment {
  const masked = parameters.filter(({ mask }) => mask !== undefined);
  const collect = (place: (parameter: StepParameter) => string | undefined): Map<string, Tensor> => {
    const found = new Map<string, Tensor>();
    for (const parameter of masked) {
      const input = place(parameter);
      if (input !== undefined) found.set(parameter.name, state.get(input)!);
    }
    return found;
  };
  return {
    ...at,
    weights: collect(({ input }) => input),
    masks: collect(({ mask }) => mask),
    scores: collect(({ score }) => score?.input),
  };
}

/** Product of two float32 tensors of one shape, element by element. */
export function multiplied(a: Tensor, b: Tensor): Tensor {
  const [left, right] = [viewAs(a, 'float32'), viewAs(b, 'float32')];
  return tensorOf(
    'float32',
    a.dims,
    // A masked negative weight would be -0, which is no zero byte: adding zero makes it 0.
    Float32Array.from(left, (value, index) => value * right[index] + 0),
  );
}
