import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HoneError } from '../core/error';
import { type Clock, systemClock } from '../sensors/clock';
import { type MachineSensors, openMachineSensors } from '../sensors/machine';
import { RequestHandler } from './request-handler';
import { ServedModel } from './served-model';

export interface AgentOptions {
  /** Name of the model in URLs. */
  readonly model: string;
  /** The plan, as bytes or by path. */
  readonly plan: Uint8Array | string;
  /** Loopback address to listen on; 127.0.0.1 when left out. Other addresses are refused: nothing would protect them. */
  readonly host?: string;
  /** Port to listen on; 0 or left out: a free one. */
  readonly port?: number;
  readonly threads?: number;
  /** As of a session: where packed weights are kept, so that an agent that starts again maps them. Default: HONE_CACHE, else nowhere. */
  readonly packedCache?: boolean | string;
  /** Milliseconds between telemetry frames; 1000 when left out. */
  readonly intervalMs?: number;
  readonly version?: string;
  readonly clock?: Clock;
  readonly sensors?: MachineSensors;
}

/** How long requests may go on once the agent stops, and how long one may take to arrive, in milliseconds. */
const GRACE_MS = 5000;
const REQUEST_LIMIT_MS = 30000;

/** A running agent: serves one model over HTTP on loopback and streams its telemetry. */
export interface Agent {
  readonly url: string;
  /** Stops: running requests are answered (for up to 5 s), new ones get E_AGENT_STOPPING, streams end. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

class RunningAgent implements Agent {
  readonly url: string;
  private readonly server: Server;
  private readonly handler: RequestHandler;
  private closing: Promise<void> | undefined;

  constructor(server: Server, handler: RequestHandler, url: string) {
    this.server = server;
    this.handler = handler;
    this.url = url;
  }

  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async stop(): Promise<void> {
    this.handler.stop();
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => this.server.closeAllConnections(), GRACE_MS);
      this.server.close(() => {
        clearTimeout(force);
        resolve();
      });
      this.server.closeIdleConnections();
    });
    this.handler.close();
  }
}

/**
 * Loads a plan and listens.
 * @throws what `openSession` throws; E_AGENT_PORT when the port cannot be had; E_OPTION_VALUE
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { host = '127.0.0.1', port = 0 } = options;
  checkOptions(options.model, host);
  const model = new ServedModel(options.model, options.plan, options.threads ?? 1, options.packedCache);
  const handler = new RequestHandler({
    model,
    version: options.version ?? '0',
    intervalMs: options.intervalMs ?? 1000,
    clock: options.clock ?? systemClock(),
    sensors: options.sensors ?? openMachineSensors(),
  });
  const server = createServer({ noDelay: true, requestTimeout: REQUEST_LIMIT_MS }, handler.listener);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    handler.stop();
    handler.close();
    const reason = (error as Error).message;
    throw new HoneError('E_AGENT_PORT', { address: `${host}:${port}`, reason }, { cause: error });
  }
  const { address, port: actual, family } = server.address() as AddressInfo;
  return new RunningAgent(server, handler, `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`);
}

function checkOptions(model: string, host: string): void {
  const require = (holds: boolean, option: string, expected: string, found: string) => {
    if (!holds) throw new HoneError('E_OPTION_VALUE', { option, expected, found });
  };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a name
  require(/^[^/\u0000-\u001f]{1,200}$/.test(model), 'name', 'a name of 1 to 200 characters without /', model);
  require(/^(localhost|127(\.\d+){3}|::1)$/.test(host), 'host', 'a loopback address', host);
}
