import { availableParallelism } from 'node:os';
import type { AgentStatus, RepositoryEntry } from '../protocol/agent-status';
import { type Clock, systemClock } from '../sensors/clock';
import { type MachineSensors, openMachineSensors } from '../sensors/machine';
import { Front } from './front/front';
import type { HttpLimits } from './front/http/limits';
import { childLauncher } from './front/worker-launcher';
import { checkSettings, requireOption, settingsOf } from './settings';
import { type Catalogue, fixedCatalogue } from './supervisor/catalogue';
import { ControlServer, type SupervisorService } from './supervisor/control-server';
import { folderCatalogue } from './supervisor/folder-catalogue';
import { type ModelHost, Supervisor } from './supervisor/supervisor';

/** What an agent serves: one plan, as bytes or by path, under a name; or a folder of plans (docs/agent.md). */
export type AgentSource = { readonly model: string; readonly plan: Uint8Array | string } | { readonly folder: string };

export type AgentOptions = AgentSource & AgentSettings;

interface AgentSettings {
  /** Loopback address to listen on; 127.0.0.1 when left out. Other addresses are refused: nothing would protect them. */
  readonly host?: string;
  /** Port to listen on; 0 or left out: a free one. */
  readonly port?: number;
  /** Cores that a run takes at most; 1 when left out. This and `queue`, `timeoutMs`, `batch` hold where a catalogue says nothing else. */
  readonly threads?: number;
  /** Cores that all runs may take together; those of this machine when left out. */
  readonly cores?: number;
  /** As of a session: where packed weights are kept, so that an agent that starts again maps them. Default: HONE_CACHE, else nowhere. */
  readonly packedCache?: boolean | string;
  /** Milliseconds between telemetry frames; 1000 when left out. */
  readonly intervalMs?: number;
  /** Requests that may wait; 64 when left out. */
  readonly queue?: number;
  /** Milliseconds within which a request is answered that says nothing else; 10,000 when left out. */
  readonly timeoutMs?: number;
  /** Whether the leading extent of all inputs and outputs is a batch that requests may share; false when left out. */
  readonly batch?: boolean;
  /** Exact origins, such as `http://localhost:3000`, whose pages may ask; none when left out. */
  readonly origins?: readonly string[];
  /** Who shows it may load and unload models over TCP; left out: nobody. */
  readonly token?: string;
  /** What connections may take, where it is other than `HTTP_LIMITS`. */
  readonly limits?: Partial<HttpLimits>;
  readonly version?: string;
  readonly clock?: Clock;
  readonly sensors?: MachineSensors;
}

/** A running agent: serves models over HTTP on loopback and streams their telemetry. Supervisor and front are this process. */
export interface Agent {
  readonly url: string;
  /** What may be served and what is, with the reason where something is not. */
  index(): Promise<readonly RepositoryEntry[]>;
  status(): Promise<AgentStatus>;
  /** Listens for `hone load` and the like on a unix socket that this user alone may open. @throws E_AGENT_PORT */
  listenForControl(path: string): Promise<void>;
  /** Stops: what was sent before is answered (for up to 5 s) or refused with E_AGENT_STOPPING, streams end. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Listens, and serves every plan in a worker process of its own. Of a folder, plans that cannot be opened do not keep the others:
 * `index` tells of them.
 * @throws what `openSession` throws for the one plan; E_CATALOGUE, E_FILE_NOT_FOUND for a folder; E_AGENT_PORT when the port cannot
 * be had; E_WORKER_START; E_OPTION_VALUE
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { host = '127.0.0.1', port = 0, cores = availableParallelism() } = options;
  checkOptions(options, host);
  let front: Front | undefined;
  const modelHost: ModelHost = {
    load: async (wanted) => {
      const settings = settingsOf(wanted, options);
      await front!.load(settings, childLauncher(wanted.plan));
    },
    unload: async (name, version) => front!.unload(name, version),
  };
  const supervisor = new Supervisor(catalogueOf(options), modelHost);
  front = await Front.listen({
    ...{ host, port, cores },
    version: options.version ?? '0',
    intervalMs: options.intervalMs ?? 1000,
    origins: options.origins ?? [],
    roles: ['supervisor', 'front'],
    repository: supervisor,
    token: options.token,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    clock: options.clock ?? systemClock(),
    sensors: options.sensors ?? openMachineSensors(),
  });
  const agent = new PlainAgent(front, supervisor, 'folder' in options);
  try {
    await ('folder' in options ? supervisor.recover() : supervisor.load(options.model));
    front.isStarting = false;
    return agent;
  } catch (error) {
    await agent.close();
    throw error;
  }
}

/** Supervisor and front in one process. */
class PlainAgent implements Agent {
  private readonly front: Front;
  private readonly supervisor: Supervisor;
  private readonly isFolder: boolean;
  private control: ControlServer | undefined;

  constructor(front: Front, supervisor: Supervisor, isFolder: boolean) {
    this.front = front;
    this.isFolder = isFolder;
    this.supervisor = supervisor;
  }

  get url(): string {
    return this.front.url;
  }

  index(): Promise<readonly RepositoryEntry[]> {
    return this.supervisor.index();
  }

  status(): Promise<AgentStatus> {
    return this.front.status();
  }

  async listenForControl(path: string): Promise<void> {
    const service: SupervisorService = {
      index: () => this.supervisor.index(),
      load: (model, version) => this.supervisor.load(model, version),
      unload: (model, version) => this.supervisor.unload(model, version),
      status: () => this.front.status(),
      ...(this.isFolder ? { place: (plan) => this.supervisor.place(plan) } : {}),
    };
    this.control = await ControlServer.listen(path, 0o600, service, this.front.version);
  }

  async close(): Promise<void> {
    await Promise.all([this.control?.close(), this.front.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function catalogueOf(source: AgentSource): Catalogue {
  if ('folder' in source) return folderCatalogue(source.folder);
  return fixedCatalogue([{ name: source.model, version: '1', plan: source.plan, loaded: true }]);
}

function checkOptions(options: AgentOptions, host: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a name
  const isName = (text: string) => /^[^/\u0000-\u001f]{1,200}$/.test(text);
  if (!('folder' in options))
    requireOption(isName(options.model), 'name', 'a name of 1 to 200 characters without /', options.model);
  checkSettings({ ...options, host });
}
