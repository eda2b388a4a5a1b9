import type { PlanArray, SessionProfile } from '../engine/addon';
import { allocate } from '../engine/arrays';
import { openSession, type Session } from '../engine/session';
import type { ModelMemory, NodeSummary } from '../telemetry/sample';
import { type Datatype, type InferRequest, type TensorData, type TensorSpec, writeInferResponse } from './protocol';
import { InferenceStatistics } from './telemetry';

/** Node times are taken of every inference of this number: one counter read per node, and not always. */
const PROFILE_EVERY = 16;

const DATATYPE: Readonly<Record<string, Datatype>> = { float32: 'FP32', uint8: 'UINT8', int8: 'INT8' };

/** A loaded plan that answers requests over buffers of its own, one inference after the other. */
export class ServedModel {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly memory: ModelMemory;
  readonly cpu: string;
  readonly statistics: InferenceStatistics = new InferenceStatistics();
  private readonly session: Session;
  private readonly inputBuffers: readonly PlanArray[];
  private readonly outputBuffers: readonly PlanArray[];
  private readonly run: () => void;

  /** @throws what `openSession` throws */
  constructor(name: string, plan: Uint8Array | string, threads: number) {
    this.name = name;
    this.session = openSession(plan, { threads, profile: PROFILE_EVERY });
    const { inputs, outputs, memory, cpu } = this.session;
    this.inputs = inputs.map(({ name: input, type, dims }) => ({ name: input, datatype: DATATYPE[type], shape: dims }));
    this.outputs = outputs.map(({ name: output, type, dims }) => ({
      name: output,
      datatype: DATATYPE[type],
      shape: dims,
    }));
    this.memory = {
      weightBytes: memory.planBytes + memory.packedBytes,
      arenaBytes: memory.arenaBytes + memory.stateBytes,
      scratchBytes: memory.scratchBytes,
    };
    this.cpu = cpu;
    this.inputBuffers = inputs.map(allocate);
    this.outputBuffers = outputs.map(allocate);
    const byName = (infos: typeof inputs, buffers: readonly PlanArray[]) =>
      Object.fromEntries(infos.map((info, index) => [info.name, buffers[index]]));
    this.run = this.session.bind(byName(inputs, this.inputBuffers), byName(outputs, this.outputBuffers));
  }

  /** Runs a request that arrived at `arrivalNs` (monotonic) and returns the response body. */
  infer(
    request: InferRequest,
    arrivalNs: bigint,
  ): { body: Uint8Array; headerLength: number | undefined; computeNs: number } {
    for (const [index, data] of request.inputs.entries()) this.inputBuffers[index].set(data);
    const start = process.hrtime.bigint();
    this.run();
    const computeNs = Number(process.hrtime.bigint() - start);
    this.statistics.record(Number(start - arrivalNs), computeNs);
    const outputs = this.outputBuffers as readonly TensorData[];
    return { ...writeInferResponse(this.name, request, this.outputs, outputs), computeNs };
  }

  /** Nodes with their mean time so far; empty before the first profiled inference. */
  nodes(): NodeSummary[] {
    const profile: SessionProfile = this.session.profile();
    const sum = profile.nodes.reduce((total, { meanNs }) => total + meanNs, 0);
    if (profile.runs === 0 || sum === 0) return [];
    return profile.nodes.map(({ name, op, kernel, meanNs }) => ({
      name,
      op,
      kernel,
      meanUs: meanNs / 1000,
      share: meanNs / sum,
    }));
  }

  close(): void {
    this.session.close();
  }
}
