import { Agent } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connectThrough } from '../client/agent-client';
import type { AgentClient } from '../client/client';
import { FrameClient } from '../client/frame-client';
import { type SupervisorClient, supervisorMethods } from '../client/supervisor-client';
import { type Tunnel, Tunnels } from '../client/tunnel';
import { HoneError } from '../core/error';
import { printable } from '../core/printable';
import type { AgentStatus, RepositoryEntry } from '../protocol/agent-status';
import {
  type BlobState,
  BOARD_FRAME,
  BOARD_FRAME_LIMITS,
  BOARD_LIMITS,
  BOARD_PROTOCOL,
  type BoardGreeting,
  type PlanPlacement,
  type Pruned,
} from '../protocol/board-frames';
import type { MachineFacts } from '../protocol/machine-facts';
import type { BlobSource } from './blob-source';
import {
  blobsSchema,
  checkAnswer,
  entriesSchema,
  factsSchema,
  greetingSchema,
  logsSchema,
  prunedSchema,
  statusSchema,
} from './board-answers';
import { type UploadOptions, uploadBlob } from './upload-blob';

/**
 * The controller's end of the protocol between controller and board, over any stream. Its methods throw what the board met, and
 * E_AGENT_UNREACHABLE when the stream breaks; what a board says is checked, and its texts are printable.
 */
export class BoardConnection {
  readonly greeting: BoardGreeting;
  /** What messages call the board. */
  readonly place: string;
  private readonly client: FrameClient;
  private readonly supervisor: SupervisorClient;
  private readonly tunnels: Tunnels;

  private constructor(client: FrameClient, tunnels: Tunnels, greeting: BoardGreeting, place: string) {
    this.client = client;
    this.supervisor = supervisorMethods(client);
    this.tunnels = tunnels;
    this.greeting = greeting;
    this.place = place;
  }

  /**
   * Greets the board's end of a stream: `hone-agent --stdio --folder F` over a link.
   * @param place what messages call the board
   * @throws E_PROTOCOL_VERSION, E_AGENT_UNREACHABLE, E_FRAME_FORMAT
   */
  static async open(stream: Duplex, place: string): Promise<BoardConnection> {
    if (stream instanceof Socket) stream.setNoDelay(true);
    const tunnels: Tunnels = new Tunnels((...frame) => client.send(...frame));
    const client = new FrameClient(stream, stream, {
      place,
      frames: BOARD_FRAME_LIMITS,
      take: (frame) => tunnels.take(frame),
      ended: (error) => tunnels.drop(error),
    });
    const answer = await client.greet(BOARD_PROTOCOL);
    try {
      return new BoardConnection(client, tunnels, checkAnswer(greetingSchema, answer, 'the greeting'), place);
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Which blobs are there, in the order of their digests. */
  async blobs(digests: readonly string[]): Promise<readonly BlobState[]> {
    const limit = Math.min(BOARD_LIMITS.digests, this.greeting.limits.digests);
    const found: BlobState[] = [];
    for (let at = 0; at < digests.length; at += limit) {
      const sha256 = digests.slice(at, at + limit);
      const states = checkAnswer(blobsSchema, await this.client.ask(BOARD_FRAME.blobs, { sha256 }), 'blobs');
      if (states.length !== sha256.length || states.some((state, index) => state.sha256 !== sha256[index]))
        throw new HoneError('E_FRAME_FORMAT', { reason: 'the answer to blobs is about others' });
      found.push(...states);
    }
    return found;
  }

  /** Digests of the blobs that have to be sent. */
  async missingBlobs(digests: readonly string[]): Promise<readonly string[]> {
    return (await this.blobs(digests)).filter(({ bytes }) => bytes === null).map(({ sha256 }) => sha256);
  }

  /**
   * Sends a blob that is not there, from where an earlier attempt ended, and has it checked.
   * @returns bytes that were sent
   * @throws E_BLOB_BUSY, E_BLOB_DIGEST, E_DISK_FULL, E_INTERRUPTED
   */
  upload(blob: BlobSource, options: UploadOptions = {}): Promise<number> {
    const { requests, chunkBytes } = this.greeting.limits;
    return uploadBlob(blob, options, {
      // Some room stays for other requests.
      window: Math.max(1, Math.min(requests, BOARD_LIMITS.requests) >> 1),
      chunkBytes: Math.min(chunkBytes, BOARD_LIMITS.chunkBytes),
      find: async (sha256) => (await this.blobs([sha256]))[0],
      put: async (request, bytes) => void (await this.client.ask(BOARD_FRAME.put, request, [bytes])),
      commit: async (sha256) => void (await this.client.ask(BOARD_FRAME.commit, { sha256 })),
    });
  }

  /**
   * Serves a plan that is there as a blob, in the place of what is served under its name and version, which goes on when this fails.
   * @throws E_AGENT_DOWN when no agent runs; E_BLOB_UNKNOWN; E_CATALOGUE for settings that are none; what opening the plan throws
   */
  async placeModel(placement: PlanPlacement): Promise<void> {
    await this.client.ask(BOARD_FRAME.place, placement);
  }

  /** Serves a version of a model, the newest without one. @throws E_AGENT_DOWN, E_MODEL_UNKNOWN */
  load(model: string, version?: string): Promise<void> {
    return this.supervisor.load(model, version);
  }

  /** Serves it no more; all versions without one. @throws E_AGENT_DOWN, E_MODEL_UNKNOWN */
  unload(model: string, version?: string): Promise<void> {
    return this.supervisor.unload(model, version);
  }

  /** @throws E_AGENT_DOWN */
  async list(): Promise<readonly RepositoryEntry[]> {
    return checkAnswer(entriesSchema, await this.supervisor.list(), 'list');
  }

  /** @throws E_AGENT_DOWN */
  async status(): Promise<AgentStatus> {
    return checkAnswer(statusSchema, await this.supervisor.status(), 'status') as unknown as AgentStatus;
  }

  /** The last lines of the agent's log, at most so many bytes of it. */
  async logs(bytes: number = BOARD_LIMITS.logBytes): Promise<readonly string[]> {
    const limit = Math.min(bytes, this.greeting.limits.logBytes, BOARD_LIMITS.logBytes);
    const answer = await this.client.ask(BOARD_FRAME.logs, { bytes: limit });
    const parsed = logsSchema.safeParse(answer);
    if (!parsed.success) throw new HoneError('E_FRAME_FORMAT', { reason: 'the answer to logs is no text' });
    const lines = parsed.data.text.slice(-limit).split('\n');
    return lines.slice(0, lines.at(-1) === '' ? -1 : undefined).map((line) => printable(line, 2000));
  }

  /** What the board, its sensors and its program tell of themselves. */
  async facts(): Promise<MachineFacts> {
    return checkAnswer(factsSchema, await this.client.ask(BOARD_FRAME.facts), 'facts') as unknown as MachineFacts;
  }

  /** Removes blobs that no model uses and that are older than an hour. */
  async prune(): Promise<Pruned> {
    return checkAnswer(prunedSchema, await this.client.ask(BOARD_FRAME.prune), 'prune');
  }

  /** A stream to the HTTP port of the board's agent. It ends with an error when there is none. @throws E_AGENT_BUSY */
  openTunnel(): Tunnel {
    const id = this.client.nextId();
    const tunnel = this.tunnels.add(id);
    this.client.ask(BOARD_FRAME.open, undefined, undefined, id).catch((error: HoneError) => tunnel.lose(error));
    return tunnel;
  }

  /** Makes HTTP connections through tunnels. */
  httpAgent(): Agent {
    // Telemetry holds one for good; some stay for others who use this connection.
    const agent = new Agent({ keepAlive: true, maxSockets: BOARD_LIMITS.tunnels / 2 });
    return Object.assign(agent, { createConnection: () => this.openTunnel() });
  }

  /** A client of the board's agent: inference and telemetry. @throws E_AGENT_DOWN */
  async agentClient(): Promise<AgentClient> {
    return connectThrough((await this.status()).url, this.httpAgent());
  }

  close(): void {
    this.client.close();
  }
}
