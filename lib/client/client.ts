import { HoneError } from '../core/error';
import type { TelemetryFrame } from '../telemetry/sample';

/** What an agent tells of its model. */
export interface ModelMetadata {
  readonly name: string;
  readonly inputs: readonly { readonly name: string; readonly datatype: string; readonly shape: readonly number[] }[];
  readonly outputs: readonly { readonly name: string; readonly datatype: string; readonly shape: readonly number[] }[];
}

/** An error that the agent answered with; `code` is one of Hone's. */
export class AgentError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'AgentError';
    this.status = status;
    this.code = code;
  }
}

/** Talks to one agent over HTTP. */
export interface AgentClient {
  readonly url: string;
  metadata(model: string): Promise<ModelMetadata>;
  /** Sends float inputs as binary tensors and returns the outputs by name. */
  infer(model: string, inputs: Readonly<Record<string, Float32Array>>): Promise<Record<string, Float32Array>>;
  /** Telemetry frames as they come, until the signal or the agent ends the stream. */
  telemetry(signal?: AbortSignal): AsyncIterable<TelemetryFrame>;
}

/** Client of the agent at `url`, for example `http://127.0.0.1:8700`. Nothing is sent yet. */
export function connect(url: string): AgentClient {
  const base = url.replace(/\/$/, '');
  const known = new Map<string, ModelMetadata>();
  const metadata = async (model: string): Promise<ModelMetadata> => {
    const response = await request(base, `/v2/models/${encodeURIComponent(model)}`);
    return (await response.json()) as ModelMetadata;
  };
  return {
    url: base,
    metadata,
    async infer(model, inputs) {
      if (!known.has(model)) known.set(model, await metadata(model));
      const { inputs: specs } = known.get(model)!;
      const blobs = Object.values(inputs).map(
        (data) => new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
      );
      const header = Buffer.from(
        JSON.stringify({
          inputs: Object.entries(inputs).map(([name, data]) => ({
            name,
            datatype: 'FP32',
            shape: specs.find((spec) => spec.name === name)?.shape ?? [data.length],
            parameters: { binary_data_size: data.byteLength },
          })),
          parameters: { binary_data_output: true },
        }),
      );
      const response = await request(base, `/v2/models/${encodeURIComponent(model)}/infer`, {
        method: 'POST',
        headers: { 'inference-header-content-length': String(header.length) },
        body: Buffer.concat([header, ...blobs]),
      });
      return readOutputs(response);
    },
    async *telemetry(signal) {
      const response = await request(base, '/v1/telemetry', signal ? { signal } : {});
      yield* readEvents(response, signal);
    },
  };
}

async function request(base: string, path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(base + path, init);
  } catch (error) {
    const reason = String((error as { cause?: unknown }).cause ?? error);
    throw new HoneError('E_AGENT_UNREACHABLE', { url: base, reason }, { cause: error });
  }
  if (response.ok) return response;
  const { error = response.statusText, code = 'E_INTERNAL' } = (await response.json().catch(() => ({}))) as Record<
    string,
    string
  >;
  throw new AgentError(response.status, code, error);
}

async function readOutputs(response: Response): Promise<Record<string, Float32Array>> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const headerLength = Number(response.headers.get('inference-header-content-length') ?? bytes.length);
  const json = JSON.parse(Buffer.from(bytes.subarray(0, headerLength)).toString('utf8')) as {
    outputs: { name: string; parameters: { binary_data_size: number } }[];
  };
  let position = headerLength;
  const outputs: Record<string, Float32Array> = {};
  for (const { name, parameters } of json.outputs) {
    const end = position + parameters.binary_data_size;
    outputs[name] = new Float32Array(bytes.slice(position, end).buffer);
    position = end;
  }
  return outputs;
}

/** Frames of a server-sent event stream (HTML standard, section 9.2: `data:` lines up to an empty line). */
async function* readEvents(response: Response, signal?: AbortSignal): AsyncIterable<TelemetryFrame> {
  const decoder = new TextDecoder();
  let pending = '';
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      pending += decoder.decode(chunk, { stream: true });
      const events = pending.split('\n\n');
      pending = events.pop()!;
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data !== undefined) yield JSON.parse(data) as TelemetryFrame;
      }
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
