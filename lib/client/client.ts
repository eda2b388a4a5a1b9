import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { HoneError } from '../core/error';
import type { AgentStatus } from '../protocol/agent-status';
import { HEADER_LENGTH } from '../protocol/tensor';
import type { TelemetryFrame } from '../telemetry/sample';
import { readFrames } from './frames';
import { type Inputs, inferBody, type Outputs, readOutputs, type TensorMetadata } from './tensors';

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
  /** Telemetry frames as they come, until the signal or the agent ends the stream. */
  telemetry(signal?: AbortSignal): AsyncIterable<TelemetryFrame>;
  /** Closes kept connections. */
  close(): void;
}

/**
 * Client of the agent at `url`, for example `http://127.0.0.1:8700`. Nothing is sent yet. Its methods throw
 * E_AGENT_UNREACHABLE for silence, E_AGENT_REFUSED for an answer that is an error or not an agent's, and E_RESPONSE_FORMAT for
 * outputs that are none.
 * @param agent makes its connections, such as through a board's tunnel; `close` ends it
 * @throws E_OPTION_VALUE for a URL that is none
 */
export function connect(url: string, agent: Agent = new Agent({ keepAlive: true, noDelay: true })): AgentClient {
  const base = parseUrl(url);
  const known = new Map<string, Promise<ModelMetadata>>();

  async function exchange(path: string, options: Exchange = {}): Promise<IncomingMessage> {
    const response = await send(base, agent, path, options);
    if (response.statusCode === 200) return response;
    const text = (await readAll(response, base)).toString('utf8');
    throw refused(base, response.statusCode ?? 0, ...errorIn(text, response.statusMessage ?? ''));
  }
  async function json(path: string, signal?: AbortSignal): Promise<unknown> {
    const response = await exchange(path, { signal });
    const body = await readAll(response, base);
    try {
      return JSON.parse(body.toString('utf8'));
    } catch (error) {
      throw refused(base, 200, 'it is not an agent: expected JSON', '', error);
    }
  }
  const metadata = async (model: string) => (await json(`/v2/models/${encodeURIComponent(model)}`)) as ModelMetadata;
  return {
    url: base,
    about: async (signal) => (await json('/v1/agent', signal)) as AgentAbout,
    status: async () => (await json('/v1/status')) as AgentStatus,
    metadata,
    async infer(model, inputs) {
      let found = known.get(model);
      if (found === undefined) {
        found = metadata(model);
        known.set(model, found);
        found.catch(() => known.delete(model));
      }
      const { chunks, length, headerLength } = inferBody((await found).inputs, inputs);
      const response = await exchange(`/v2/models/${encodeURIComponent(model)}/infer`, {
        chunks,
        headers: {
          ...(headerLength === undefined ? {} : { [HEADER_LENGTH]: headerLength }),
          'content-length': length,
        },
      });
      return readOutputs(await readAll(response, base), response.headers[HEADER_LENGTH]?.toString());
    },
    async *telemetry(signal) {
      const response = await exchange('/v1/telemetry', { signal });
      const type = response.headers['content-type'];
      if (type !== 'text/event-stream') throw refused(base, 200, `it is not an agent: it sends ${type}`, '');
      try {
        yield* readFrames(response);
      } catch (error) {
        if (!signal?.aborted) throw unreachable(base, error);
      }
    },
    close: () => agent.destroy(),
  };
}

interface Exchange {
  /** Sent by POST; GET without them. */
  readonly chunks?: readonly Uint8Array[];
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly signal?: AbortSignal | undefined;
}

function send(
  base: string,
  agent: Agent,
  path: string,
  { chunks, headers, signal }: Exchange,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { agent, method: chunks ? 'POST' : 'GET', headers: headers ?? {}, ...(signal ? { signal } : {}) };
    const message: ClientRequest = request(base + path, options, resolve);
    message.on('error', (error) => reject(unreachable(base, error)));
    for (const chunk of chunks ?? []) message.write(chunk);
    message.end();
  });
}

async function readAll(response: IncomingMessage, base: string): Promise<Buffer> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  } catch (error) {
    throw unreachable(base, error);
  }
}

/** Text and code of an error answer, if it is one of an agent. */
function errorIn(body: string, otherwise: string): [reason: string, code: string] {
  try {
    const { error, code } = JSON.parse(body) as { error?: unknown; code?: unknown };
    if (typeof error === 'string') return [error, typeof code === 'string' ? code : ''];
  } catch {}
  return [otherwise, ''];
}

function refused(url: string, status: number, reason: string, code: string, cause?: unknown): HoneError {
  return new HoneError('E_AGENT_REFUSED', { url, status, reason, code }, { cause });
}

function unreachable(url: string, cause: unknown): HoneError {
  const { message, code } = cause as NodeJS.ErrnoException;
  return new HoneError('E_AGENT_UNREACHABLE', { url, reason: message || code || 'the connection broke' }, { cause });
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:') return url.href.replace(/\/$/, '');
  throw new HoneError('E_OPTION_VALUE', {
    option: 'url',
    expected: 'the address of an agent, such as http://127.0.0.1:8700',
    found: text,
  });
}
