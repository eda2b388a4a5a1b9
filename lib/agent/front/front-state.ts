import type { ServerResponse } from 'node:http';
import type { AgentStatus } from '../../protocol/agent-status';
import type { HttpLimits } from './http/limits';
import type { JsonThread } from './json-thread';
import type { Repository } from './repository';
import type { ServedModel } from './served-model';
import type { ServedModels } from './served-models';
import type { RequestTimes } from './statistics';

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
  /** A request to a model was answered; where its time went. */
  observe(model: ServedModel, times: RequestTimes): void;
  renderMetrics(): Promise<{ readonly type: string; readonly text: string }>;
  status(): Promise<AgentStatus>;
  /** Makes a response a reader of telemetry frames, those of one model or of all. @throws E_AGENT_BUSY */
  openStream(response: ServerResponse, model: string | undefined): void;
}
