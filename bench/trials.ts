import { runAccuracy } from './accuracy';
import { runBusyAgent } from './agent/busy';
import { runRequestCost } from './agent/cost';
import { END_PARTS, runAgentEnds } from './agent/ends';
import { runAgentMemory } from './agent/memory';
import { runQueueTimes } from './agent/queue';
import { runSoak } from './agent/soak';
import { runTwoModels } from './agent/two-models';
import { runBoardDeploy } from './boards/deploy';
import { CODED_WEIGHTS_PARTS, runCodedWeights } from './coded-weights';
import { COMPRESSION_COST_PARTS, runCompressionCost } from './compression-cost';
import { runEngineBefore } from './engine-before';
import { runKernels } from './kernels';
import { runLatency } from './latency';
import { runLoadTime } from './load-time';
import { runMemory } from './memory';
import { runMemoryScaling } from './memory-scaling';
import { runOverhead } from './overhead';
import { runProfilingCost } from './profiling-cost';
import { runPrunedTimes } from './pruned-times';
import { callParts } from './shipped/calls';
import { quantizedNetworkParts, runQuantizedNetworks } from './shipped/quantized-networks';
import { runShippedNetworks, shippedNetworkParts } from './shipped/shipped-networks';
import { DEFAULT_RECIPE_PARTS, runDefaultRecipe } from './training/default-recipe';
import { runDistillation } from './training/distillation';
import { runLowBits } from './training/low-bits';
import { runMnistPruning } from './training/mnist-pruning';
import { runMnistTraining } from './training/mnist-training';
import { runResume } from './training/resume';
import { runStepTime } from './training/step-time';
import { runStructured, STRUCTURED_PARTS } from './training/structured';
import { PEER_PARTS, runStructuredPeers } from './training/structured-peers';
import type { Trial } from './trial';
import { runZeroPoints } from './zero-points';

/** Everything that `npm run bench` measures, in this order. */
export const TRIALS: readonly Trial[] = [
  { name: 'latency', what: 'int8 inference from JavaScript beside onnxruntime, one thread', run: runLatency },
  {
    name: 'engine-before',
    what: 'int8 inference beside the engine of another commit',
    long: true,
    run: runEngineBefore,
  },
  { name: 'accuracy', what: 'accuracy of the integer engine beside the float model', run: runAccuracy },
  { name: 'overhead', what: 'a call of a plan that computes almost nothing', run: runOverhead },
  { name: 'memory', what: 'bytes held, and resident memory above an idle process', run: runMemory },
  {
    name: 'pruned-times',
    what: 'int8 networks with 60 % of their MACs beside the whole ones, channels chosen for this machine',
    run: runPrunedTimes,
  },
  {
    name: 'memory-scaling',
    what: 'peak memory and time of compilation and quantization by size of the model file',
    long: true,
    run: runMemoryScaling,
  },
  {
    name: 'training-step',
    what: 'a training step in forward passes of the same net, one thread',
    run: runStepTime,
  },
  {
    name: 'training',
    what: 'errors of LeNet-5 and LeNet-300-100 trained on MNIST',
    long: true,
    run: runMnistTraining,
  },
  {
    name: 'pruning',
    what: 'errors that pruning LeNet-5 and LeNet-300-100 to 8 % of their weights adds',
    long: true,
    run: runMnistPruning,
  },
  {
    name: 'distillation',
    what: "errors of Hinton's student on MNIST, alone and under its teacher",
    long: true,
    run: runDistillation,
  },
  {
    name: 'default-recipe',
    what: 'a recipe that names no steps on five networks, with at most a point of accuracy to lose',
    long: true,
    parts: DEFAULT_RECIPE_PARTS,
    run: runDefaultRecipe,
  },
  {
    name: 'structured',
    what: 'resnet20, dscnn and mobilenet without a part of their channels, on int8',
    long: true,
    parts: STRUCTURED_PARTS,
    run: runStructured,
  },
  {
    name: 'structured-peers',
    what: 'resnet20 with fewer channels by Hone and by Torch-Pruning: accuracy, and time on int8',
    long: true,
    parts: PEER_PARTS,
    run: runStructuredPeers,
  },
  {
    name: 'low-bits',
    what: 'accuracy of resnet8 with weights of 8 to 2 bits, by rounding and by training',
    long: true,
    run: runLowBits,
  },
  {
    name: 'resume',
    what: 'a recipe run on LeNet-5, killed at 20 random moments, beside an undisturbed one',
    long: true,
    run: runResume,
  },
  {
    name: 'compression-cost',
    what: 'CPU time and peak memory of compression beside another commit',
    long: true,
    parts: COMPRESSION_COST_PARTS,
    run: runCompressionCost,
  },
  {
    name: 'quantized-networks',
    what: 'SQNR of int8 at its defaults on networks that people ship, beside other quantizers',
    long: true,
    get parts() {
      return quantizedNetworkParts();
    },
    run: runQuantizedNetworks,
  },
  {
    name: 'shipped-networks',
    what: 'float networks that people ship, beside onnxruntime, one thread',
    long: true,
    get parts() {
      return shippedNetworkParts();
    },
    run: runShippedNetworks,
  },
  {
    name: 'coded-weights',
    what: 'fully connected layers of few rows over floats, int8, int4 and codebooks, one thread',
    long: true,
    parts: CODED_WEIGHTS_PARTS,
    run: runCodedWeights,
  },
  {
    name: 'zero-points',
    what: 'int8 layers with zero points of the weights beside those without, by time and by ARM instructions',
    long: true,
    run: runZeroPoints,
  },
  {
    name: 'load-time',
    what: 'opening a plan whose packed weights are cached, beside packing them',
    long: true,
    get parts() {
      return callParts();
    },
    run: runLoadTime,
  },
  {
    name: 'profiling-cost',
    what: 'inference whose nodes are timed beside one that is not, one thread',
    long: true,
    get parts() {
      return callParts();
    },
    run: runProfilingCost,
  },
  { name: 'kernels', what: 'every kernel row on representative shapes', run: runKernels },
  {
    name: 'agent-busy',
    what: 'health, telemetry and refusals of an agent under 100 clients and 64 stalled uploads',
    long: true,
    run: runBusyAgent,
  },
  {
    name: 'agent-queue',
    what: 'queue times that an agent tells beside those that clients see, at 1.2 of what it can answer',
    long: true,
    run: runQueueTimes,
  },
  {
    name: 'agent-cost',
    what: 'a request of 150 kB to an agent beside a bare HTTP echo of the same bytes',
    long: true,
    run: runRequestCost,
  },
  { name: 'agent-memory', what: 'memory of all processes of an agent with mnist-8', long: true, run: runAgentMemory },
  {
    name: 'agent-two-models',
    what: 'what two models of one agent answer at once, beside what they answer alone',
    long: true,
    run: runTwoModels,
  },
  {
    name: 'agent-ends',
    what: 'requests under way when an agent is told to stop, and when its worker dies',
    long: true,
    parts: END_PARTS,
    run: runAgentEnds,
  },
  {
    name: 'board-deploy',
    what: 'a deployment of 10 MB to a board beside `ssh board true`, 100 MB beside scp, over a real sshd',
    long: true,
    run: runBoardDeploy,
  },
  {
    name: 'agent-soak',
    what: 'an hour of mixed load on an agent, a part of it hostile: memory, descriptors, failures',
    long: true,
    run: runSoak,
  },
];
