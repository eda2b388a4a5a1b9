import { runAccuracy } from './accuracy';
import { runKernels } from './kernels';
import { runLatency } from './latency';
import { runMemory } from './memory';
import { runOverhead } from './overhead';
import { runStepTime } from './training/step-time';
import type { Trial } from './trial';

/** Everything that `npm run bench` measures, in this order. */
export const TRIALS: readonly Trial[] = [
  { name: 'latency', what: 'int8 inference from JavaScript beside onnxruntime, one thread', run: runLatency },
  { name: 'accuracy', what: 'accuracy of the integer engine beside the float model', run: runAccuracy },
  { name: 'overhead', what: 'a call of a plan that computes almost nothing', run: runOverhead },
  { name: 'memory', what: 'bytes held, and resident memory above an idle process', run: runMemory },
  {
    name: 'training-step',
    what: 'a training step in forward passes of the same net, one thread',
    run: runStepTime,
  },
  { name: 'kernels', what: 'every kernel row on representative shapes', run: runKernels },
];
