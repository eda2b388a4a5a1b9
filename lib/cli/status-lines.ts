import type { AgentProcess, AgentStatus, RepositoryEntry, ServedStatus } from '../protocol/agent-status';
import { bytesText, pairs, table } from './text';

/** How an agent fares, for people. */
export function statusLines(status: AgentStatus): string[] {
  const { cores, uptimeS, connections, version, stopping } = status;
  return [
    ...pairs([
      ['agent', `Hone ${version}, up ${durationText(uptimeS)}${stopping ? ', stopping' : ''}`],
      ['cores', `${cores.total}, ${cores.total - cores.free} of them held by inferences`],
      ['connections', String(connections)],
    ]),
    '',
    ...modelLines(status),
    '',
    ...processLines(status.processes),
    '',
    sharingText(status.processes),
  ];
}

function modelLines({ models, repository, repositoryReason }: AgentStatus): string[] {
  const entries: readonly RepositoryEntry[] =
    repository ?? models.map(({ name, version }) => ({ name, version, state: 'READY', reason: '' }));
  const lines =
    entries.length === 0
      ? ['no models']
      : table([
          ['model', 'version', 'state', 'worker', 'restarts', 'waiting', 'running', 'about it'],
          ...entries.map((entry) =>
            modelRow(
              entry,
              models.find(({ name, version }) => name === entry.name && version === entry.version),
            ),
          ),
        ]);
  return repository === null ? [...lines, `what else may be loaded is not known: ${repositoryReason}`] : lines;
}

function modelRow(entry: RepositoryEntry, served: ServedStatus | undefined): string[] {
  const { name, version } = entry;
  if (served === undefined) return [name, version, 'not served', '', '', '', '', entry.reason];
  const { state, pid, restarts, waiting, running, reason, retryMs } = served;
  const next = retryMs > 0 ? `; the next worker starts in ${Math.ceil(retryMs / 1000)} s` : '';
  const about = reason === null ? '' : `the last worker ended: ${reason}${next}`;
  return [
    name,
    version,
    state,
    pid === null ? '' : String(pid),
    String(restarts),
    String(waiting),
    String(running),
    about,
  ];
}

function processLines(processes: readonly AgentProcess[]): string[] {
  const memory = (bytes: number | null) => (bytes === null ? 'unknown' : bytesText(bytes));
  const sum = (of: (process: AgentProcess) => number | null) => {
    const known = processes.map(of);
    return known.includes(null) ? null : known.reduce<number>((total, bytes) => total + bytes!, 0);
  };
  return table([
    ['process', 'role', 'user', 'resident', 'share', 'limit', 'about it'],
    ...processes.map((process) => [
      String(process.pid),
      roleText(process),
      process.uid === null ? 'unknown' : String(process.uid),
      memory(process.rssBytes),
      memory(process.pssBytes),
      process.limitBytes === null ? 'none' : bytesText(process.limitBytes),
      process.reason ?? '',
    ]),
    [
      '',
      'all',
      '',
      '',
      memory(sum(({ pssBytes }) => pssBytes)),
      '',
      'share: what several processes hold together is divided',
    ],
  ]);
}

function roleText({ roles, model, version }: AgentProcess): string {
  return roles.join(', ') + (model === undefined ? '' : ` of ${model} ${version}`);
}

/** What shares a process and a user, and what that means. */
function sharingText(processes: readonly AgentProcess[]): string {
  const together = processes.find(({ roles }) => roles.length > 1);
  const first = together === undefined ? '' : `${together.roles.join(' and ')} are one process; `;
  const users = new Set(processes.map(({ uid }) => uid));
  if (users.size > 1) return `${first}its roles run under ${users.size} users`;
  return `${first}all run under one user: code that took over a worker could do what that user may`;
}

function durationText(seconds: number): string {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}
