import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HoneError } from '../core/error';
import type { PlanType } from '../plan/format';
import { bundled } from './bundled';
import { packageRoot } from './package-root';

/** Typed arrays that carry plan tensors: bool as bytes of 0 and 1, float16 as bit patterns. */
export type PlanArray = Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array | Uint16Array;

/** A port as the native side describes it. */
export interface NativePort {
  readonly name: string;
  readonly type: PlanType;
  readonly dims: readonly number[];
  /** Of outputs: the axis whose extent a run decides, that of `dims` at most. */
  readonly counted?: number;
}

/** Bytes that a session holds. */
export interface SessionMemory {
  /** The plan file; its weights are mapped when it was opened by path. */
  readonly planBytes: number;
  /** Weights in the layout of the kernels; sessions of the same plan share them. */
  readonly packedBytes: number;
  /** Of `packedBytes`, what lies in a mapped cache file: pages that the system may take back, and processes share. */
  readonly cachedBytes: number;
  /** Intermediate tensors. */
  readonly arenaBytes: number;
  /** Tensors kept between runs. */
  readonly stateBytes: number;
  /** Working memory of kernels, over all threads. */
  readonly scratchBytes: number;
}

/** What opening a session took. */
export interface SessionLoad {
  /** From the plan's first byte to a session that can run. */
  readonly us: number;
  /**
   * The cache of packed weights: off; read: nothing had to be packed; written: the next process will find what was packed;
   * failed: it could not be written, for `reason`.
   */
  readonly cache: 'off' | 'read' | 'written' | 'failed';
  readonly reason?: string;
}

export interface NativeDescription {
  readonly inputs: readonly NativePort[];
  readonly outputs: readonly NativePort[];
  readonly variant: string;
  /** Names of all shape variants of the plan. */
  readonly variants: readonly string[];
  /** Instruction sets that the session may use. */
  readonly cpu: string;
  readonly threads: number;
  readonly memory: SessionMemory;
  readonly load: SessionLoad;
}

/** What one node cost, over the timed runs. */
export interface NodeProfile {
  readonly name: string;
  readonly op: string;
  /** Kernel row that runs it, for example `conv_s8_neon_dotprod`. */
  readonly kernel: string;
  /** Threads that take part. */
  readonly threads: number;
  /** Timed runs that did not leave it out (a branch that was not taken); the figures are over them, 0 without any. */
  readonly runs: number;
  readonly meanNs: number;
  readonly leastNs: number;
  /** Percentiles, within a sixteenth. */
  readonly p50Ns: number;
  readonly p90Ns: number;
  readonly p99Ns: number;
}

export interface SessionProfile {
  /** Number of timed runs. */
  readonly runs: number;
  readonly nodes: readonly NodeProfile[];
}

export interface NativeDump {
  readonly node: string;
  readonly op: string;
  readonly tensor: string;
  readonly type: PlanType;
  readonly dims: readonly number[];
  readonly data: ArrayBuffer;
}

/** The class of the addon; its errors carry our codes as `code`. */
export interface NativeSession {
  bind(inputs: readonly PlanArray[], outputs: readonly PlanArray[]): void;
  run(): void;
  runAsync(inputs: readonly PlanArray[]): Promise<ArrayBuffer[]>;
  cancel(): void;
  limitThreads(threads: number): void;
  dump(): NativeDump[];
  /** Extents of every output in the last run. */
  outputDims(): number[][];
  reset(): void;
  describe(): NativeDescription;
  profile(): SessionProfile;
  close(): void;
}

export interface NativeOptions {
  readonly threads: number;
  readonly cpu: string;
  readonly profileEvery: number;
  readonly variant: number;
  /** Folder of the cache of packed weights; empty: none. */
  readonly cache: string;
  /** Most bytes of weights and tensors; 0 or none: what the machine and its container have. */
  readonly memoryLimit?: number;
}

export interface Addon {
  readonly Session: new (plan: Uint8Array | string, options: NativeOptions) => NativeSession;
  describeCpu(words?: string): string;
  /** Bytes that a control group (version 2) may have, by the file that names it and the folder of all; Infinity: no bound. */
  groupLimit(membership: string, root: string): number;
  /** Has the system end this process (SIGALRM) unless it is called again within so many seconds; 0 takes it back. */
  endIfSilent(seconds: number): void;
  /** What the garbage collector of this thread knows of memory outside its heap: bytes that sessions share once. */
  externalBytes(): number;
  /** Hands pages of freed blocks back to the system; only where the C library can (glibc). */
  trimMemory?(): void;
}

let loaded: Addon | undefined;

/**
 * The native addon of this platform, loaded once: from build/<platform>-<arch>/Release, else prebuilds/<platform>-<arch>; in the
 * bundle of the agent: from beside it.
 * @throws E_ADDON_MISSING when there is none, or the one there cannot be loaded
 */
export function loadAddon(): Addon {
  loaded ??=
    bundled === undefined
      ? loadFrom(packageRoot(), process.platform, process.arch)
      : loadFirst([join(__dirname, 'hone.node')], `${process.platform}-${process.arch}`);
  return loaded;
}

/** Where an addon for a target such as `linux-arm64` lies below `root` that was built there. */
export function builtAddonPath(root: string, target: string): string {
  return join(root, 'build', target, 'Release', 'hone.node');
}

/** The addon for `platform` and `arch` below `root`. @throws E_ADDON_MISSING */
export function loadFrom(root: string, platform: string, arch: string): Addon {
  const target = `${platform}-${arch}`;
  return loadFirst(addonPlaces(root, target), target);
}

/** Where an addon for a target may lie below `root`; the first that is there counts. */
export function addonPlaces(root: string, target: string): readonly string[] {
  return [builtAddonPath(root, target), join(root, 'prebuilds', target, 'hone.node')];
}

function loadFirst(places: readonly string[], target: string): Addon {
  const path = places.find((place) => existsSync(place));
  if (!path) throw new HoneError('E_ADDON_MISSING', { reason: `no addon for ${target} in ${places.join(' or ')}` });
  try {
    return require(path) as Addon;
  } catch (error) {
    const reason = `${path} does not load: ${(error as Error).message}`;
    throw new HoneError('E_ADDON_MISSING', { reason }, { cause: error });
  }
}
