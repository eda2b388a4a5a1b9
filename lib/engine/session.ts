import { type ErrorDetails, HoneError } from '../core/error';
import { ERRORS, type ErrorCode } from '../core/error-table';
import { adviceOn } from '../core/nearest';
import { PLAN_VERSION } from '../plan/format';
import {
  loadAddon,
  type NativeDescription,
  type NativeOptions,
  type NativeSession,
  type PlanArray,
  type SessionLoad,
  type SessionMemory,
  type SessionProfile,
} from './addon';
import {
  allocate,
  arrayView,
  copyElements,
  elementsOf,
  type Feeds,
  type TensorInfo,
  takeInputs,
  takeOutputs,
  tensorInfo,
} from './arrays';
import { packedCacheFolder } from './packed-cache-folder';

export interface SessionOptions {
  /** Threads that one inference may use, 1 to 64; default 1. Results do not depend on it. */
  readonly threads?: number;
  /** Instruction sets that kernels may use, as in HONE_CPU; default: that variable, else all of this CPU. */
  readonly cpu?: string;
  /** Times every k-th run node by node (true: every run); default false. */
  readonly profile?: boolean | number;
  /** Index of the shape variant; default 0. */
  readonly variant?: number;
  /**
   * Keeps packed weights in a folder, so that later processes map them instead of packing: a folder, or true for HONE_CACHE or
   * else `hone/packed` in XDG_CACHE_HOME or `~/.cache`. Default: HONE_CACHE when it names a folder, else no cache, for a process that runs once gains
   * less than it leaves behind. Never needed: what is damaged, foreign or cannot be written is packed anew.
   */
  readonly packedCache?: boolean | string;
  /**
   * Most bytes that packed weights, tensors between nodes and working memory may take; default 0: what this machine has, and where
   * it runs in a container (control groups, version 2) what that may have. A plan that needs more is refused before it takes any.
   */
  readonly memoryLimit?: number;
}

/** The output of one node during a dump, in the physical layout ([N, H, W, C] for images). */
export interface NodeDump {
  readonly node: string;
  readonly op: string;
  readonly tensor: string;
  readonly dims: readonly number[];
  readonly data: PlanArray;
}

/**
 * Opens a plan, as bytes or by path (then its weights are mapped into memory: replace such a file by rename, never in place).
 * Sessions of the same bytes, in any thread of the process, share the plan and its packed weights.
 * @throws E_PLAN_FORMAT, E_PLAN_VERSION, E_FILE_NOT_FOUND, E_MEMORY, E_CPU_MASK, E_OPTION_UNKNOWN, E_OPTION_VALUE,
 *   E_ADDON_MISSING
 */
export function openSession(plan: Uint8Array | string, options: SessionOptions = {}): Session {
  const native = checkOptions(options);
  const addon = loadAddon();
  const path = typeof plan === 'string' ? plan : 'plan';
  // The native side takes no shared memory: somebody might change it between check and copy.
  const own = typeof plan === 'string' || plan.buffer instanceof ArrayBuffer ? plan : new Uint8Array(plan);
  return new Session(translate({ path, cpu: native.cpu }, () => new addon.Session(own, native)));
}

/** Words of the instruction sets that `mask` (as in HONE_CPU) leaves on this machine. @throws E_CPU_MASK */
export function describeCpu(mask = ''): string {
  return translate({ cpu: mask }, () => loadAddon().describeCpu(mask));
}

/** Arrays given to `Session.bind`. */
interface Binding {
  readonly inputs: readonly PlanArray[];
  readonly outputs: readonly PlanArray[];
}

/** One model ready to run. Hold it in one thread; close it when done. */
export class Session {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Name of the shape variant. */
  readonly variant: string;
  /** Names of all shape variants of the plan, by index. */
  readonly variants: readonly string[];
  /** Instruction sets that its kernels may use. */
  readonly cpu: string;
  readonly threads: number;
  readonly memory: SessionMemory;
  /** What opening it took. */
  readonly load: SessionLoad;
  private readonly native: NativeSession;
  private bound: Binding | undefined;
  private own: Binding | undefined;
  private closed = false;
  private readonly hasCounts: boolean;

  /** Use `openSession`. */
  constructor(native: NativeSession) {
    const description: NativeDescription = native.describe();
    this.native = native;
    this.inputs = description.inputs.map(tensorInfo);
    this.outputs = description.outputs.map(tensorInfo);
    this.hasCounts = description.outputs.some(({ counted }) => counted !== undefined);
    this.variant = description.variant;
    this.variants = description.variants;
    this.cpu = description.cpu;
    this.threads = description.threads;
    this.memory = description.memory;
    this.load = description.load;
  }

  /**
   * Fresh outputs by name for the inputs given; of those with an extent that the run decides, as many elements as `dimsOf` tells.
   * @throws E_INPUT_NAME, E_INPUT_TYPE, E_INPUT_SHAPE, E_INPUT_LENGTH, E_INPUT_INDEX, E_BRANCH_LEFT_OUT,
   *   E_SESSION_CLOSED
   */
  run(feeds: Feeds): Record<string, PlanArray> {
    const { outputs } = this.fill(feeds);
    this.runNative();
    const dims = this.hasCounts ? this.native.outputDims() : undefined;
    return Object.fromEntries(
      this.outputs.map(({ name }, i) => [name, outputs[i].slice(0, dims && elementsOf(dims[i]))]),
    );
  }

  /**
   * Extents of an output in the last run: those of its port, but the one that runs decide, of which the port tells the most.
   * @throws E_OUTPUT_NAME, E_SESSION_CLOSED, E_SESSION_BUSY
   */
  dimsOf(output: string): readonly number[] {
    this.requireOpen();
    const index = this.outputs.findIndex(({ name }) => name === output);
    if (index < 0)
      throw new HoneError('E_OUTPUT_NAME', {
        name: output,
        expected: this.outputs.map(({ name }) => `'${name}'`).join(', '),
      });
    const { dims, counted } = this.outputs[index];
    return counted === undefined ? dims : translate({}, () => this.native.outputDims())[index];
  }

  /**
   * The same beside this thread, over copies of the inputs: the event loop goes on meanwhile. One at a time; until the promise
   * settles `run`, bound functions, `dump`, `reset` and `profile` throw E_SESSION_BUSY. `signal` ends it between two nodes, as
   * `close` does; states then stay as they were.
   * @throws (rejects with) what `run` throws, E_SESSION_BUSY, E_INTERRUPTED
   */
  async runAsync(feeds: Feeds, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Record<string, PlanArray>> {
    this.requireOpen();
    const inputs = takeInputs(this.inputs, feeds);
    if (signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: 'the inference' });
    const cancel = () => {
      if (!this.closed) this.native.cancel();
    };
    try {
      const running = this.native.runAsync(inputs);
      signal?.addEventListener('abort', cancel);
      const buffers = await running;
      return Object.fromEntries(this.outputs.map(({ name, type }, i) => [name, arrayView(type, buffers[i])]));
    } catch (error) {
      throw translated(error, {});
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /**
   * The fast form: a function that runs one inference from and to the arrays given here, with no copy and no allocation. An
   * output with an extent that the run decides takes an array for the most that it can be, and begins with what `dimsOf` tells.
   * Arrays must not overlap; moving their memory away (transfer) makes the function throw.
   * @throws as `run`; E_OUTPUT_NAME, E_OUTPUT_TYPE, E_OUTPUT_LENGTH, E_OUTPUT_OVERLAP
   */
  bind(inputs: Readonly<Record<string, PlanArray>>, outputs: Readonly<Record<string, PlanArray>>): () => void {
    this.requireOpen();
    const binding = { inputs: takeInputs(this.inputs, inputs), outputs: takeOutputs(this.outputs, outputs) };
    this.activate(binding);
    return () => {
      requireMemory(this.inputs, binding.inputs, 'E_INPUT_LENGTH');
      requireMemory(this.outputs, binding.outputs, 'E_OUTPUT_LENGTH');
      if (this.bound !== binding) this.activate(binding);
      this.runNative();
    };
  }

  /**
   * At most so many threads, 1 to 64, take part in runs from now on: a part of those it was opened with. Results do not depend on
   * it. @throws E_OPTION_VALUE, E_SESSION_CLOSED, E_SESSION_BUSY
   */
  limitThreads(threads: number): void {
    this.requireOpen();
    requireInteger('threads', threads, 1, 64);
    translate({}, () => this.native.limitThreads(threads));
  }

  /** Output of every node of one inference, in order of execution; for bit checks. @throws as `run` */
  dump(feeds: Feeds): NodeDump[] {
    this.fill(feeds);
    return translate({}, () => this.native.dump()).map(({ data, type, ...rest }) => ({
      ...rest,
      data: arrayView(type, data),
    }));
  }

  /** Puts tensors that are kept between runs back to zero. @throws E_SESSION_CLOSED */
  reset(): void {
    this.requireOpen();
    translate({}, () => this.native.reset());
  }

  /** What each node cost so far, over the timed runs. @throws E_SESSION_CLOSED */
  profile(): SessionProfile {
    this.requireOpen();
    return translate({}, () => this.native.profile());
  }

  /** Frees the memory. Closing twice is allowed. */
  close(): void {
    this.closed = true;
    this.bound = undefined;
    this.own = undefined;
    this.native.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Copies the feeds into arrays of our own and binds those. */
  private fill(feeds: Feeds): Binding {
    this.requireOpen();
    const given = takeInputs(this.inputs, feeds);
    this.own ??= { inputs: this.inputs.map(allocate), outputs: this.outputs.map(allocate) };
    if (this.bound !== this.own) this.activate(this.own);
    for (const [i, array] of given.entries()) copyElements(array, this.own.inputs[i]);
    return this.own;
  }

  private runNative(): void {
    try {
      this.native.run();
    } catch (error) {
      throw translated(error, {});
    }
  }

  private activate(binding: Binding): void {
    this.requireOpen();
    translate({}, () => this.native.bind(binding.inputs, binding.outputs));
    this.bound = binding;
  }

  private requireOpen(): void {
    if (this.closed) throw new HoneError('E_SESSION_CLOSED');
  }
}

/** A transferred array has length 0; its memory may be gone. */
function requireMemory(
  ports: readonly TensorInfo[],
  arrays: readonly PlanArray[],
  code: 'E_INPUT_LENGTH' | 'E_OUTPUT_LENGTH',
): void {
  for (let i = 0; i < arrays.length; i++)
    if (arrays[i].length !== ports[i].length)
      throw new HoneError(code, { name: ports[i].name, expected: ports[i].length, found: arrays[i].length });
}

const OPTIONS = [
  'memoryLimit',
  'threads',
  'cpu',
  'profile',
  'variant',
  'packedCache',
] as const satisfies readonly (keyof SessionOptions)[];

function checkOptions(options: SessionOptions): NativeOptions {
  for (const option of Object.keys(options))
    if (!(OPTIONS as readonly string[]).includes(option))
      throw new HoneError('E_OPTION_UNKNOWN', { option, ...adviceOn(option, OPTIONS), verb: 'run' });
  const { threads = 1, cpu = process.env.HONE_CPU ?? '', profile = false, variant = 0, packedCache } = options;
  const { memoryLimit = 0 } = options;
  requireInteger('threads', threads, 1, 64);
  requireInteger('variant', variant, 0, 2 ** 31);
  const profileEvery = Number(profile);
  requireInteger('profile', profileEvery, 0, 2 ** 31);
  requireInteger('memoryLimit', memoryLimit, 0, Number.MAX_SAFE_INTEGER);
  return { memoryLimit, threads, cpu, profileEvery, variant, cache: packedCacheFolder(packedCache) };
}

function requireInteger(option: string, value: number, low: number, high: number): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  throw new HoneError('E_OPTION_VALUE', { option, expected: `integer from ${low} to ${high}`, found: String(value) });
}

/** What the user gave, for messages. */
interface Context {
  readonly path?: string;
  readonly cpu?: string;
}

/** Calls `work`; an error of the addon becomes a HoneError. */
function translate<T>(context: Context, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translated(error, context);
  }
}

/** An error of the addon as a HoneError; others as they are. */
function translated(error: unknown, context: Context): unknown {
  const { code, message } = error as { code?: ErrorCode; message: string };
  if (error instanceof HoneError || code === undefined || !(code in ERRORS)) return error;
  return new HoneError(code, detailsOf(code, message, context), { cause: error });
}

function detailsOf(code: ErrorCode, message: string, { path = '', cpu = '' }: Context): ErrorDetails {
  switch (code) {
    case 'E_INTERRUPTED':
      return { what: message };
    case 'E_INPUT_INDEX':
    case 'E_BRANCH_LEFT_OUT':
      return { node: message };
    case 'E_PLAN_VERSION':
      return { found: message, expected: PLAN_VERSION };
    case 'E_FILE_NOT_FOUND':
      return { path, reason: message };
    case 'E_CPU_MASK':
      return { word: cpu, expected: message.replace(/^.*offers: /, '') };
    case 'E_OPTION_VALUE':
      return { option: 'of the session', expected: message, found: 'another value' };
    case 'E_OUTPUT_OVERLAP':
      return { name: message };
    default:
      return { reason: message, message };
  }
}
