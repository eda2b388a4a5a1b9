import { type AgentImage, type BoardPlatform, readAgentImage } from '../../boards/agent-image';
import { blobOf } from '../../boards/blob-source';
import type { BoardConnection } from '../../boards/board-connection';
import { type Installation, installAgent, programFolder, type Started, startAgentOn } from '../../boards/install';
import type { Board } from '../../boards/inventory';
import type { Link } from '../../boards/link';
import { nodeFor } from '../../boards/node-binary';
import { openLink } from '../../boards/open-link';
import { probeBoard, requireFit } from '../../boards/probe';
import { reachBoard } from '../../boards/reach-board';
import { HoneError } from '../../core/error';
import { compareOutputs, type OutputCheck } from './compare-outputs';

export interface BoardDeployment {
  readonly plan: Uint8Array;
  /** Name of the model in URLs. */
  readonly model: string;
  readonly threads: number;
  /** Port of loopback on the board where its agent is started; 0 for a free one. */
  readonly port?: number;
  /** A program `node` for the board. */
  readonly node?: string;
  readonly signal?: AbortSignal;
  /** Told of bytes that went over the link, by what is sent. */
  readonly onProgress?: (stage: string, done: number, total: number) => void;
  /** Told what is done next, in words. */
  readonly onStep?: (text: string) => void;
}

/** What was put on a board. */
export interface BoardInstallation {
  readonly version: string;
  /** Whether a Node came along. */
  readonly broughtNode: boolean;
  readonly sentBytes: number;
}

/** What a deployment did. */
export interface Deployed {
  readonly board: string;
  readonly model: string;
  readonly planBytes: number;
  /** Bytes of the plan on the wire: 0 when the board had it. */
  readonly sentBytes: number;
  /** Null when the agent was there. */
  readonly installed: BoardInstallation | null;
  /** How the agent was started; null when it ran. */
  readonly started: Started | null;
  /** Where it serves, as seen from the board. */
  readonly url: string;
  /** Whether the board's outputs are those of this machine. */
  readonly outputs: OutputCheck;
}

/** The first version of a model. */
const VERSION = '1';

/**
 * Brings a plan to a board and has it served there; the agent comes along where it is missing or another. What runs there goes on
 * until the new plan answers.
 * @throws E_BOARD_ and E_AGENT_ codes that say what is in the way; E_INTERRUPTED
 */
export async function deployToBoard(target: Board, deployment: BoardDeployment): Promise<Deployed> {
  const link = openLink(target.destination);
  try {
    return await new Deploying(link, target, deployment).run();
  } finally {
    await link.close();
  }
}

class Deploying {
  private readonly link: Link;
  private readonly target: Board;
  private readonly deployment: BoardDeployment;
  private readonly place: { readonly folder?: string; readonly signal?: AbortSignal };
  private installed: BoardInstallation | null = null;
  private started: Started | null = null;

  constructor(link: Link, target: Board, deployment: BoardDeployment) {
    this.link = link;
    this.target = target;
    this.deployment = deployment;
    const { signal } = deployment;
    this.place = {
      ...(target.folder === undefined ? {} : { folder: target.folder }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  async run(): Promise<Deployed> {
    const { plan, model, threads } = this.deployment;
    const connection = await this.reach();
    try {
      const blob = blobOf(plan);
      const sentBytes = await this.send(connection, blob);
      const placement = { name: model, version: VERSION, sha256: blob.sha256, threads };
      await this.placeOn(connection, placement);
      const client = await connection.agentClient();
      const outputs = await compareOutputs(client, model, plan);
      await connection.prune();
      const { name } = this.target;
      const { installed, started } = this;
      return { board: name, model, planBytes: plan.length, sentBytes, installed, started, url: client.url, outputs };
    } finally {
      connection.close();
    }
  }

  /** Speaks with the board's agent; installs it first where it is missing or another. */
  private async reach(): Promise<BoardConnection> {
    try {
      return await reachBoard(this.link, { ...this.place, programs: await ownPrograms() });
    } catch (error) {
      if (!(error instanceof HoneError && error.code === 'E_BOARD_EMPTY')) throw error;
    }
    await this.install();
    await this.start();
    return reachBoard(this.link, this.place);
  }

  private async install(): Promise<void> {
    const { port, node, onStep, onProgress, signal } = this.deployment;
    const { link, place } = this;
    onStep?.(`looking at ${this.target.name}`);
    const probe = await probeBoard(link, { ...place, ...(port === undefined ? {} : { port }) });
    requireFit(probe);
    const image = await readAgentImage(probe.facts.machine === 'aarch64' ? 'linux-arm64' : 'linux-x64');
    const options = { ...(node === undefined ? {} : { file: node }), ...(signal === undefined ? {} : { signal }) };
    const chosen: Installation['node'] = await nodeFor(this.target.name, probe.facts, options);
    onStep?.(`installing the agent${'binary' in chosen ? ' and Node.js' : ''} on ${this.target.name}`);
    const sent = await installAgent(
      link,
      { version: image.version, files: image.files, node: chosen },
      { ...place, onProgress: (done, total) => onProgress?.('agent', done, total) },
    );
    this.installed = { version: image.version, broughtNode: 'binary' in chosen, sentBytes: sent.sentBytes };
  }

  private async start(): Promise<void> {
    const { port } = this.deployment;
    this.deployment.onStep?.(`starting the agent on ${this.target.name}`);
    this.started = await startAgentOn(this.link, { ...this.place, ...(port === undefined ? {} : { port }) });
  }

  private async send(connection: BoardConnection, blob: ReturnType<typeof blobOf>): Promise<number> {
    const { onProgress, signal } = this.deployment;
    return connection.upload(blob, {
      onProgress: ({ bytes, size }) => onProgress?.('plan', bytes, size),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Has the plan served; an agent that does not run is started. */
  private async placeOn(connection: BoardConnection, placement: Parameters<BoardConnection['placeModel']>[0]) {
    try {
      await connection.placeModel(placement);
    } catch (error) {
      if (!(error instanceof HoneError && error.code === 'E_AGENT_DOWN')) throw error;
      await this.start();
      await connection.placeModel(placement);
    }
  }
}

/** Folders of the programs that this Hone would install. */
async function ownPrograms(): Promise<string[]> {
  const platforms: readonly BoardPlatform[] = ['linux-arm64', 'linux-x64'];
  const images = await Promise.all(platforms.map((platform) => readAgentImage(platform).catch(unlessMissing)));
  const present = images.filter((image): image is AgentImage => image !== undefined);
  return present.map(programFolder);
}

/** A platform whose files were not made is asked for when a board is of it. */
function unlessMissing(error: unknown): undefined {
  if (error instanceof HoneError && error.code === 'E_AGENT_IMAGE') return undefined;
  throw error;
}
