/** One layer of lib/: what it may import besides itself, and whether it may use `node:` modules and packages. */
export interface Layer {
  readonly imports: readonly string[] | 'everything' | 'everything but cli';
  /** Packages and node: modules allowed. */
  readonly outside: boolean;
}

const layer = (imports: Layer['imports'] | string, outside?: 'outside'): Layer => ({
  imports:
    imports === 'everything' || imports === 'everything but cli' ? imports : String(imports).split(' ').filter(Boolean),
  outside: outside === 'outside',
});

/** The layer table of lib/: imports follow the data. */
export const LAYERS: Readonly<Record<string, Layer>> = {
  core: layer(''),
  ir: layer('core'),
  ops: layer('core ir'),
  onnx: layer('core ir', 'outside'),
  data: layer('core ir', 'outside'),
  passes: layer('core ir ops'),
  train: layer('core ir ops passes'),
  compress: layer('core ir ops passes train'),
  plan: layer('core'),
  compile: layer('core ir ops passes plan'),
  search: layer('core ir compress compile'),
  bundle: layer('core plan', 'outside'),
  engine: layer('core plan', 'outside'),
  reference: layer('core ir onnx', 'outside'),
  protocol: layer('core'),
  telemetry: layer('core'),
  sensors: layer('core telemetry', 'outside'),
  store: layer('core telemetry', 'outside'),
  agent: layer('core plan bundle engine protocol sensors telemetry client', 'outside'),
  client: layer('core data protocol telemetry', 'outside'),
  boards: layer('core bundle engine protocol telemetry client', 'outside'),
  report: layer('core compress search store telemetry', 'outside'),
  jobs: layer('everything but cli', 'outside'),
  cli: layer('everything', 'outside'),
};

/** Packages that every layer may import: they compute values from values, as the pure layers do. */
export const PURE_PACKAGES = ['zod'];

/** Layers that take values and return values: no clock, no unseeded randomness, no printing. */
export const PURE = [
  ...['core', 'ir', 'ops', 'passes', 'train', 'compress', 'compile', 'search', 'plan', 'protocol', 'telemetry'],
];

/** The layer table of native/: which folders each may include besides itself. */
export const NATIVE_LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kernels: ['core'],
  gpu: ['core'],
  probe: ['core'],
  engine: ['core', 'kernels', 'gpu', 'probe'],
  binding: ['core', 'kernels', 'gpu', 'probe', 'engine'],
  capi: ['core', 'engine'],
  tools: ['core', 'kernels', 'gpu', 'probe', 'engine'],
};
