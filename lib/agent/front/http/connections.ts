import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { HoneError } from '../../../core/error';
import { nanoseconds } from '../nanoseconds';
import { errorBytes } from './answer';
import { faultOf } from './fault';
import type { HttpLimits } from './limits';

interface Connection {
  /** When bytes came that belong to no request yet; undefined: none have. */
  firstNs: number | undefined;
  lastNs: number;
  /** Requests that are not answered. */
  open: number;
  /** The last request that began; its body may still be arriving. */
  request: IncomingMessage | undefined;
  /** Settled when that request was answered. */
  answered: Promise<void> | undefined;
  /** Tells who reads that body that the rest of it will not come. */
  fail: ((error: HoneError) => void) | undefined;
  /** Why the rest of it will not come. */
  fault: HoneError | undefined;
  /** Nothing more is read: the connection is closed when all requests are answered, after this refusal if there is one. */
  end: { readonly refusal: HoneError | undefined } | undefined;
  /** Our end is closed. */
  isClosed: boolean;
}

/** An HTTP server, not listening yet, that keeps to limits; `Connections` answers what it cannot read. */
export function createHttpServer(limits: HttpLimits): Server {
  const server = createServer({
    noDelay: true,
    requestTimeout: limits.requestMs,
    headersTimeout: limits.headMs,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: limits.headBytes,
    // `readHead` says in words what is wrong with Host.
    requireHostHeader: false,
  });
  server.maxConnections = limits.connections;
  // Node would drop the header fields beyond a number of them without a word; their bytes are limited.
  server.maxHeadersCount = 0;
  server.timeout = limits.sendMs;
  return server;
}

/**
 * What is known of every connection of a server: when a request began to arrive, and how to end a connection without loss. A
 * connection that is cut with unread bytes takes answers with it that the client has not read; so our end is closed first, and
 * what still comes is forgotten for a while.
 */
export class Connections {
  private readonly known = new Map<Socket, Connection>();
  private readonly limits: HttpLimits;
  private readonly refused: (error: HoneError) => void;
  private isClosing = false;

  /** @param refused told of every refusal that a connection ends with */
  constructor(server: Server, limits: HttpLimits, refused: (error: HoneError) => void) {
    this.limits = limits;
    this.refused = refused;
    server.on('connection', (socket) => this.add(socket));
    server.on('clientError', (error, socket) => {
      const fault = faultOf(error, limits);
      if (fault === undefined) socket.destroy();
      else this.refuse(socket as Socket, fault);
    });
    // Node would close the connection without a word.
    server.on('connect', (_, socket) => {
      const details = { method: 'CONNECT', path: 'the agent', allow: 'GET, HEAD, POST, OPTIONS' };
      this.refuse(socket as Socket, new HoneError('E_REQUEST_METHOD', details));
    });
    // Whether they are met is for who answers to say.
    server.on('checkContinue', (request, response) => server.emit('request', request, response));
    server.on('checkExpectation', (request, response) => server.emit('request', request, response));
    server.on('timeout', (socket) => this.timedOut(socket));
    // Node would cut idle connections when the server closes, with what lies unread in them.
    server.closeIdleConnections = () => {};
  }

  get size(): number {
    return this.known.size;
  }

  /** When the first byte of a request arrived that has just been read so far that it can be answered, in nanoseconds. */
  begin(request: IncomingMessage): number {
    const connection = this.known.get(request.socket);
    if (connection === undefined) return nanoseconds();
    const arrival = connection.firstNs ?? connection.lastNs;
    connection.firstNs = undefined;
    connection.open++;
    connection.request = request;
    connection.fail = undefined;
    return arrival;
  }

  /**
   * Waits, for a request that has begun, until those before it on its connection are answered, so that a client that sends many
   * and reads nothing has one answer made; undefined: there are none. Tells whether it is to be answered still.
   */
  turnOf(request: IncomingMessage, response: ServerResponse): Promise<boolean> | undefined {
    const connection = this.known.get(request.socket);
    if (connection === undefined) return undefined;
    const before = connection.open > 1 ? connection.answered : undefined;
    connection.answered = new Promise((resolve) => response.once('close', resolve));
    return before?.then(() => !connection.isClosed && !request.socket.destroyed);
  }

  /** Has `fail` called when the body of a request that has begun will not come, though its client can still be answered. */
  watchBody(request: IncomingMessage, fail: (error: HoneError) => void): void {
    const connection = this.known.get(request.socket);
    if (connection?.request !== request) return;
    connection.fail = fail;
    if (connection.fault !== undefined) fail(connection.fault);
  }

  /** The body of a request has arrived: what comes now is the next one. */
  bodyEnded(request: IncomingMessage): void {
    const connection = this.known.get(request.socket);
    if (connection !== undefined) connection.firstNs = undefined;
  }

  /** A request was answered, or its connection is gone. */
  end(request: IncomingMessage): void {
    const connection = this.known.get(request.socket);
    if (connection === undefined) return;
    connection.open--;
    if (connection.request === request) {
      connection.fail = undefined;
      if (request.complete) connection.request = undefined;
    }
    if (connection.open === 0 && (this.isClosing || connection.end !== undefined))
      this.finish(request.socket, connection);
  }

  /** Milliseconds since anything arrived on any connection; Infinity without one. */
  quietMs(): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const { lastNs } of this.known.values()) last = Math.max(last, lastNs);
    return (nanoseconds() - last) / 1e6;
  }

  /** Closes all, each when its requests are answered; for so long as a client may linger. */
  async close(): Promise<void> {
    this.isClosing = true;
    const closed = [...this.known].map(
      ([socket, connection]) =>
        new Promise<void>((resolve) => {
          const cut = setTimeout(() => socket.destroy(), this.limits.lingerMs);
          socket.once('close', () => {
            clearTimeout(cut);
            resolve();
          });
          if (connection.open === 0) this.finish(socket, connection);
        }),
    );
    await Promise.all(closed);
  }

  private add(socket: Socket): void {
    const connection: Connection = {
      firstNs: undefined,
      lastNs: nanoseconds(),
      open: 0,
      request: undefined,
      answered: undefined,
      fail: undefined,
      fault: undefined,
      end: undefined,
      isClosed: false,
    };
    this.known.set(socket, connection);
    // Before the parser of requests sees these bytes.
    socket.prependListener('data', () => {
      connection.lastNs = nanoseconds();
      connection.firstNs ??= connection.lastNs;
    });
    socket.on('close', () => this.known.delete(socket));
    // What Node calls after the last answer of a connection, behind which nothing is said; its own would cut the connection.
    socket.destroySoon = () => {
      connection.end = { refusal: undefined };
      this.finish(socket, connection);
    };
  }

  /** Nothing that comes on a connection can be read any more; it is said once, behind the answers to what came before. */
  private refuse(socket: Socket, fault: HoneError): void {
    const connection = this.known.get(socket);
    if (connection === undefined || !socket.writable) {
      socket.destroy();
      return;
    }
    if (connection.end !== undefined) return;
    const isBody = connection.request !== undefined && !connection.request.complete;
    const isSilent = isBody || (connection.firstNs === undefined && fault.code === 'E_REQUEST_SLOW');
    connection.end = { refusal: isSilent ? undefined : fault };
    if (isBody) {
      connection.fault = fault;
      connection.fail?.(fault);
    }
    if (connection.open === 0) this.finish(socket, connection);
  }

  /** Nothing came and nothing was taken for `sendMs`, or `keepAliveMs` after the last answer. */
  private timedOut(socket: Socket): void {
    const connection = this.known.get(socket);
    if (connection === undefined || socket.writableLength > 0) socket.destroy();
    else if (connection.open > 0) socket.setTimeout(this.limits.sendMs);
    else this.finish(socket, connection);
  }

  /** Says why, where that is due, and closes our end; the rest follows when the client has closed its own or is too slow to. */
  private finish(socket: Socket, connection: Connection): void {
    if (connection.isClosed) return;
    connection.isClosed = true;
    const { sendMs, lingerMs, drainMs, drainBytes } = this.limits;
    const cut = () => socket.destroy();
    const timers = [setTimeout(cut, sendMs + drainMs)];
    let left = drainBytes;
    // No request that still comes is read.
    socket.removeAllListeners('data');
    socket.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) cut();
      timers[1]?.refresh();
    });
    socket.resume();
    // Only now can the client have read the last answer.
    socket.once('finish', () => timers.push(setTimeout(cut, lingerMs), setTimeout(cut, drainMs)));
    socket.once('close', () => timers.forEach(clearTimeout));
    const { refusal } = connection.end ?? {};
    if (refusal !== undefined) this.refused(refusal);
    socket.end(refusal === undefined ? '' : errorBytes(refusal));
  }
}
