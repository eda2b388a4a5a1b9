import { open } from 'node:fs/promises';
import { connect as dial, type Socket } from 'node:net';
import { pipeline, type Readable, type Writable } from 'node:stream';
import { connectSupervisor, type SupervisorClient } from '../../client/supervisor-client';
import { type Tunnel, Tunnels } from '../../client/tunnel';
import { HoneError } from '../../core/error';
import { version } from '../../engine/version';
import {
  BOARD_FRAME,
  BOARD_LIMITS,
  BOARD_PROTOCOL,
  type BoardGreeting,
  CONTROLLER_FRAME_LIMITS,
  isDigest,
  type Pruned,
} from '../../protocol/board-frames';
import {
  readBlobsRequest,
  readCommitRequest,
  readLogsRequest,
  readPlacement,
  readPutRequest,
  requireNothing,
} from '../../protocol/board-requests';
import type { WireFrame } from '../../protocol/frame';
import { openMachineSensors } from '../../sensors/machine';
import type { BoardFolder } from '../board-folder';
import { blobPath, makeBoardFolder } from '../board-folder';
import { Conversation } from '../conversation';
import { answerAsSupervisor, type SupervisorService } from '../supervisor/control-server';
import { folderCatalogue } from '../supervisor/folder-catalogue';
import { BlobStore } from './blob-store';
import { machineFacts } from './tell-facts';

/** Bytes of answers and tunnels that nobody reads, which end a conversation. */
const UNREAD_LIMIT = 32 << 20;
/** How long a controller may ask nothing while no tunnel is open, in milliseconds. */
const IDLE_LIMIT_MS = 600_000;

/**
 * The board's end of the protocol between controller and board, over any pair of streams: keeps blobs in an agent's folder, passes
 * on what concerns models to the agent that runs there, and leads tunnels to its HTTP port.
 */
export class BoardEnd {
  /** It is over, and nothing of it is held any more. */
  readonly over: Promise<void>;
  private readonly folder: BoardFolder;
  private readonly blobs: BlobStore;
  private readonly conversation: Conversation;
  private readonly tunnels: Tunnels;
  private readonly service: SupervisorService;
  /** Address of the agent's HTTP port, while it is known. */
  private url: string | undefined;

  private constructor(folder: BoardFolder, input: Readable, output: Writable) {
    this.folder = folder;
    this.blobs = new BlobStore(folder);
    this.tunnels = new Tunnels((...frame) => this.conversation.send(...frame));
    this.service = {
      index: () => this.ask((agent) => agent.list()),
      load: (...model) => this.ask((agent) => agent.load(...model)),
      unload: (...model) => this.ask((agent) => agent.unload(...model)),
      status: () => this.ask((agent) => agent.status()),
    };
    const greeting: BoardGreeting = {
      protocol: BOARD_PROTOCOL,
      version: version(),
      limits: BOARD_LIMITS,
      platform: `${process.platform}-${process.arch}`,
    };
    let tellOver = () => {};
    this.over = new Promise((resolve) => {
      tellOver = resolve;
    });
    this.conversation = new Conversation(input, output, {
      protocol: BOARD_PROTOCOL,
      greeting,
      frames: CONTROLLER_FRAME_LIMITS,
      requests: BOARD_LIMITS.requests,
      unreadBytes: UNREAD_LIMIT,
      idleMs: IDLE_LIMIT_MS,
      answer: (frame) => this.answer(frame),
      take: (frame) => this.tunnels.take(frame),
      isBusy: () => this.tunnels.size > 0,
      ended: () => {
        this.tunnels.drop(new HoneError('E_AGENT_UNREACHABLE', { url: 'the controller', reason: 'it is gone' }));
        void this.blobs.close().then(tellOver);
      },
    });
  }

  /** Begins a conversation for the agent's folder, which is made where it is missing. @throws E_FILE_WRITE */
  static async begin(root: string, input: Readable, output: Writable): Promise<BoardEnd> {
    return new BoardEnd(await makeBoardFolder(root), input, output);
  }

  /** Ends it after what is answered already. */
  end(): void {
    this.conversation.end();
  }

  private async answer(frame: WireFrame): Promise<unknown> {
    const { kind, json, payload } = frame;
    if (kind === BOARD_FRAME.put) {
      await this.blobs.put(readPutRequest(json, payload.length), payload);
      return {};
    }
    if (payload.length > 0) throw new HoneError('E_FRAME_FORMAT', { reason: `kind ${kind} has no payload` });
    switch (kind) {
      case BOARD_FRAME.blobs:
        return this.blobs.find(readBlobsRequest(json));
      case BOARD_FRAME.commit:
        await this.blobs.commit(readCommitRequest(json));
        return {};
      case BOARD_FRAME.place:
        await this.place(json);
        return {};
      case BOARD_FRAME.prune:
        requireNothing(json);
        return this.prune();
      case BOARD_FRAME.logs:
        return { text: await readEnd(this.folder.log, readLogsRequest(json)) };
      case BOARD_FRAME.facts:
        requireNothing(json);
        return machineFacts(this.folder.root, openMachineSensors());
      case BOARD_FRAME.open:
        requireNothing(json);
        await this.openTunnel(frame.id);
        return {};
      default:
        return answerAsSupervisor(this.service, frame);
    }
  }

  private async place(json: unknown): Promise<void> {
    const { sha256, ...settings } = readPlacement(json);
    await this.blobs.require(sha256);
    await this.ask((agent) => agent.place({ ...settings, plan: blobPath(sha256) }));
  }

  private async prune(): Promise<Pruned> {
    const entries = await folderCatalogue(this.folder.root).entries();
    const used = entries.map(({ plan }) => String(plan).split('/').at(-1)!).filter(isDigest);
    return this.blobs.prune(new Set(used));
  }

  /** A question to the agent that runs. @throws E_AGENT_DOWN, what it answers */
  private async ask<T>(question: (agent: SupervisorClient) => Promise<T>): Promise<T> {
    const { root, control } = this.folder;
    const agent = await connectSupervisor(control).catch((error: HoneError) => {
      if (error.code !== 'E_AGENT_UNREACHABLE') throw error;
      throw new HoneError('E_AGENT_DOWN', { folder: root, reason: String(error.details.reason) }, { cause: error });
    });
    try {
      return await question(agent);
    } finally {
      agent.close();
    }
  }

  private async openTunnel(id: number): Promise<void> {
    // At once: its first bytes may be in the same chunk.
    const tunnel = this.tunnels.add(id);
    // Whoever is to hear of it is at the other end.
    tunnel.on('error', () => {});
    try {
      join(tunnel, await this.reachAgent());
    } catch (error) {
      tunnel.lose(error as HoneError);
      throw error;
    }
  }

  private async reachAgent(): Promise<Socket> {
    const known = this.url;
    this.url ??= (await this.service.status()).url;
    try {
      return await reach(this.url);
    } catch (error) {
      this.url = undefined;
      // The agent may have started again, at another port.
      if (known === undefined) throw error;
      return this.reachAgent();
    }
  }
}

function reach(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = dial({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), allowHalfOpen: true });
    socket.setNoDelay(true);
    socket.once('connect', () => resolve(socket));
    socket.once('error', ({ message }) => reject(new HoneError('E_AGENT_UNREACHABLE', { url, reason: message })));
  });
}

/** Leads both ways until both have ended or one breaks. */
function join(tunnel: Tunnel, socket: Socket): void {
  pipeline(tunnel, socket, () => {});
  pipeline(socket, tunnel, () => {});
}

/** The last bytes of a file, from the beginning of a line; none where there is no file. */
async function readEnd(path: string, bytes: number): Promise<string> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(bytes, size));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
    const text = buffer.toString('utf8', 0, bytesRead);
    return buffer.length < size ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    await file.close();
  }
}
