import type { Datatype } from '../core/datatype';
import type { SessionLoad, SessionMemory, SessionProfile } from '../engine/addon';
import type { FrameLimits } from '../protocol/frame';

/** Kinds of frames between front and worker; the front asks, the worker answers with the same id. */
export const WORKER_FRAME = {
  /** Front: `OpenRequest`. Answer: `opened` or `failed`. The first frame, once. */
  open: 1,
  opened: 2,
  /** Front: `RunRequest` and the inputs. Answer: `result` with the outputs, or `failed`. At most one more may wait behind it. */
  run: 3,
  result: 4,
  /** Front: ends the run of this id before its next node; it is answered by `failed` then. No answer of its own. */
  cancel: 5,
  /** Front: asks for what nodes cost. Answer: `profiled`, when no run is under way. */
  profile: 6,
  profiled: 7,
  failed: 8,
} as const;

/** Tensors of a payload begin at multiples of this, so that they are typed arrays where they lie. */
const TENSOR_ALIGNMENT = 64;

/** Most bytes of JSON in a frame: names of ports and nodes of large plans. */
const JSON_LIMIT = 16 << 20;

export function workerFrameLimits(payloadBytes: number): FrameLimits {
  return { jsonBytes: JSON_LIMIT, payloadBytes };
}

export interface OpenRequest {
  readonly threads: number;
  /** Times every k-th run. */
  readonly profileEvery: number;
  readonly packedCache?: boolean | string;
}

/** A port of a worker's plan. */
export interface WorkerPort {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Of outputs: the axis whose extent a run decides. */
  readonly counted?: number;
}

/** What a worker tells of its plan. */
export interface Opened {
  readonly inputs: readonly WorkerPort[];
  readonly outputs: readonly WorkerPort[];
  readonly memory: SessionMemory;
  readonly load: SessionLoad;
  readonly cpu: string;
  /** Texts of the plan's metadata under keys of ours. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Nanoseconds of a first run of zeros; 0 where the plan refuses them. */
  readonly firstRunNs: number;
}

export interface RunRequest {
  /** Threads that were granted to this run. */
  readonly threads: number;
}

export interface WorkerRunResult {
  /** Nanoseconds inside the engine. */
  readonly computeNs: number;
  /** Shape of every output, where runs decide any. */
  readonly shapes?: readonly (readonly number[])[];
}

export type Profiled = SessionProfile;

/** Places of tensors in a payload, by index, and its length. */
export function payloadPlaces(bytes: readonly number[]): {
  readonly offsets: readonly number[];
  readonly length: number;
} {
  let length = 0;
  const offsets = bytes.map((count) => {
    const offset = length;
    length += paddedBytes(count);
    return offset;
  });
  return { offsets, length };
}

export function paddedBytes(bytes: number): number {
  return Math.ceil(bytes / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;
}
