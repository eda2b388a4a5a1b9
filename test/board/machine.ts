import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { outputOf, startError } from './programs';
import { Monitor } from './qmp';

/** The emulated processors, by the boards that they stand for. */
export const CPUS = { 'cortex-a72': 'cortex-a72', 'cortex-a76': 'cortex-a76', max: 'max,pauth-impdef=on' } as const;

/** What a board is made of. */
export interface Hardware {
  /** cortex-a72: a Pi 4; cortex-a76: a Pi 5, sdot; max: i8mm and more. */
  readonly cpu: keyof typeof CPUS;
  readonly memoryMB: number;
  /** What /proc/device-tree/model says; by default qemu's own words. */
  readonly model?: string;
  /** busybox: a board without systemd. */
  readonly init: 'systemd' | 'busybox';
  /** Whether cron runs where busybox is the init. */
  readonly cron: boolean;
}

/** One emulated machine on one disk: it can be started, ended as by a power cut, and started again on the same disk. */
export class Machine {
  private readonly image: string;
  private readonly folder: string;
  private readonly hardware: Hardware;
  private readonly port: number;
  private process: ChildProcess | undefined;
  private monitor: Monitor | undefined;

  /** A machine whose files lie in `folder`, with ssh on `port` of the loopback. */
  constructor(image: string, folder: string, hardware: Hardware, port: number) {
    this.image = image;
    this.folder = folder;
    this.hardware = hardware;
    this.port = port;
  }

  /** Makes a fresh disk. */
  async makeDisk(): Promise<void> {
    await outputOf('qemu-img', [
      'create',
      '-q',
      '-f',
      'qcow2',
      '-F',
      'raw',
      '-b',
      join(this.image, 'board.ext4'),
      this.disk,
    ]);
  }

  /** Whether a state of this hardware, saved after it had booted, is in the cache. */
  get hasState(): boolean {
    return existsSync(this.state);
  }

  /** Takes the disk of the saved state. */
  takeState(): void {
    copyFileSync(this.state, this.disk, constants.COPYFILE_FICLONE);
  }

  /** Saves the state of the running machine into the cache. The machine has ended afterwards. */
  async saveState(): Promise<void> {
    await this.ask((monitor) => monitor.command('savevm ready'));
    await this.kill();
    mkdirSync(join(this.image, 'states'), { recursive: true });
    const temporary = `${this.state}.${process.pid}`;
    copyFileSync(this.disk, temporary, constants.COPYFILE_FICLONE);
    renameSync(temporary, this.state);
  }

  /** Starts the emulator; resolves when it runs, which is long before the board has booted. */
  async start({ fromState = false } = {}): Promise<void> {
    const args = [...(await this.arguments()), ...(fromState ? ['-loadvm', 'ready'] : [])];
    rmSync(this.socket, { force: true });
    const log = openSync(join(this.folder, 'qemu.log'), 'w');
    // The emulator ends with this process, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-aarch64', ...args], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    let failure: Error | undefined;
    child.on('error', (error) => {
      failure = startError('setpriv', error);
    });
    this.process = child;
    while (!existsSync(this.socket)) {
      this.requireAlive(failure);
      await sleep(20);
    }
    this.monitor = await Monitor.open(this.socket);
  }

  /** Rejects where the emulator has ended by itself. */
  requireAlive(failure?: Error): void {
    if (failure !== undefined) throw failure;
    if (this.process === undefined || this.process.exitCode !== null || this.process.signalCode !== null) {
      const log = readFileSync(join(this.folder, 'qemu.log'), 'utf8').trim();
      const missing = /failed to execute qemu/.test(log)
        ? startError('qemu-system-aarch64', Object.assign(new Error(), { code: 'ENOENT' })).message
        : '';
      throw new Error(missing || `the emulator has ended: ${log || 'without a word'}`);
    }
  }

  /** Gives the monitor to one caller. */
  async ask(what: (monitor: Monitor) => Promise<unknown>): Promise<void> {
    if (this.monitor === undefined) throw new Error('the board is off');
    await what(this.monitor);
  }

  /** Ends the emulator at once, as a power cut does. */
  async kill(): Promise<void> {
    const child = this.process;
    this.monitor?.close();
    this.monitor = undefined;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** The last lines that the kernel and the init printed. */
  consoleTail(lines = 40): string {
    const path = join(this.folder, 'console.log');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').slice(-lines).join('\n') : '';
  }

  private get disk(): string {
    return join(this.folder, 'disk.qcow2');
  }

  private get socket(): string {
    return join(this.folder, 'monitor');
  }

  private get state(): string {
    const key = createHash('sha256')
      .update(JSON.stringify([this.hardware, this.machineArguments()]))
      .digest('hex');
    return join(this.image, 'states', `${key.slice(0, 16)}.qcow2`);
  }

  /** What a saved state depends on. */
  private machineArguments(): string[] {
    const { cpu, memoryMB, init, cron } = this.hardware;
    const words = [
      'console=ttyAMA0',
      'quiet',
      'loglevel=4',
      'random.trust_cpu=on',
      'mitigations=off',
      // On a busy machine a second of the board can last ten.
      'nosoftlockup',
      'systemd.default_timeout_start_sec=600',
      'systemd.show_status=0',
    ];
    if (init === 'busybox') words.push('board.init=/usr/lib/board/init');
    if (!cron) words.push('board.cron=0');
    return [
      ...['-M', 'virt', '-cpu', CPUS[cpu], '-smp', '2', '-m', String(memoryMB), '-accel', 'tcg,thread=multi'],
      ...['-nodefaults', '-nographic', '-append', words.join(' '), '-device', 'virtio-rng-device'],
    ];
  }

  private async arguments(): Promise<string[]> {
    return [
      ...this.machineArguments(),
      ...['-kernel', join(this.image, 'vmlinuz'), '-initrd', join(this.image, 'initrd.zst')],
      ...(await this.deviceTree()),
      ...['-drive', `if=none,id=disk,file=${this.disk},format=qcow2,cache=unsafe`],
      ...['-device', 'virtio-blk-device,drive=disk'],
      // The board reaches nothing: neither this machine nor a network behind it.
      ...['-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${this.port}-:22`],
      ...['-device', 'virtio-net-device,netdev=net,id=nic'],
      ...['-serial', `file:${join(this.folder, 'console.log')}`, '-qmp', `unix:${this.socket},server=on,wait=off`],
      ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ];
  }

  /** qemu's own device tree with the model of another board. */
  private async deviceTree(): Promise<string[]> {
    const { cpu, memoryMB, model } = this.hardware;
    if (model === undefined) return [];
    const tree = join(this.folder, 'board.dtb');
    const like = ['-cpu', CPUS[cpu], '-smp', '2', '-m', String(memoryMB)];
    await outputOf('qemu-system-aarch64', ['-M', `virt,dumpdtb=${tree}`, ...like, '-nodefaults', '-nographic']);
    await outputOf('fdtput', ['-t', 's', tree, '/', 'model', model]);
    return ['-dtb', tree];
  }
}
