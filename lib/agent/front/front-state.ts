import type { AgentStatus } from '../../protocol/agent-status';
import type { HttpLimits } from './http/limits';
import type { JsonThread } from './json-thread';
import type { Repository } from './repository';
import type { ServedModels } from './served-models';
import type { Telemetry } from './telemetry';

/** What routes see of the front. */
export interface FrontState {
  readonly version: string;
  readonly models: ServedModels;
  readonly limits: HttpLimits;
  readonly json: JsonThread;
  readonly repository: Repository;
  /** Who shows it may load and unload over TCP; undefined: nobody. */
  readonly token: string | undefined;
  /** Whether what was to be served when it began is not all tried yet. */
  readonly isStarting: boolean;
  readonly isStopping: boolean;
  readonly telemetry: Telemetry;
  status(): Promise<AgentStatus>;
}
