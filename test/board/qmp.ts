import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const PATIENCE_MS = 120_000;

/** A connection to the monitor of a running qemu; one command at a time. */
export class Monitor {
  private readonly socket: Socket;
  private text = '';
  private waiting: { done: (value: unknown) => void; fail: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.take(text));
    socket.on('close', () => this.waiting?.fail(new Error('the emulator closed its monitor')));
    socket.on('error', () => undefined);
  }

  /** The monitor behind a unix socket of qemu. */
  static async open(path: string): Promise<Monitor> {
    const socket = connect(path);
    await once(socket, 'connect');
    const monitor = new Monitor(socket);
    await monitor.ask('qmp_capabilities');
    return monitor;
  }

  /** What qemu answers to one command; rejects with its words where it refuses, and when it does not answer. */
  async ask(execute: string, args?: object): Promise<unknown> {
    const answer = new Promise((done, fail) => {
      this.waiting = { done, fail };
    });
    this.socket.write(`${JSON.stringify({ execute, ...(args && { arguments: args }) })}\n`);
    const late = setTimeout(() => this.waiting?.fail(new Error(`the emulator did not answer ${execute}`)), PATIENCE_MS);
    try {
      return await answer;
    } finally {
      clearTimeout(late);
      this.waiting = undefined;
    }
  }

  /** Runs a command of qemu's monitor for people; what it prints is a refusal. */
  async command(line: string): Promise<void> {
    const printed = String(await this.ask('human-monitor-command', { 'command-line': line })).trim();
    if (printed !== '') throw new Error(`the emulator refused "${line}": ${printed}`);
  }

  close(): void {
    this.socket.destroy();
  }

  private take(text: string): void {
    const lines = (this.text + text).split('\n');
    this.text = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      const message = JSON.parse(line) as { return?: unknown; error?: { desc: string } };
      if ('return' in message) this.waiting?.done(message.return);
      else if (message.error !== undefined) this.waiting?.fail(new Error(message.error.desc));
    }
  }
}
