import { connect, type Socket } from 'node:net';

/** One answer as its bytes say it. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; a field that is there twice is an error. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** How long an answer or the end of a connection may take. */
const PATIENCE_MS = 20_000;

/** A connection that writes any bytes, and reads answers one after the other by the rules of RFC 9112. */
export class RawConnection {
  readonly socket: Socket;
  private held = Buffer.alloc(0);
  private ended: 'no' | 'closed' | 'reset' = 'no';
  private wake: () => void = () => {};

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => {
      this.held = Buffer.concat([this.held, chunk]);
      this.wake();
    });
    const end = (how: 'closed' | 'reset') => () => {
      if (this.ended === 'no') this.ended = how;
      this.wake();
    };
    this.socket.on('end', end('closed')).on('error', end('reset')).on('close', end('closed'));
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** The next answer; `isHead`: one to HEAD, without a body. */
  async next(isHead = false): Promise<RawAnswer> {
    const { status, headers } = await this.nextHead();
    if (isHead || status < 200 || status === 204) return { status, headers, body: Buffer.alloc(0) };
    const body = headers['transfer-encoding'] === undefined ? await this.sized(headers) : await this.chunked();
    return { status, headers, body };
  }

  /** The head of the next answer, whose body stays where it is. */
  async nextHead(): Promise<Omit<RawAnswer, 'body'>> {
    const head = (await this.until(() => this.take(this.held.indexOf('\r\n\r\n') + 4, 4))).toString('latin1');
    const [line, ...fields] = head.slice(0, -4).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) [\w -]+$/.exec(line)?.[1]);
    if (!(status >= 100)) throw new Error(`no status line: ${line.slice(0, 100)}`);
    const headers: Record<string, string> = {};
    for (const field of fields) {
      const [, name, value] = /^([\w-]+): (.*)$/.exec(field) ?? [];
      if (name === undefined || name.toLowerCase() in headers) throw new Error(`a field is wrong or twice: ${field}`);
      headers[name.toLowerCase()] = value;
    }
    return { status, headers };
  }

  /** Resolves when the other end has closed in order with nothing more said; ours is closed then too. */
  async closed(): Promise<void> {
    await this.until(() => (this.ended === 'no' ? undefined : true));
    const { ended, held } = this;
    this.socket.end();
    if (ended === 'reset' || held.length > 0)
      throw new Error(`${ended}, ${held.length} bytes more: ${held.subarray(0, 200)}`);
  }

  destroy(): void {
    this.socket.destroy();
  }

  private async sized(headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const length = Number(headers['content-length']);
    if (!Number.isInteger(length)) throw new Error('an answer without a length');
    return this.until(() => this.take(length, 0));
  }

  private async chunked(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for (;;) {
      const line = await this.until(() => this.take(this.held.indexOf('\r\n') + 2, 2));
      const length = Number.parseInt(line.toString('latin1'), 16);
      chunks.push((await this.until(() => this.take(length + 2, 0))).subarray(0, length));
      if (length === 0) return Buffer.concat(chunks);
    }
  }

  /** The next `length` bytes when they are there, and more than `least` of them were found. */
  private take(length: number, least: number): Buffer | undefined {
    if (length < least || this.held.length < length) return undefined;
    const taken = this.held.subarray(0, length);
    this.held = this.held.subarray(length);
    return taken;
  }

  private async until<T>(look: () => T | undefined): Promise<T> {
    const limit = performance.now() + PATIENCE_MS;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.ended !== 'no')
        throw new Error(`${this.ended} with ${this.held.length} bytes: ${this.held.subarray(0, 200)}`);
      if (performance.now() > limit) throw new Error(`nothing more came: ${this.held.subarray(0, 200)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
