import { Agent } from 'node:http';
import type { AgentStatus } from '../protocol/agent-status';
import type { TelemetryFrame } from '../telemetry/sample';
import { connectThrough } from './agent-client';
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

/**
 * Client of the agent at `url`, for example `http://127.0.0.1:8700`. Nothing is sent yet. Its methods throw
 * E_AGENT_UNREACHABLE for silence, E_AGENT_REFUSED for an answer that is an error or not an agent's, and E_RESPONSE_FORMAT for
 * outputs that are none.
 * @throws E_OPTION_VALUE for a URL that is none
 */
export function connect(url: string): AgentClient {
  return connectThrough(url, new Agent({ keepAlive: true, noDelay: true }));
}
