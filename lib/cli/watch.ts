import type { AgentClient } from '../client/client';
import type { TelemetryFrame } from '../telemetry/sample';
import type { Console } from './console';
import { frameLine, screenLines } from './watch-screen';

/**
 * Shows telemetry frames and returns how many: redrawn in place on a terminal, one line each elsewhere, one line of JSON each
 * with `--json`. Ends after `frames` frames, if given, and when the stream or the console's signal does.
 */
export async function watch(client: AgentClient, frames: number | undefined, console: Console): Promise<number> {
  const live = process.stdout.isTTY === true && !console.json;
  const latest = new LatestFrames();
  let shown = 0;
  let height = 0;
  for await (const frame of client.telemetry(console.signal)) {
    console.resultLine(frame);
    if (live) {
      latest.add(frame);
      const lines = screenLines(latest.all(), client.url, process.stdout.columns ?? 80, process.stdout.rows ?? 24);
      process.stdout.write(`${height > 0 ? `\u001b[${height}A` : ''}\u001b[J${lines.join('\n')}\n`);
      height = lines.length;
    } else console.say(frameLine(frame));
    if (++shown === frames) break;
  }
  client.close();
  return shown;
}

/** The last frame of every model version that is served; those of one tick come one after the other with one stamp. */
export class LatestFrames {
  private frames = new Map<string, TelemetryFrame>();
  private tickNs = 0;

  add(frame: TelemetryFrame): void {
    const { monotonicNs } = frame.stamp;
    if (monotonicNs !== this.tickNs) {
      // What the tick before did not have is served no more.
      this.frames = new Map([...this.frames].filter(([, { stamp }]) => stamp.monotonicNs === this.tickNs));
      this.tickNs = monotonicNs;
    }
    this.frames.set(`${frame.model}/${frame.version}`, frame);
  }

  all(): readonly TelemetryFrame[] {
    return [...this.frames.values()];
  }
}
