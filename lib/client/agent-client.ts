import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { HoneError } from '../core/error';
import type { AgentStatus } from '../protocol/agent-status';
import { type ResponseTensor, readInferResponse } from '../protocol/read-infer-response';
import { HEADER_LENGTH } from '../protocol/tensor';
import type { AgentClient, ModelMetadata } from './agent-api';
import { readFrames } from './frames';
import type { ModelParameters } from './infer-picture';
import { type Inputs, inferBody, outputsByName } from './tensors';

/**
 * The client that `connect` gives, over connections that `agent` makes, such as through the tunnel of a board; `close` ends it.
 * @throws E_OPTION_VALUE for a URL that is none
 */
export function connectThrough(url: string, agent: Agent): AgentClient {
  const base = parseUrl(url);
  const known = new Known(async (model) => (await json(pathOf(model))) as ModelMetadata);
  const configs = new Known(async (model) => (await json(`${pathOf(model)}/config`)) as ModelConfig);

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
  async function ask(model: string, inputs: Inputs): Promise<readonly ResponseTensor[]> {
    const { chunks, length, headerLength } = inferBody((await known.of(model)).inputs, inputs);
    const response = await exchange(`${pathOf(model)}/infer`, {
      chunks,
      headers: {
        ...(headerLength === undefined ? {} : { [HEADER_LENGTH]: headerLength }),
        'content-length': length,
      },
    });
    return readInferResponse(await readAll(response, base), response.headers[HEADER_LENGTH]?.toString()).outputs;
  }
  return {
    url: base,
    about: async (signal) => (await json('/v1/agent', signal)) as Awaited<ReturnType<AgentClient['about']>>,
    status: async () => (await json('/v1/status')) as AgentStatus,
    metadata: async (model) => (await json(pathOf(model))) as ModelMetadata,
    infer: async (model, inputs) => outputsByName(await ask(model, inputs)),
    async inferPicture(model, picture) {
      // The decoders of pictures are packages that tensors need not wait for.
      const { inferPicture } = require('./infer-picture') as typeof import('./infer-picture');
      const [{ inputs }, { parameters }] = await Promise.all([known.of(model), configs.of(model)]);
      return inferPicture(picture, { inputs, parameters, ask: (tensors) => ask(model, tensors) });
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

/** What of a model's configuration is looked at. */
interface ModelConfig {
  readonly parameters?: ModelParameters;
}

/** What is asked for once per model, and again after a failure. */
class Known<Answer> {
  private readonly answers = new Map<string, Promise<Answer>>();
  private readonly ask: (model: string) => Promise<Answer>;

  constructor(ask: (model: string) => Promise<Answer>) {
    this.ask = ask;
  }

  of(model: string): Promise<Answer> {
    const known = this.answers.get(model);
    if (known !== undefined) return known;
    const asked = this.ask(model);
    this.answers.set(model, asked);
    asked.catch(() => this.answers.delete(model));
    return asked;
  }
}

function pathOf(model: string): string {
  return `/v2/models/${encodeURIComponent(model)}`;
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
