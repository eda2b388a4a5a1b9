import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { nanoseconds } from '../nanoseconds';

interface Connection {
  /** When bytes came that belong to no request yet; undefined: none have. */
  firstNs: number | undefined;
  lastNs: number;
  /** Requests that are not answered. */
  open: number;
}

/** How long a client may take to close its end, in milliseconds, before the connection is cut. */
const LINGER_MS = 1000;

/** What is known of every connection of a server: when a request began to arrive, and when one can be closed without loss. */
export class Connections {
  private readonly known = new Map<Socket, Connection>();
  private isClosing = false;

  constructor(server: Server) {
    server.on('connection', (socket) => this.add(socket));
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
    return arrival;
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
    if (this.isClosing && connection.open === 0) request.socket.end();
  }

  /** Milliseconds since anything arrived on any connection; Infinity without one. */
  quietMs(): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const { lastNs } of this.known.values()) last = Math.max(last, lastNs);
    return (nanoseconds() - last) / 1e6;
  }

  /**
   * Closes all: our end first, so that what was sent to the client arrives there; the rest when the client has closed its own,
   * for a connection that is cut with unread bytes takes answers with it.
   */
  async close(): Promise<void> {
    this.isClosing = true;
    const closed = [...this.known].map(
      ([socket, connection]) =>
        new Promise<void>((resolve) => {
          socket.once('close', () => resolve());
          const cut = setTimeout(() => socket.destroy(), LINGER_MS);
          socket.once('close', () => clearTimeout(cut));
          if (connection.open === 0) socket.end();
        }),
    );
    await Promise.all(closed);
  }

  private add(socket: Socket): void {
    const connection: Connection = { firstNs: undefined, lastNs: nanoseconds(), open: 0 };
    this.known.set(socket, connection);
    // Before the parser of requests sees these bytes.
    socket.prependListener('data', () => {
      connection.lastNs = nanoseconds();
      connection.firstNs ??= connection.lastNs;
    });
    socket.on('close', () => this.known.delete(socket));
  }
}
