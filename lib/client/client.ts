import { Agent } from 'node:http';
import type { AgentClient } from './agent-api';
import { connectThrough } from './agent-client';

export type { AgentClient } from './agent-api';

/**
 * Client of the agent at `url`, for example `http://127.0.0.1:8700`. Nothing is sent yet. Its methods throw
 * E_AGENT_UNREACHABLE for silence, E_AGENT_REFUSED for an answer that is an error or not an agent's, and E_RESPONSE_FORMAT for
 * outputs that are none.
 * @throws E_OPTION_VALUE for a URL that is none
 */
export function connect(url: string): AgentClient {
  return connectThrough(url, new Agent({ keepAlive: true, noDelay: true }));
}
