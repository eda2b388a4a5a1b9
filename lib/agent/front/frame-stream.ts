import type { ServerResponse } from 'node:http';
import { HoneError } from '../../core/error';
import type { TelemetryFrame } from '../../telemetry/sample';

/** Readers that may listen at once. */
const STREAM_LIMIT = 32;

/** Server-sent events to any number of readers. A reader that is too slow misses frames; it never makes the agent hold them. */
export class FrameStream {
  /** Readers, with the model whose frames they want; undefined: of all. */
  private readonly readers = new Map<ServerResponse, string | undefined>();

  private isClosed = false;

  get empty(): boolean {
    return this.readers.size === 0;
  }

  /** @throws E_AGENT_BUSY when there are as many readers as there may be */
  requireRoom(): void {
    if (this.readers.size >= STREAM_LIMIT)
      throw new HoneError('E_AGENT_BUSY', { limit: STREAM_LIMIT, what: 'telemetry readers are connected' });
  }

  /** Makes a response a reader of the frames of a model, undefined: of all, and sends it the first. @throws E_AGENT_BUSY */
  add(response: ServerResponse, model: string | undefined, first: readonly TelemetryFrame[]): void {
    if (response.destroyed) return;
    if (this.isClosed) throw new HoneError('E_AGENT_STOPPING');
    this.requireRoom();
    this.readers.set(response, model);
    response.on('close', () => this.readers.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(first.map(sseEvent).join(''));
  }

  send(frames: readonly TelemetryFrame[]): void {
    const events = frames.map((frame) => ({ model: frame.model, text: sseEvent(frame) }));
    for (const [reader, model] of this.readers) {
      if (reader.writableNeedDrain) continue;
      for (const event of events) if (model === undefined || model === event.model) reader.write(event.text);
    }
  }

  /** Ends all streams; what is still buffered for readers that do not read is dropped. */
  close(): void {
    this.isClosed = true;
    for (const reader of this.readers.keys()) {
      if (reader.writableNeedDrain) reader.destroy();
      else reader.end();
    }
    this.readers.clear();
  }
}

function sseEvent(frame: TelemetryFrame): string {
  return `event: frame\ndata: ${JSON.stringify(frame)}\n\n`;
}
