import type { AgentClient } from '../client/client';
import type { LatencySummary, TelemetryFrame } from '../telemetry/sample';
import { colors } from './colors';
import type { Console } from './console';
import { quantityRows } from './sensor-lines';
import { bytesText, energyText, pairs, percentText, table, timeText } from './text';

/**
 * Shows telemetry frames and returns how many: redrawn in place on a terminal, one line each elsewhere, one line of JSON each
 * with `--json`. Ends after `frames` frames, if given, and when the stream or the console's signal does.
 */
export async function watch(client: AgentClient, frames: number | undefined, console: Console): Promise<number> {
  const live = process.stdout.isTTY === true && !console.json;
  let shown = 0;
  let height = 0;
  for await (const frame of client.telemetry(console.signal)) {
    console.resultLine(frame);
    if (live) {
      const lines = screenLines(frame, client.url, process.stdout.columns ?? 80, process.stdout.rows ?? 24);
      process.stdout.write(`${height > 0 ? `\u001b[${height}A` : ''}\u001b[J${lines.join('\n')}\n`);
      height = lines.length;
    } else console.say(frameLine(frame));
    if (++shown === frames) break;
  }
  client.close();
  return shown;
}

function frameLine({ model, inferences, compute, energy, readings, stamp }: TelemetryFrame): string {
  const parts = [new Date(stamp.wallMs).toISOString(), model, `${inferences} inferences`, latencyText(compute)];
  const rss = readings.find(({ name }) => name === 'memory.rss');
  if (energy.joules !== null) parts.push(energyText(energy));
  if (rss?.value != null) parts.push(`RSS ${bytesText(rss.value)}`);
  return parts.join('  ');
}

/** One frame as the lines of a screen of this size. */
function screenLines(frame: TelemetryFrame, url: string, columns: number, rows: number): string[] {
  const { model, memory, inferences, compute, queue, nodes, energy, readings } = frame;
  const { weightBytes, arenaBytes, scratchBytes } = memory;
  const head = [
    `${colors.bold(model)} at ${url}  ${inferences} inferences`,
    ...pairs([
      ['compute', latencyText(compute)],
      ['queue', latencyText(queue)],
      [
        'model',
        `weights ${bytesText(weightBytes)}, arena ${bytesText(arenaBytes)}, scratch ${bytesText(scratchBytes)}`,
      ],
      ['energy', energyText(energy)],
      ...quantityRows(readings),
    ]),
  ];
  const room = Math.max(0, rows - head.length - 3);
  const slowest = [...nodes].sort((a, b) => b.share - a.share).slice(0, room);
  const body = slowest.map(({ name, kernel, meanUs, share }) => [
    name,
    kernel,
    timeText(meanUs),
    percentText(share, 1),
  ]);
  const lines = body.length === 0 ? head : [...head, '', ...table([['node', 'kernel', 'mean', 'share'], ...body])];
  return lines.slice(0, Math.max(1, rows - 1)).map((text) => clip(text, columns));
}

function latencyText(summary: LatencySummary | null): string {
  if (summary === null) return 'no inference in this window';
  const { count, p50Us, p90Us, p99Us, maxUs } = summary;
  return `p50 ${timeText(p50Us)}  p90 ${timeText(p90Us)}  p99 ${timeText(p99Us)}  max ${timeText(maxUs)}  (${count})`;
}

/** Cuts a line to the width of the screen; colour codes take no room. */
function clip(text: string, columns: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
  const plain = text.replace(/\u001b\[\d+m/g, '');
  return plain.length <= columns ? text : `${plain.slice(0, columns - 1)}…`;
}
