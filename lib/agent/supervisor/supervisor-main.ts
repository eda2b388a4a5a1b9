import { connectSupervisor } from '../../client/supervisor-client';
import { asHoneError, HoneError } from '../../core/error';
import { version } from '../../engine/version';
import { hasPassedSocket, PASSED_FD } from '../passed-socket';
import { RUNTIME_FOLDER, type SystemPaths, systemPaths } from '../system-paths';
import { ControlServer } from './control-server';
import { folderCatalogue } from './folder-catalogue';
import { SlotHost } from './slot-host';
import { Supervisor } from './supervisor';

/**
 * Process of the supervisor of an agent that systemd runs: started when somebody connects to its socket, it ends when nobody has been
 * connected for 30 s. With `--recover` it wakes the one behind the socket instead, and prints what that serves: one process alone
 * changes what is served. HONE_PLANS: folder of the catalogue; HONE_SLOTS: folder of the slots; HONE_RUNTIME; HONE_IDLE_MS.
 */
async function main(): Promise<void> {
  const { HONE_RUNTIME = RUNTIME_FOLDER } = process.env;
  const paths = systemPaths(HONE_RUNTIME);
  if (process.argv.includes('--recover')) return recover(paths);
  if (!hasPassedSocket(process.env, process.pid))
    throw new HoneError('E_AGENT_PORT', {
      address: 'the socket of systemd',
      reason: 'none was handed to this process',
    });
  await serve(paths);
}

async function serve(paths: SystemPaths): Promise<void> {
  const {
    HONE_PLANS = '/var/lib/hone/plans',
    HONE_SLOTS = '/var/lib/hone/slots',
    HONE_IDLE_MS = '30000',
  } = process.env;
  const supervisor = new Supervisor(folderCatalogue(HONE_PLANS), new SlotHost(HONE_SLOTS, paths));
  // A catalogue that cannot be read must not keep anybody from being told so.
  await supervisor.recover().catch((error: unknown) => say(error));
  let timer: NodeJS.Timeout | undefined;
  let control: ControlServer | undefined;
  const wait = (connections: number) => {
    clearTimeout(timer);
    // Who connects from now on finds the socket open all the same, and the next supervisor behind it.
    if (connections === 0) timer = setTimeout(() => void control?.close(), Number(HONE_IDLE_MS));
  };
  const service = {
    index: () => supervisor.index(),
    load: (model: string, wanted?: string) => supervisor.load(model, wanted),
    unload: (model: string, wanted?: string) => supervisor.unload(model, wanted),
    status: () => statusOf(paths),
  };
  control = await ControlServer.adopt(PASSED_FD, service, version(), wait);
  wait(0);
  process.once('SIGTERM', () => {
    clearTimeout(timer);
    void control?.close();
  });
}

/** How the agent fares, as its front tells. */
async function statusOf(paths: SystemPaths) {
  const front = await connectSupervisor(paths.front);
  try {
    return await front.status();
  } finally {
    front.close();
  }
}

async function recover({ supervisor }: SystemPaths): Promise<void> {
  const client = await connectSupervisor(supervisor);
  try {
    for (const { name, version: number, state, reason } of await client.list())
      process.stdout.write(`${name} version ${number}: ${state === 'READY' ? 'ready' : reason}\n`);
  } finally {
    client.close();
  }
}

function say(error: unknown): void {
  const { message, hint } = asHoneError(error);
  process.stderr.write(`${message}. ${hint}\n`);
}

main().catch((error: unknown) => {
  say(error);
  process.exitCode = 1;
});
