import { closeSync, openSync, readSync } from 'node:fs';
import type { Datatype } from '../../core/datatype';
import type { PlanArray, SessionProfile } from '../../engine/addon';
import { arrayView, elementBytes, elementsOf, type TensorInfo } from '../../engine/arrays';
import { openSession, type Session } from '../../engine/session';
import type { PlanType } from '../../plan/format';
import { readPlanMetadata } from '../../plan/read-metadata';
import {
  type Opened,
  type OpenRequest,
  paddedBytes,
  payloadPlaces,
  type WorkerPort,
  type WorkerRunResult,
} from '../worker-protocol';

const DATATYPE: Readonly<Record<PlanType, Datatype>> = {
  float32: 'FP32',
  float16: 'FP16',
  int64: 'INT64',
  int32: 'INT32',
  int8: 'INT8',
  uint8: 'UINT8',
  bool: 'BOOL',
};

/** Runs expected to take longer go beside the thread that reads frames, which then hears of a cancel; in nanoseconds. */
const BESIDE_NS = 2e6;
const ZEROS = new Uint8Array(64);

/** What a run gave: figures, and the pieces of a payload, valid until the next run begins. */
export interface RunAnswer {
  readonly result: WorkerRunResult;
  readonly payload: readonly Uint8Array[];
}

/** A plan over memory of its own, where payloads arrive and leave. */
export class ModelRunner {
  /** Where the payload of the next run belongs: its inputs lie there as typed arrays. */
  readonly inputMemory: Uint8Array;
  private readonly session: Session;
  private readonly feeds: Readonly<Record<string, PlanArray>>;
  /** Two forms in turns: the outputs of one run may still be on their way when the next begins. */
  private readonly forms: readonly { readonly outputs: readonly PlanArray[]; readonly run: () => void }[];
  private turn = 0;
  private readonly isCounted: boolean;
  private readonly metadata: Readonly<Record<string, string>>;
  private readonly firstRunNs: number;
  private threads: number;
  /** Of the last run. */
  private lastNs: number;
  private running: AbortController | undefined;

  /** @throws what `openSession` throws */
  constructor(plan: string, { threads, profileEvery, packedCache }: OpenRequest) {
    this.session = openSession(plan, {
      threads,
      profile: profileEvery,
      ...(packedCache === undefined ? {} : { packedCache }),
    });
    const { inputs, outputs } = this.session;
    this.metadata = ownMetadata(plan);
    this.threads = threads;
    const input = arraysIn(inputs);
    this.inputMemory = input.memory;
    this.feeds = byName(inputs, input.arrays);
    this.forms = [0, 1].map(() => {
      const { arrays } = arraysIn(outputs);
      return { outputs: arrays, run: this.session.bind(this.feeds, byName(outputs, arrays)) };
    });
    this.isCounted = outputs.some(({ counted }) => counted !== undefined);
    this.firstRunNs = this.runZeros();
    this.lastNs = this.firstRunNs;
  }

  describe(): Opened {
    const { inputs, outputs, memory, load, cpu } = this.session;
    return {
      inputs: inputs.map(portOf),
      outputs: outputs.map(portOf),
      memory,
      load,
      cpu,
      metadata: this.metadata,
      firstRunNs: this.firstRunNs,
    };
  }

  /**
   * One run over what lies in `inputMemory`, with so many threads. A short one is done when it returns.
   * @throws what a run throws (or rejects with it); E_INTERRUPTED
   */
  run(threads: number): RunAnswer | Promise<RunAnswer> {
    if (threads !== this.threads) this.session.limitThreads(threads);
    this.threads = threads;
    const begun = process.hrtime.bigint();
    const outputs = this.lastNs < BESIDE_NS ? this.runHere() : this.runBeside();
    return outputs instanceof Promise
      ? outputs.then((given) => this.answer(begun, given))
      : this.answer(begun, outputs);
  }

  private answer(begun: bigint, outputs: readonly PlanArray[]): RunAnswer {
    const computeNs = Number(process.hrtime.bigint() - begun);
    this.lastNs = computeNs;
    if (!this.isCounted) return { result: { computeNs }, payload: padded(outputs) };
    const shapes = this.session.outputs.map(({ name }) => this.session.dimsOf(name));
    return {
      result: { computeNs, shapes },
      payload: padded(outputs.map((array, index) => array.subarray(0, elementsOf(shapes[index])))),
    };
  }

  /** Ends the run that is under way before its next node. */
  cancel(): void {
    this.running?.abort();
  }

  /** @throws E_SESSION_BUSY during a run */
  profile(): SessionProfile {
    return this.session.profile();
  }

  close(): void {
    this.session.close();
  }

  /** A run that touches all memory, so that the first request finds it there and the front knows how long one takes. */
  private runZeros(): number {
    const begun = process.hrtime.bigint();
    try {
      this.runHere();
    } catch {
      return 0;
    }
    this.session.reset();
    return Number(process.hrtime.bigint() - begun);
  }

  private runHere(): readonly PlanArray[] {
    const { run, outputs } = this.forms[this.turn];
    this.turn = 1 - this.turn;
    run();
    return outputs;
  }

  private async runBeside(): Promise<readonly PlanArray[]> {
    this.running = new AbortController();
    try {
      const given = await this.session.runAsync(this.feeds, { signal: this.running.signal });
      return this.session.outputs.map(({ name }) => given[name]);
    } finally {
      this.running = undefined;
    }
  }
}

function portOf({ name, type, dims, length, counted }: TensorInfo): WorkerPort {
  const datatype = DATATYPE[type];
  const port = { name, datatype, shape: dims, bytes: length * elementBytes(type) };
  return counted === undefined ? port : { ...port, counted };
}

function byName(ports: readonly TensorInfo[], arrays: readonly PlanArray[]): Record<string, PlanArray> {
  return Object.fromEntries(ports.map(({ name }, index) => [name, arrays[index]]));
}

/** Arrays for ports in one block of memory, at the places of a payload. */
function arraysIn(ports: readonly TensorInfo[]): {
  readonly memory: Uint8Array;
  readonly arrays: readonly PlanArray[];
} {
  const { offsets, length } = payloadPlaces(ports.map((port) => portOf(port).bytes));
  const memory = new Uint8Array(length);
  return {
    memory,
    arrays: ports.map((port, index) => arrayView(port.type, memory.buffer, offsets[index], port.length)),
  };
}

function padded(arrays: readonly PlanArray[]): Uint8Array[] {
  return arrays.flatMap(({ buffer, byteOffset, byteLength }) => {
    const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
    const padding = paddedBytes(byteLength) - byteLength;
    return padding === 0 ? [bytes] : [bytes, ZEROS.subarray(0, padding)];
  });
}

/** Metadata under keys of ours, of a plan that a session has opened. */
function ownMetadata(plan: string): Record<string, string> {
  const file = openSync(plan, 'r');
  try {
    const all = readPlanMetadata((offset, count) => {
      const bytes = new Uint8Array(count);
      readSync(file, bytes, 0, count, offset);
      return bytes;
    });
    const own = Object.entries(all).filter(([key, value]) => key.startsWith('hone.') && typeof value === 'string');
    return Object.fromEntries(own) as Record<string, string>;
  } finally {
    closeSync(file);
  }
}
