import { attribute } from '../../ir/attribute';
import type { Dim } from '../../ir/graph';
import { toNumbers } from '../../ir/tensor';
import { hasInput, unknownDim } from '../axes';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import { addDims, floorDivDims, knownDims, subDims } from '../dims';
import { fourierMatrix, fourierSum, hasMatrix, onesidedExtent, requireTransform } from '../fourier';
import type { Operator } from '../operator';
import { FLOATS, INDEX_TYPES, optional, problem, required } from '../schema';

/** Fourier transforms of overlapping frames of a signal `[N, length, 1 or 2]`: `[N, frames, frequencies, 2]`. */
export const stft: Operator = {
  op: 'STFT',
  domain: '',
  since: 17,
  schema: {
    inputs: [
      required('signal', FLOATS),
      required('frame_step', INDEX_TYPES),
      optional('window', FLOATS),
      optional('frame_length', INDEX_TYPES),
    ],
    outputs: [required('output', FLOATS)],
    attributes: { onesided: { kind: 'int' } },
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type, shape } = inputs[0]!;
    if (!shape) return [{ type, shape }];
    // Runtimes take real signals without their last axis, too.
    if (shape.length !== 2 && shape.length !== 3)
      return problem(node, 'shape-mismatch', `expected a signal [N, length, 1], found [${shape}]`);
    if (!hasInput(context, 2) && !hasInput(context, 3))
      return problem(node, 'missing-input', 'expected a window or a frame_length, found neither');
    const step = context.partial(1)?.[0];
    const frame: Dim | undefined = hasInput(context, 3) ? context.partial(3)?.[0] : inputs[2]?.shape?.[0];
    if ((typeof step === 'number' && step < 1) || (typeof frame === 'number' && frame < 1))
      return problem(node, 'shape-mismatch', `expected frames and steps of at least 1, found ${frame} and ${step}`);
    if (typeof frame === 'number' && typeof shape[1] === 'number' && shape[1] < frame)
      return problem(node, 'shape-mismatch', `expected a signal of at least ${frame} elements, found ${shape[1]}`);
    const fresh = (axis: number) => unknownDim(node.outputs[0], axis);
    const frames =
      frame === undefined || typeof step !== 'number'
        ? fresh(1)
        : addDims(floorDivDims(subDims(shape[1], frame), step), 1);
    const onesided = attribute(node, 'onesided', 'int', 1) !== 0;
    const frequencies = frame === undefined ? fresh(2) : onesided ? onesidedExtent(frame) : frame;
    return [{ type, shape: [shape[0], frames, frequencies, 2] }];
  },
  evaluate: ([signal, stepInput, window, frameInput], node) => {
    const [batch, length, parts = 1] = signal!.dims;
    const step = stepInput!.data[0];
    const frame = frameInput ? frameInput.data[0] : window!.dims[0];
    const frames = Math.floor((length - frame) / step) + 1;
    const onesided = attribute(node, 'onesided', 'int', 1) !== 0;
    const frequencies = onesided ? Math.floor(frame / 2) + 1 : frame;
    requireTransform(batch * frames * frequencies, frame);
    const result = emptyLike(signal!, [batch, frames, frequencies, 2]);
    let place = 0;
    for (let row = 0; row < batch; row++)
      for (let start = 0; start < frames * step; start += step) {
        const at = (n: number, part: number) =>
          part < parts ? signal!.data[(row * length + start + n) * parts + part] * (window ? window.data[n] : 1) : 0;
        for (let k = 0; k < frequencies; k++) {
          const { real, imaginary } = fourierSum(
            (n) => at(n, 0),
            (n) => at(n, 1),
            k,
            frame,
          );
          result.data[place++] = real;
          result.data[place++] = imaginary;
        }
      }
    return [result];
  },
  cost: elementCost,
  lower: ({ node, inputs: [signal], constant }) => {
    const dims = knownDims(signal?.shape);
    const given = [1, 2, 3].map((index) => (node.inputs[index] ? constant(index) : null));
    if (!dims || !given[0] || given.includes(undefined) || (!given[1] && !given[2]))
      return problem(node, 'not-lowered', 'the shape of the signal, the steps or the window are not constant');
    const [step, window, frame] = given.map((tensor) => tensor && toNumbers(tensor));
    const [parts = 1] = dims.slice(2);
    const length = frame ? frame[0] : window!.length;
    const frequencies = attribute(node, 'onesided', 'int', 1) !== 0 ? Math.floor(length / 2) + 1 : length;
    const transform = { length, terms: length, parts, frequencies, window: window ?? undefined };
    if (!hasMatrix(transform)) return problem(node, 'not-lowered', `frames of ${length} elements have no kernel`);
    const matrix = () => fourierMatrix(transform);
    const [hop] = step!;
    return { kernel: 'fourier', axis: 1, parts, terms: length, step: hop, frequencies, matrix };
  },
};
