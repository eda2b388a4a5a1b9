import type { TelemetryFrame } from '../telemetry/sample';

/** Frames of a server-sent event stream (HTML standard, section 9.2): the `data:` lines up to an empty line. */
export async function* readFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TelemetryFrame> {
  const decoder = new TextDecoder();
  let pending = '';
  for await (const chunk of stream) {
    pending += decoder.decode(chunk, { stream: true });
    const events = pending.split('\n\n');
    pending = events.pop()!;
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield JSON.parse(data) as TelemetryFrame;
    }
  }
}
