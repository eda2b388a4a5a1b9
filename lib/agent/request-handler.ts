import type { IncomingMessage, ServerResponse } from 'node:http';
import { HoneError } from '../core/error';
import { parseInferRequest } from '../protocol/parse-infer-request';
import { HEADER_LENGTH } from '../protocol/tensor';
import { writeInferResponse } from '../protocol/write-infer-response';
import type { Clock } from '../sensors/clock';
import type { MachineSensors } from '../sensors/machine';
import { EnergyHistory } from '../telemetry/energy-history';
import type { TelemetryFrame } from '../telemetry/sample';
import { FrameStream } from './frame-stream';
import { checkOrigin, readBody, sendError, sendJson } from './http';
import { AgentMetrics } from './metrics';
import type { ServedModel } from './served-model';

export interface HandlerOptions {
  readonly model: ServedModel;
  readonly version: string;
  /** Milliseconds between telemetry frames. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly sensors: MachineSensors;
}

/** Requests that may wait for their body or their turn; more are refused. */
const WAITING_LIMIT = 64;
/** Room per element that a JSON request may take, in bytes, and for the rest of it. */
const JSON_ELEMENT_BYTES = 32;
const JSON_FIXED_BYTES = 64 * 1024;

/** Routes of the Open Inference Protocol v2, metrics and telemetry over one model. */
export class RequestHandler {
  private readonly options: HandlerOptions;
  private readonly model: ServedModel;
  private readonly metrics: AgentMetrics;
  private readonly stream = new FrameStream();
  private readonly timer: NodeJS.Timeout;
  private readonly energyTimer: NodeJS.Timeout | undefined;
  private readonly energy = new EnergyHistory();
  private readonly bodyLimit: number;
  private waiting = 0;
  private stopping = false;

  constructor(options: HandlerOptions) {
    const { model, intervalMs } = options;
    this.options = options;
    this.model = model;
    this.metrics = new AgentMetrics(model.name);
    const elements = model.inputs.reduce((sum, { shape }) => sum + shape.reduce((product, dim) => product * dim, 1), 0);
    this.bodyLimit = elements * JSON_ELEMENT_BYTES + JSON_FIXED_BYTES;
    this.timer = setInterval(() => this.tick(), intervalMs);
    this.timer.unref();
    const { pollMs } = options.sensors.energy;
    this.energyTimer = pollMs === null ? undefined : setInterval(() => options.sensors.energy.poll(), pollMs);
    this.energyTimer?.unref();
  }

  /** Refuses requests from now on; those that run go on. */
  stop(): void {
    this.stopping = true;
    clearInterval(this.timer);
    clearInterval(this.energyTimer);
    this.stream.close();
  }

  /** Frees the model; nothing may run any more. */
  close(): void {
    this.model.close();
  }

  /** Handler for `createServer`. Never throws and never rejects. */
  readonly listener = (request: IncomingMessage, response: ServerResponse): void => {
    this.handle(request, response).catch((error: unknown) => {
      // Lets the connection live: what is left of the body is read and forgotten.
      request.resume();
      sendError(response, error);
    });
  };

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const arrival = process.hrtime.bigint();
    checkOrigin(request.headers);
    const path = (request.url ?? '/').split('?', 1)[0].replace(/\/$/, '');
    const { name } = this.model;
    const prefix = `/v2/models/${encodeURIComponent(name)}`;
    const inModel = path.startsWith(prefix)
      ? path.slice(prefix.length).replace(/^\/versions\/1(?=\/|$)/, '')
      : undefined;
    const route = `${request.method} ${inModel === undefined ? path : `MODEL${inModel}`}`;
    if (this.stopping) return this.answerStopping(route, response);
    switch (route) {
      case 'POST MODEL/infer':
        return await this.infer(request, response, arrival);
      case 'GET /v2':
        return sendJson(response, 200, {
          name: 'hone',
          version: this.options.version,
          extensions: ['binary_tensor_data', 'statistics'],
        });
      case 'GET /v2/health/live':
        return sendJson(response, 200, { live: true });
      case 'GET /v2/health/ready':
        return sendJson(response, 200, { ready: true });
      case 'GET MODEL':
        return sendJson(response, 200, this.metadata());
      case 'GET MODEL/ready':
        return sendJson(response, 200, { name, ready: true });
      case 'GET MODEL/stats':
      case 'GET /v2/models/stats':
        return sendJson(response, 200, { model_stats: [this.model.statistics.describe(name)] });
      case 'GET /metrics': {
        const text = await this.metrics.render(this.model, this.options.sensors.read());
        response.writeHead(200, { 'content-type': this.metrics.contentType }).end(text);
        return;
      }
      case 'GET /v1/agent':
        return sendJson(response, 200, { pid: process.pid, model: name, version: this.options.version });
      case 'GET /v1/telemetry':
        return this.stream.add(response, this.frame());
      default:
        throw new HoneError('E_REQUEST_ROUTE', { route: `${request.method} ${path || '/'}`, model: name });
    }
  }

  /** Probes learn that the agent lives but takes nothing; everything else is refused. */
  private answerStopping(route: string, response: ServerResponse): void {
    response.shouldKeepAlive = false;
    if (route === 'GET /v2/health/live') sendJson(response, 200, { live: true });
    else if (route === 'GET /v2/health/ready') sendJson(response, 503, { ready: false });
    else if (route === 'GET MODEL/ready') sendJson(response, 503, { name: this.model.name, ready: false });
    else throw new HoneError('E_AGENT_STOPPING');
  }

  private metadata(): object {
    const { name, inputs, outputs } = this.model;
    return { name, versions: ['1'], platform: 'hone_plan', inputs, outputs };
  }

  private async infer(request: IncomingMessage, response: ServerResponse, arrival: bigint): Promise<void> {
    if (this.waiting >= WAITING_LIMIT)
      throw new HoneError('E_AGENT_BUSY', { limit: WAITING_LIMIT, what: 'requests are waiting' });
    this.waiting++;
    try {
      const body = await readBody(request, this.bodyLimit);
      this.answer(body, request.headers[HEADER_LENGTH], response, arrival);
    } catch (error) {
      this.model.statistics.recordFailure(Number(process.hrtime.bigint() - arrival));
      throw error;
    } finally {
      this.waiting--;
    }
  }

  private answer(
    body: Uint8Array,
    header: string | readonly string[] | undefined,
    response: ServerResponse,
    arrival: bigint,
  ): void {
    const { model } = this;
    const begin = process.hrtime.bigint();
    const parsed = parseInferRequest(body, header?.toString(), model);
    model.load(parsed.inputs);
    const start = process.hrtime.bigint();
    const outputs = model.run();
    const end = process.hrtime.bigint();
    const { name, outputs: specs } = model;
    const { chunks, length, headerLength } = writeInferResponse({ name, version: '1' }, parsed, specs, outputs);
    if (this.stopping) response.shouldKeepAlive = false;
    const headers = { 'content-length': length };
    response
      .writeHead(
        200,
        headerLength === undefined
          ? { 'content-type': 'application/json', ...headers }
          : { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(headerLength), ...headers },
      )
      .end(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length));
    const times = {
      queueNs: Number(begin - arrival),
      inputNs: Number(start - begin),
      computeNs: Number(end - start),
      outputNs: Number(process.hrtime.bigint() - end),
    };
    model.statistics.record(times, Date.now());
    this.metrics.observe(times);
  }

  private tick(): void {
    this.model.closeWindow(this.options.intervalMs);
    const inferences = new Map([[this.model.name, this.model.statistics.count]]);
    this.energy.mark({ ...this.options.sensors.energy.take(), inferences });
    if (!this.stream.empty) this.stream.send(this.frame());
  }

  private frame(): TelemetryFrame {
    const { name, memory, statistics, nodes } = this.model;
    const { sensors } = this.options;
    return {
      stamp: this.options.clock.now(),
      model: name,
      memory,
      inferences: statistics.count,
      ...statistics.window,
      nodes,
      energy: { scope: sensors.energy.scope, source: sensors.energy.source, ...this.energy.of(name) },
      readings: sensors.read(),
    };
  }
}
