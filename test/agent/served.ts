import { request } from 'node:http';
import { type Agent, type AgentOptions, startAgent } from '../../lib/agent/agent';
import { compile } from '../../lib/compile/compile';
import { openSession } from '../../lib/engine/session';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';

/** Plan of a network with inputs a, b [1, 4] and outputs sum [1, 4] = a + b, y [1, 3] = W (a + b) + c. */
export function tinyPlan(): Uint8Array {
  const builder = new GraphBuilder();
  const inputs = ['a', 'b'].map((name) => builder.input(name, 'float32', [1, 4]));
  const sum = builder.node('Add', inputs, {}, { outputs: ['sum'] });
  const weights = Array.from({ length: 12 }, (_, index) => Math.sin(index));
  const y = builder.node(
    'Gemm',
    [
      sum,
      builder.initializer(tensorFrom('float32', [4, 3], weights)),
      builder.initializer(tensorFrom('float32', [3], [1, 2, 3])),
    ],
    {},
    { outputs: ['y'] },
  );
  builder.output(sum, 'float32', [1, 4]);
  builder.output(y, 'float32', [1, 3]);
  return compile(prepare(builder.build(), { verify: true }).graph, { sourceHash: 'ab'.repeat(32) }).plan;
}

export const A = Float32Array.of(0.5, -1.25, 2, 1e-3);
export const B = Float32Array.of(1, 2, -3.5, 4);

/** What the engine itself says for A and B. */
export function expectedOutputs(): Record<'sum' | 'y', Float32Array> {
  const session = openSession(tinyPlan());
  try {
    return session.run({ a: A, b: B }) as Record<'sum' | 'y', Float32Array>;
  } finally {
    session.close();
  }
}

/** An agent over the tiny plan on a free port, named `tiny`. */
export function serveTiny(options: Partial<AgentOptions> = {}): Promise<Agent> {
  return startAgent({ model: 'tiny', plan: tinyPlan(), ...options });
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The body as JSON. */
  json(): Record<string, unknown>;
}

export interface Message {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** Sends one request over a connection of its own, with any headers. */
export function send(url: string, path: string, { method, headers = {}, body }: Message = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const verb = method ?? (body === undefined ? 'GET' : 'POST');
    const message = request(url + path, { method: verb, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const all = Buffer.concat(chunks);
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          body: all,
          json: () => JSON.parse(all.toString('utf8')),
        });
      });
    });
    message.on('error', reject);
    message.end(body);
  });
}

export const INFER = '/v2/models/tiny/infer';

const tensor = (name: string, data: ArrayLike<number>) => ({
  name,
  datatype: 'FP32',
  shape: [1, 4],
  data: Array.from(data),
});

/** A JSON request for A and B, with changes. */
export function jsonRequest(changes: object = {}): string {
  return JSON.stringify({ inputs: [tensor('a', A), tensor('b', B)], ...changes });
}

/** A JSON request whose first input has these changes. */
export function jsonRequestWith(change: object): string {
  return JSON.stringify({ inputs: [{ ...tensor('a', A), ...change }, tensor('b', B)] });
}

/** The binary form of the same request: `header` changes the JSON part, `sizes` what it says of the lengths. */
export function binaryRequest(
  header: object = {},
  sizes: readonly number[] = [16, 16],
  tail = Buffer.alloc(0),
): Required<Pick<Message, 'body' | 'headers'>> {
  const inputs = ['a', 'b'].map((name, index) => ({
    name,
    datatype: 'FP32',
    shape: [1, 4],
    parameters: { binary_data_size: sizes[index] },
  }));
  const json = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true }, ...header }));
  return {
    headers: { 'inference-header-content-length': String(json.length) },
    body: Buffer.concat([json, Buffer.from(A.buffer), Buffer.from(B.buffer), tail]),
  };
}

/** What an agent says of itself in `/v1/status`. */
export interface Status {
  readonly uploads: number;
  readonly models: readonly {
    readonly name: string;
    readonly state: string;
    readonly pid: number | null;
    readonly restarts: number;
    readonly reason: string | null;
    readonly waiting: number;
    readonly running: number;
  }[];
}

/** Waits until the status of an agent fits. */
export async function untilStatus(url: string, fits: (status: Status) => boolean): Promise<Status> {
  for (;;) {
    const status = (await send(url, '/v1/status')).json() as unknown as Status;
    if (fits(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Stops the worker of an agent's first model where it is, so that nothing is done before `go`; not for ten seconds: it would hang. */
export async function holdWorker(url: string): Promise<{ readonly pid: number; go(): void }> {
  const { models } = await untilStatus(url, (status) => status.models[0].state === 'ready');
  const pid = models[0].pid!;
  process.kill(pid, 'SIGSTOP');
  return { pid, go: () => void process.kill(pid, 'SIGCONT') };
}
