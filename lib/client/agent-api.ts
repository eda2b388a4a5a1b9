import type { AgentStatus } from '../protocol/agent-status';
import type { TelemetryFrame } from '../telemetry/sample';
import type { PictureAnswer, PictureSource } from './infer-picture';
import type { Inputs, Outputs, TensorMetadata } from './tensors';

/** What an agent tells of its model. */
export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

/** What an agent tells of itself. */
interface AgentAbout {
  readonly pid: number;
  readonly model: string;
  readonly version: string;
}

/** Talks to one agent over HTTP; connections are kept and do not hold the process. */
export interface AgentClient {
  readonly url: string;
  about(signal?: AbortSignal): Promise<AgentAbout>;
  status(): Promise<AgentStatus>;
  metadata(model: string): Promise<ModelMetadata>;
  /** Sends the inputs as binary tensors and returns the outputs by name. */
  infer(model: string, inputs: Inputs): Promise<Outputs>;
  /**
   * Makes a picture the one input of a model, as its file says (`hone.preprocess`), and tells what the outputs mean, where it says
   * that (`hone.outputs`): what `hone run MODEL --input PICTURE` tells. Throws what reading a picture throws (E_FILE_NOT_FOUND,
   * E_DATA_FORMAT), E_DATA_MISMATCH for a model that takes no picture and E_PREPROCESS for one whose file does not say how.
   */
  inferPicture(model: string, picture: PictureSource): Promise<PictureAnswer>;
  /** Telemetry frames as they come, until the signal or the agent ends the stream. */
  telemetry(signal?: AbortSignal): AsyncIterable<TelemetryFrame>;
  /** Closes kept connections. */
  close(): void;
}
