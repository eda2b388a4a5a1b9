import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HoneError } from '../core/error';
import { type Clock, systemClock } from '../sensors/clock';
import { type MachineSensors, openMachineSensors } from '../sensors/machine';
import type { TelemetryFrame } from '../telemetry/sample';
import { readBody, sendError, sendJson } from './http';
import { AgentMetrics } from './metrics';
import { HEADER_LENGTH, parseInferRequest } from './protocol';
import { ServedModel } from './served-model';

export interface AgentOptions {
  /** Name of the model in URLs. */
  readonly model: string;
  /** The plan, as bytes or by path. */
  readonly plan: Uint8Array | string;
  /** Address to listen on; loopback when left out. */
  readonly host?: string;
  /** Port to listen on; 0 or left out: a free one. */
  readonly port?: number;
  readonly threads?: number;
  /** Milliseconds between telemetry frames; 1000 when left out. */
  readonly intervalMs?: number;
  readonly version?: string;
  readonly clock?: Clock;
  readonly sensors?: MachineSensors;
}

/** Requests that may wait for their body or their turn; more are refused. */
const WAITING_LIMIT = 64;
/** Room per element that a JSON request may take, in bytes, and for the rest of it. */
const JSON_ELEMENT_BYTES = 32;
const JSON_FIXED_BYTES = 64 * 1024;

/** A running agent: serves one model over HTTP on loopback and streams its telemetry. */
export class Agent {
  readonly url: string;
  private readonly server: Server;
  private readonly handler: RequestHandler;

  /** Use `startAgent`. */
  constructor(server: Server, handler: RequestHandler, url: string) {
    this.server = server;
    this.handler = handler;
    this.url = url;
  }

  /** Stops: running requests are answered, new ones get E_AGENT_STOPPING, streams end. */
  async close(): Promise<void> {
    this.handler.stop();
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeIdleConnections();
    });
    this.handler.model.close();
  }
}

/**
 * Loads a plan and listens.
 * @throws what `openSession` throws; E_AGENT_PORT when the port cannot be had
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { host = '127.0.0.1', port = 0 } = options;
  const model = new ServedModel(options.model, options.plan, options.threads ?? 1);
  const handler = new RequestHandler(model, options);
  const server = createServer((request, response) => void handler.handle(request, response));
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    handler.stop();
    model.close();
    throw new HoneError(
      'E_AGENT_PORT',
      { address: `${host}:${port}`, reason: (error as Error).message },
      { cause: error },
    );
  }
  const { address, port: actual, family } = server.address() as AddressInfo;
  return new Agent(server, handler, `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`);
}

/** Routes of the Open Inference Protocol v2, metrics and telemetry over one model. */
class RequestHandler {
  readonly model: ServedModel;
  private readonly options: AgentOptions;
  private readonly metrics = new AgentMetrics();
  private readonly clock: Clock;
  private readonly sensors: MachineSensors;
  private readonly streams = new Set<ServerResponse>();
  private readonly timer: NodeJS.Timeout;
  private readonly bodyLimit: number;
  private waiting = 0;
  private stopping = false;

  constructor(model: ServedModel, options: AgentOptions) {
    this.model = model;
    this.options = options;
    this.clock = options.clock ?? systemClock();
    this.sensors = options.sensors ?? openMachineSensors();
    const elements = model.inputs.reduce((sum, { shape }) => sum + shape.reduce((product, dim) => product * dim, 1), 0);
    this.bodyLimit = elements * JSON_ELEMENT_BYTES + JSON_FIXED_BYTES;
    this.timer = setInterval(() => this.broadcast(), options.intervalMs ?? 1000);
    this.timer.unref();
  }

  stop(): void {
    this.stopping = true;
    clearInterval(this.timer);
    for (const stream of this.streams) stream.end();
    this.streams.clear();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrival = process.hrtime.bigint();
    try {
      this.checkOrigin(request);
      if (this.stopping) throw new HoneError('E_AGENT_STOPPING');
      await this.route(request, response, arrival);
    } catch (error) {
      sendError(response, error);
    }
  }

  /** A page of another site must not reach an agent on loopback (DNS rebinding, cross-site requests). */
  private checkOrigin(request: IncomingMessage): void {
    const { host = '', origin } = request.headers;
    const local = (name: string) => /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(name);
    if (this.options.host !== undefined && !local(this.options.host)) return;
    if (!local(host)) throw new HoneError('E_REQUEST_ORIGIN', { origin: host });
    if (origin !== undefined && !local(origin.replace(/^https?:\/\//, '')))
      throw new HoneError('E_REQUEST_ORIGIN', { origin });
  }

  private async route(request: IncomingMessage, response: ServerResponse, arrival: bigint): Promise<void> {
    const path = (request.url ?? '/').split('?')[0].replace(/\/$/, '');
    const model = `/v2/models/${encodeURIComponent(this.model.name)}`;
    const inModel = path.startsWith(model) ? path.slice(model.length).replace(/^\/versions\/1(?=\/|$)/, '') : undefined;
    const route = `${request.method} ${inModel === undefined ? path : `MODEL${inModel}`}`;
    switch (route) {
      case 'GET /v2':
        return sendJson(response, 200, {
          name: 'hone',
          version: this.options.version ?? '0',
          extensions: ['binary_tensor_data', 'model_configuration'],
        });
      case 'GET /v2/health/live':
      case 'GET /v2/health/ready':
      case 'GET MODEL/ready':
        return sendJson(response, 200, { live: true, ready: true });
      case 'GET MODEL':
        return sendJson(response, 200, this.metadata());
      case 'POST MODEL/infer':
        return await this.infer(request, response, arrival);
      case 'GET /metrics': {
        const text = await this.metrics.render(this.model, this.sensors.read());
        response.writeHead(200, { 'content-type': this.metrics.contentType }).end(text);
        return;
      }
      case 'GET /v1/telemetry':
        return this.openStream(response);
      default:
        throw new HoneError('E_REQUEST_ROUTE', { route: `${request.method} ${path || '/'}`, model: this.model.name });
    }
  }

  private metadata(): object {
    const { name, inputs, outputs } = this.model;
    return { name, versions: ['1'], platform: 'hone_plan', inputs, outputs };
  }

  private async infer(request: IncomingMessage, response: ServerResponse, arrival: bigint): Promise<void> {
    if (this.waiting >= WAITING_LIMIT) throw new HoneError('E_AGENT_BUSY', { limit: WAITING_LIMIT });
    this.waiting++;
    try {
      const body = await readBody(request, this.bodyLimit);
      if (this.stopping) throw new HoneError('E_AGENT_STOPPING');
      const header = request.headers[HEADER_LENGTH] as string | undefined;
      const parsed = parseInferRequest(body, header, this.model.inputs, this.model.outputs);
      const result = this.model.infer(parsed, arrival);
      this.metrics.observe(
        this.model.name,
        Number(process.hrtime.bigint() - arrival) - result.computeNs,
        result.computeNs,
      );
      const binary = result.headerLength === undefined ? {} : { [HEADER_LENGTH]: String(result.headerLength) };
      response
        .writeHead(200, {
          'content-type': result.headerLength === undefined ? 'application/json' : 'application/octet-stream',
          'content-length': result.body.length,
          ...binary,
        })
        .end(result.body);
    } finally {
      this.waiting--;
    }
  }

  private openStream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
    response.write(sseEvent(this.frame()));
  }

  private broadcast(): void {
    if (this.streams.size === 0) return;
    const event = sseEvent(this.frame());
    for (const stream of this.streams) stream.write(event);
  }

  private frame(): TelemetryFrame {
    const { name, memory, statistics } = this.model;
    return {
      stamp: this.clock.now(),
      model: name,
      memory,
      inferences: statistics.compute.count,
      ...statistics.takeWindow(),
      nodes: this.model.nodes(),
      readings: this.sensors.read(),
    };
  }
}

function sseEvent(frame: TelemetryFrame): string {
  return `event: frame\ndata: ${JSON.stringify(frame)}\n\n`;
}
