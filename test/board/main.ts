// npm run board -- [--cpu cortex-a72|cortex-a76|max] [--init systemd|busybox] [--model TEXT] [--cold] [--build-only] [--rebuild]
// Starts the virtual board for a person and keeps it until Ctrl-C.
import { parseArgs } from 'node:util';
import { startBoard } from './board';
import { boardImage } from './image';
import { CPUS, type Hardware } from './machine';

const INITS = ['systemd', 'busybox'] as const;
const USAGE = `usage: npm run board -- [options]
  --cpu ${Object.keys(CPUS).join('|')}   the processor (cortex-a72)
  --init ${INITS.join('|')}   busybox: a board without systemd (systemd)
  --model TEXT   what the board says it is, such as "Raspberry Pi 5 Model B Rev 1.0"
  --cold         boot, instead of going on from a saved state
  --build-only   build the image and end
  --rebuild      ask for newer packages first`;

const say = (line: string) => console.error(line);

function refuse(message: string): never {
  console.error(`${message}\n${USAGE}`);
  process.exit(2);
}

function oneOf<T extends string>(option: string, value: string | undefined, words: readonly T[]): T {
  if (value !== undefined && !words.includes(value as T))
    refuse(`--${option} takes ${words.join(', ')}; found "${value}"`);
  return (value as T | undefined) ?? words[0];
}

function options() {
  try {
    return parseArgs({
      options: {
        cpu: { type: 'string' },
        init: { type: 'string' },
        model: { type: 'string' },
        cold: { type: 'boolean', default: false },
        'build-only': { type: 'boolean', default: false },
        rebuild: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

async function main(): Promise<void> {
  const { model, cold, rebuild, ...values } = options();
  const hardware: Partial<Hardware> = {
    cpu: oneOf('cpu', values.cpu, Object.keys(CPUS) as (keyof typeof CPUS)[]),
    init: oneOf('init', values.init, INITS),
    ...(model !== undefined && { model }),
  };
  if (rebuild || values['build-only']) {
    const image = await boardImage(say, { rebuild });
    if (values['build-only']) return say(`board: image in ${image}`);
  }
  const since = performance.now();
  say(`board: starting an emulated ${hardware.cpu} ...`);
  const board = await startBoard({ ...hardware, boot: cold ? 'cold' : 'saved', say });
  const { sshConfig, destination } = board;
  say(`board: up after ${((performance.now() - since) / 1000).toFixed(1)} s. It is emulated: its timings are not those of any board.

  log in            ssh -F ${sshConfig} ${destination}
  as root           ssh -F ${sshConfig} ${destination}-root
  for hone          HONE_SSH_CONFIG=${sshConfig} hone ... --board ${destination}
  without the file  ssh -i ${board.identity} -o UserKnownHostsFile=${board.knownHosts} -p ${board.port} ${board.user}@${board.host}

Ctrl-C ends it and removes all that it wrote.`);
  const minute = setInterval(() => undefined, 60_000);
  await new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, done);
  });
  clearInterval(minute);
  await board.close();
}

main().catch((error: Error) => {
  console.error(`board: ${error.message}`);
  process.exit(1);
});
