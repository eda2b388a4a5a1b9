import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { boardImage, runFolder } from './image';
import { type Hardware, Machine } from './machine';
import { type Outcome, outcomeOf } from './programs';

/** Most time from the start of the emulator to an ssh login: many times what it takes on two idle cores. */
const BOOT_MS = 600_000;

/** What a board can be started with; all of it may be left out. */
export interface BoardOptions extends Partial<Hardware> {
  /**
   * saved (the default): the board continues from a state that was saved after its first boot, with a disk as fresh as after a boot;
   * cold: it boots.
   */
  readonly boot?: 'saved' | 'cold';
  /** Gets the lines of progress. */
  readonly say?: (line: string) => void;
}

/** How a command is run on the board. */
export interface RunOptions {
  readonly as?: 'pi' | 'root';
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
}

/** An emulated arm64 Debian with ssh on the loopback. Everything is thrown away by `close`. */
export class Board {
  readonly host = '127.0.0.1';
  readonly user = 'pi';
  /** The names of this board in `sshConfig`: `ssh -F sshConfig board`. */
  readonly destination = 'board';
  readonly sshConfig: string;
  readonly knownHosts: string;
  readonly identity: string;

  /** Where what this board writes lies: disk, console.log, ssh files. */
  readonly folder: string;
  readonly port: number;
  private readonly machine: Machine;

  private constructor(image: string, folder: string, machine: Machine, port: number) {
    this.folder = folder;
    this.machine = machine;
    this.port = port;
    this.sshConfig = join(folder, 'ssh.config');
    this.knownHosts = join(folder, 'known_hosts');
    this.identity = join(folder, 'identity');
    const hostKey = readFileSync(join(image, 'hostkey.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
    writeFileSync(this.knownHosts, `[${this.host}]:${port} ${hostKey}\n`);
    writeFileSync(this.identity, readFileSync(join(image, 'identity')), { mode: 0o600 });
    writeFileSync(this.sshConfig, sshConfig(this));
  }

  /** Starts a board; builds its image where the cache has none. Resolves when ssh lets `pi` in. */
  static async start(options: BoardOptions = {}): Promise<Board> {
    const { say = () => undefined, boot = 'saved', ...parts } = options;
    const hardware: Hardware = { cpu: 'cortex-a72', memoryMB: 512, init: 'systemd', cron: true, ...parts };
    const image = await boardImage(say);
    const folder = runFolder(image);
    const port = await freePort();
    const machine = new Machine(image, folder, hardware, port);
    const board = new Board(image, folder, machine, port);
    try {
      if (boot === 'saved') {
        if (!machine.hasState) await board.makeState(say);
        machine.takeState();
        await machine.start({ fromState: true });
        await board.waitForLogin();
        // The clock of the board stood still since its state was saved.
        await board.require('root', `date -s @${(Date.now() / 1000).toFixed(3)}`);
      } else {
        await machine.makeDisk();
        await machine.start();
        await board.waitForLogin();
      }
      return board;
    } catch (error) {
      await board.close();
      throw error;
    }
  }

  /** Runs one command of the board's shell, as `pi` unless told otherwise. */
  run(command: string, { as = 'pi', ...options }: RunOptions = {}): Promise<Outcome> {
    const name = as === 'pi' ? this.destination : `${this.destination}-root`;
    return outcomeOf('ssh', ['-F', this.sshConfig, '--', name, command], options);
  }

  /** Cuts the power: nothing on the board is told. */
  async powerCut(): Promise<void> {
    await this.machine.kill();
  }

  /** Boots the board after a power cut, from the disk as the cut left it. */
  async powerOn(): Promise<void> {
    await this.machine.start();
    await this.waitForLogin();
  }

  /** Reboots the board by itself; resolves when ssh lets `pi` in again. */
  async reboot(): Promise<void> {
    const boot = await this.bootId();
    await this.run(
      '(sleep 0.3; if [ -d /run/systemd/system ]; then reboot; else busybox reboot; fi) > /dev/null 2>&1 < /dev/null &',
      { as: 'root', timeoutMs: 30_000 },
    );
    const end = Date.now() + BOOT_MS;
    while (Date.now() < end) {
      const outcome = await this.run('cat /proc/sys/kernel/random/boot_id', { timeoutMs: 20_000 });
      if (outcome.code === 0 && outcome.stdout.trim() !== boot) return;
      await sleep(500);
    }
    throw new Error(`the board did not come back from a reboot; its console:\n${this.machine.consoleTail()}`);
  }

  /** Pulls the network cable, or puts it back. What was sent meanwhile arrives afterwards, as TCP does it. */
  async setLink(state: 'on' | 'off'): Promise<void> {
    await this.machine.ask((monitor) => monitor.ask('set_link', { name: 'nic', up: state === 'on' }));
  }

  /** Stops the processors of the board, or lets them go on. */
  async freeze(state: 'on' | 'off'): Promise<void> {
    await this.machine.ask((monitor) => monitor.ask(state === 'on' ? 'stop' : 'cont'));
  }

  /** Fills the disk of the board until `leaveKB` are free; `emptyDisk` gives the room back. */
  async fillDisk(leaveKB = 0): Promise<void> {
    await this.require(
      'root',
      `free=$(df -Pk / | awk 'NR == 2 { print $4 }'); fallocate -l $(( (free - ${leaveKB}) * 1024 )) /filler; sync`,
    );
    if (leaveKB === 0) await this.run('cat /dev/zero >> /filler2 2> /dev/null; sync', { as: 'root' });
  }

  /** Removes what `fillDisk` wrote. */
  async emptyDisk(): Promise<void> {
    await this.require('root', 'rm -f /filler /filler2; sync');
  }

  /** What the emulated INA219 measures from now on. */
  async setPower(volts: number, amperes: number): Promise<void> {
    await this.require('root', `board-power ${Math.round(volts * 1000)} ${Math.round(amperes * 1000)}`);
  }

  /** The temperature of the emulated thermal zone, in degrees Celsius. */
  async setTemperature(celsius: number): Promise<void> {
    await this.require('root', `echo ${Math.round(celsius * 1000)} > /sys/module/board_thermal/parameters/temp`);
  }

  /** Delays, loses and slows what the board sends: the words of `tc ... netem`, such as `delay 80ms 10ms loss 2% rate 4mbit`. */
  async setLine(netem: string): Promise<void> {
    await this.require('root', `modprobe sch_netem; tc qdisc replace dev eth0 root netem ${netem}`);
  }

  /** Changes with each boot. */
  async bootId(): Promise<string> {
    return (await this.require('pi', 'cat /proc/sys/kernel/random/boot_id')).trim();
  }

  /** Ends the board and removes all that it wrote. */
  async close(): Promise<void> {
    await this.machine.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async require(as: 'pi' | 'root', command: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, { as });
    if (code !== 0) throw new Error(`the board answered ${code} to "${command}": ${stderr || stdout}`);
    return stdout;
  }

  /** Boots once and saves the state. */
  private async makeState(say: (line: string) => void): Promise<void> {
    say('board: first boot of this kind of board; its state is saved ...');
    await this.machine.makeDisk();
    await this.machine.start();
    await this.waitForLogin();
    await this.require('root', 'sync; echo 3 > /proc/sys/vm/drop_caches');
    await this.machine.saveState();
  }

  private async waitForLogin(): Promise<void> {
    const end = Date.now() + BOOT_MS;
    while (Date.now() < end) {
      this.machine.requireAlive();
      if (await greets(this.host, this.port)) {
        const { code } = await this.run('true', { timeoutMs: 60_000 });
        if (code === 0) return;
      }
      await sleep(100);
    }
    throw new Error(`the board did not boot; its console:\n${this.machine.consoleTail()}`);
  }
}

/** Starts a board; see {@link Board.start}. */
export const startBoard = Board.start;

function sshConfig({ host, port, identity, knownHosts }: Board): string {
  const settings = [
    `HostName ${host}`,
    `Port ${port}`,
    `IdentityFile "${identity}"`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile "${knownHosts}"`,
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    'BatchMode yes',
    'ConnectTimeout 60',
    'LogLevel ERROR',
  ];
  const entry = (name: string, user: string) =>
    `Host ${name}\n${[`User ${user}`, ...settings].map((line) => `  ${line}\n`).join('')}`;
  return `${entry('board', 'pi')}${entry('board-root', 'root')}`;
}

/** Whether an ssh server greets: qemu accepts connections long before the board does. */
async function greets(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  const greeting = once(socket, 'data').then(([data]) => String(data).startsWith('SSH-'));
  const outcome = await Promise.race([greeting.catch(() => false), sleep(1500).then(() => false)]);
  socket.destroy();
  return outcome;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
