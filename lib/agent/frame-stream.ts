import type { ServerResponse } from 'node:http';
import { HoneError } from '../core/error';
import type { TelemetryFrame } from '../telemetry/sample';

/** Readers that may listen at once. */
const STREAM_LIMIT = 32;

/** Server-sent events to any number of readers. A reader that is too slow misses frames; it never makes the agent hold them. */
export class FrameStream {
  private readonly readers = new Set<ServerResponse>();

  get empty(): boolean {
    return this.readers.size === 0;
  }

  /** Makes a response a reader and sends it a first frame. @throws E_AGENT_BUSY */
  add(response: ServerResponse, first: TelemetryFrame): void {
    if (this.readers.size >= STREAM_LIMIT)
      throw new HoneError('E_AGENT_BUSY', { limit: STREAM_LIMIT, what: 'telemetry readers are connected' });
    this.readers.add(response);
    response.on('close', () => this.readers.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(sseEvent(first));
  }

  send(frame: TelemetryFrame): void {
    const event = sseEvent(frame);
    for (const reader of this.readers) if (!reader.writableNeedDrain) reader.write(event);
  }

  /** Ends all streams; what is still buffered for readers that do not read is dropped. */
  close(): void {
    for (const reader of this.readers) {
      if (reader.writableNeedDrain) reader.destroy();
      else reader.end();
    }
    this.readers.clear();
  }
}

function sseEvent(frame: TelemetryFrame): string {
  return `event: frame\ndata: ${JSON.stringify(frame)}\n\n`;
}
