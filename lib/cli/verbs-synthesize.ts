import { requireModel } from '../jobs/make-plan';
import { synthesize } from '../jobs/synthesize';
import { decimal, INPUTS, integer, openModel } from './flags';
import { targetOf } from './target';
import { bytesText } from './text';
import type { Verb } from './verb';

export const synthesizeVerb: Verb = {
  args: [{ name: '<model>', description: 'a float ONNX model with BatchNormalization' }],
  options: [
    { flags: '--out <path>', description: '.npz file to write; <model>.samples.npz when left out' },
    ...INPUTS,
    { flags: '--count <n>', description: 'samples to make', default: '64' },
    { flags: '--steps <n>', description: 'steps of optimisation per 64 samples', default: '200' },
    { flags: '--mean <x>', description: 'mean of prepared inputs', default: '0' },
    { flags: '--deviation <x>', description: 'standard deviation of prepared inputs', default: '1' },
    { flags: '--seed <n>', description: 'decides everything that is random', default: '1' },
  ],
  examples: ['hone synthesize model.onnx --count 128 --out made.npz', 'hone compress model.onnx --data made.npz'],
  async run([path], options, console) {
    const target = await targetOf(path, options, '.samples.npz');
    const model = requireModel(await openModel(path, options, console), 'make samples from');
    const report = await synthesize(model, {
      images: {
        count: integer(options, 'count', 1, 1e6),
        steps: integer(options, 'steps', 1, 1e6),
        mean: decimal(options, 'mean', -1e6, 1e6),
        deviation: decimal(options, 'deviation', Number.MIN_VALUE, 1e6),
        seed: integer(options, 'seed', 0, 2 ** 32 - 1),
      },
      target,
      onProgress: (done, total) => console.progress('step', done, total),
      signal: console.signal,
    });
    console.result(report);
    const { before, after } = report.loss;
    console.say(`distance from the statistics: ${before.toPrecision(3)} as noise, ${after.toPrecision(3)} in the end`);
    console.say(`wrote ${target}: ${report.count} samples without labels, ${bytesText(report.sizeBytes)}`);
    return undefined;
  },
};
