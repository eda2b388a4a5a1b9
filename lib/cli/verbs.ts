import type { VerbRow } from './verb';

/** Every verb of the program, in the order of use. */
export const VERBS: readonly VerbRow[] = [
  {
    name: 'inspect',
    summary: 'show inputs, outputs, operators, cost, and what the engine lacks',
    load: () => (require('./verbs-inspect') as typeof import('./verbs-inspect')).inspectVerb,
  },
  {
    name: 'train',
    summary: 'train a float model, or go on training it, with labelled samples',
    load: () => (require('./verbs-train') as typeof import('./verbs-train')).trainVerb,
  },
  {
    name: 'synthesize',
    summary: 'make samples from the batch-norm statistics of a model, where there are no data',
    load: () => (require('./verbs-synthesize') as typeof import('./verbs-synthesize')).synthesizeVerb,
  },
  {
    name: 'sensitivity',
    summary: 'what each layer alone loses by fewer bits and by pruning, the most sensitive layer first',
    load: () => (require('./verbs-explain') as typeof import('./verbs-explain')).sensitivityVerb,
  },
  {
    name: 'compress',
    summary: 'make a model smaller: to int8 with calibration samples, or by the steps of a recipe',
    load: () => (require('./verbs-compress') as typeof import('./verbs-compress')).compressVerb,
  },
  {
    name: 'explain',
    summary: 'say why each layer of a compressed model got its treatment',
    load: () => (require('./verbs-explain') as typeof import('./verbs-explain')).explainVerb,
  },
  {
    name: 'compile',
    summary: 'compile a model to a plan for the native engine',
    load: () => (require('./verbs-compile') as typeof import('./verbs-compile')).compileVerb,
  },
  {
    name: 'run',
    summary: 'run one sample and print the outputs',
    load: () => (require('./verbs-measure') as typeof import('./verbs-measure')).runVerb,
  },
  {
    name: 'stream',
    summary:
      'run a model over pictures of a camera or sound of a microphone from standard input, one line of JSON per answer',
    load: () => (require('./verbs-stream') as typeof import('./verbs-stream')).streamVerb,
  },
  {
    name: 'eval',
    summary: 'accuracy on labelled samples, agreement and SQNR against the float model',
    load: () => (require('./verbs-measure') as typeof import('./verbs-measure')).evalVerb,
  },
  {
    name: 'bench',
    summary: 'latency of the native engine beside onnxruntime, interleaved',
    load: () => (require('./verbs-measure') as typeof import('./verbs-measure')).benchVerb,
  },
  {
    name: 'profile',
    summary: 'what a plan costs here: time and memory of every node, energy, and what the figures depend on',
    load: () => (require('./verbs-profile') as typeof import('./verbs-profile')).profileVerb,
  },
  {
    name: 'serve',
    summary: 'answer inference requests over HTTP on this machine until Ctrl-C',
    load: () => (require('./verbs-serve') as typeof import('./verbs-serve')).serveVerb,
  },
  {
    name: 'deploy',
    summary: 'compress, compile and have the model served: on a board, or in the background on this machine',
    load: () => (require('./verbs-board') as typeof import('./verbs-board')).deployVerb,
  },
  {
    name: 'watch',
    summary: 'show the live telemetry of an agent',
    load: () => (require('./verbs-board') as typeof import('./verbs-board')).watchVerb,
  },
  {
    name: 'logs',
    summary: 'show the last lines that an agent printed',
    load: () => (require('./verbs-board') as typeof import('./verbs-board')).logsVerb,
  },
  {
    name: 'status',
    summary: 'show what an agent serves, how its workers fare, and the memory of its processes',
    load: () => (require('./verbs-agent') as typeof import('./verbs-agent')).statusVerb,
  },
  {
    name: 'load',
    summary: 'have an agent of this machine serve a model of its folder',
    load: () => (require('./verbs-agent') as typeof import('./verbs-agent')).loadVerb,
  },
  {
    name: 'unload',
    summary: 'have an agent of this machine serve a model no more',
    load: () => (require('./verbs-agent') as typeof import('./verbs-agent')).unloadVerb,
  },
  {
    name: 'board',
    summary: 'name boards, ask what they are, remove Hone from them',
    load: () => (require('./verbs-boards') as typeof import('./verbs-boards')).boardVerb,
  },
  {
    name: 'doctor',
    summary: 'check what this machine has and what it lacks',
    load: () => (require('./verbs-machine') as typeof import('./verbs-machine')).doctorVerb,
  },
  {
    name: 'build-addon',
    summary: 'compile the native engine for this machine, where the package carries none that fits',
    load: () => (require('./verbs-machine') as typeof import('./verbs-machine')).buildAddonVerb,
  },
  {
    name: 'completion',
    summary: 'print a script that makes a shell complete verbs and options',
    load: () => (require('./verbs-completion') as typeof import('./verbs-completion')).completionVerb(VERBS),
  },
];
