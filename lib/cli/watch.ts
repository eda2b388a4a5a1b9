import pc from 'picocolors';
import type { AgentClient } from '../client/client';
import type { LatencySummary, Reading, TelemetryFrame } from '../telemetry/sample';
import { bytesText, type Console, percentText, table, timeText } from './console';

/** Shows telemetry frames: redrawn in place on a terminal, one line each elsewhere, one JSON value per line with `--json`. */
export async function watch(client: AgentClient, frames: number | undefined, console: Console): Promise<void> {
  const live = process.stdout.isTTY === true && !console.json;
  const stop = new AbortController();
  console.signal.addEventListener('abort', () => stop.abort());
  let shown = 0;
  let height = 0;
  for await (const frame of client.telemetry(stop.signal)) {
    if (console.json) process.stdout.write(`${JSON.stringify(frame)}\n`);
    else if (live) {
      const lines = screen(frame, client.url, process.stdout.columns ?? 80, process.stdout.rows ?? 24);
      process.stdout.write(`${height > 0 ? `\u001b[${height}A` : ''}\u001b[J${lines.join('\n')}\n`);
      height = lines.length;
    } else process.stdout.write(`${line(frame)}\n`);
    shown++;
    if (shown === frames) {
      stop.abort();
      return;
    }
  }
}

/** One frame as one line. */
export function line({ model, inferences, compute, readings, stamp }: TelemetryFrame): string {
  const parts = [new Date(stamp.wallMs).toISOString(), model, `${inferences} inferences`, latencyText(compute)];
  const rss = readings.find(({ name }) => name === 'memory.rss');
  if (rss?.value != null) parts.push(`RSS ${bytesText(rss.value)}`);
  return parts.join('  ');
}

/** One frame as the lines of a screen of this size. */
export function screen(frame: TelemetryFrame, url: string, columns: number, rows: number): string[] {
  const { model, memory, inferences, compute, queue, nodes, readings } = frame;
  const head = [
    `${pc.bold(model)} at ${url}   ${inferences} inferences`,
    `compute  ${latencyText(compute)}`,
    `queue    ${latencyText(queue)}`,
    `memory   weights ${bytesText(memory.weightBytes)}, arena ${bytesText(memory.arenaBytes)}, scratch ${bytesText(memory.scratchBytes)}`,
    ...readings.map(readingText),
  ];
  const slowest = [...nodes].sort((a, b) => b.share - a.share).slice(0, Math.max(0, rows - head.length - 3));
  const body = slowest.map(({ name, kernel, meanUs, share }) => [
    name,
    kernel,
    timeText(meanUs),
    percentText(share, 1),
  ]);
  const lines = body.length === 0 ? head : [...head, '', ...table([['node', 'kernel', 'mean', 'share'], ...body])];
  return lines.map((text) => clip(text, columns));
}

function latencyText(summary: LatencySummary | null): string {
  if (summary === null) return 'no inference in this window';
  const { count, p50Us, p90Us, p99Us, maxUs } = summary;
  return `p50 ${timeText(p50Us)}  p90 ${timeText(p90Us)}  p99 ${timeText(p99Us)}  max ${timeText(maxUs)}  (${count})`;
}

function readingText({ name, unit, value, reason }: Reading): string {
  if (value === null) return pc.dim(`${name}: none (${reason})`);
  return `${name}: ${unit === 'bytes' ? bytesText(value) : unit === 'hertz' ? `${(value / 1e9).toFixed(2)} GHz` : `${value} ${unit}`}`;
}

/** Cuts a line to the width of the screen; colour codes take no room. */
function clip(text: string, columns: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
  const plain = text.replace(/\u001b\[\d+m/g, '');
  return plain.length <= columns ? text : `${plain.slice(0, columns - 1)}…`;
}
