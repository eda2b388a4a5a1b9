import type { LatencySummary, MaybeBytes, TelemetryFrame } from '../telemetry/sample';
import { colors } from './colors';
import { quantityRows } from './sensor-lines';
import { bytesText, countText, energyText, pairs, percentText, table, timeText } from './text';

/** One frame as one line. */
export function frameLine(frame: TelemetryFrame): string {
  const { model, version, inferences, request, energy, since, stamp } = frame;
  const parts = [
    new Date(stamp.wallMs).toISOString(),
    `${model} version ${version}`,
    `${inferences} inferences`,
    request === null ? 'none in this window' : `p50 ${timeText(request.p50Us)}  p99 ${timeText(request.p99Us)}`,
  ];
  if (since.request !== null) {
    const { p50Us, p99Us } = since.request;
    parts.push(`since start p50 ${timeText(p50Us)}  p99 ${timeText(p99Us)}`);
  }
  if (since.failures > 0) parts.push(`${since.failures} failed`);
  if (energy.joules !== null) parts.push(energyText(energy));
  parts.push(`memory ${memoryText([frame])}`);
  return parts.join('  ');
}

/**
 * The last frames of all models as the lines of a screen: of each what it does, in the window and since the start, then the
 * machine, then the slowest nodes as far as there is room.
 */
export function screenLines(frames: readonly TelemetryFrame[], url: string, columns: number, rows: number): string[] {
  if (frames.length === 0) return [`no model at ${url}`];
  const heads = frames.map((frame) => modelLines(frame));
  const machine = pairs([['processes', memoryText(frames)], ...quantityRows(frames[0].readings)]);
  const taken = 2 + machine.length + heads.reduce((sum, lines) => sum + lines.length + 1, 0);
  const room = Math.floor((rows - taken) / frames.length);
  const lines = [
    `${frames.length === 1 ? 'one model' : `${frames.length} models`} at ${url}`,
    ...frames.flatMap((frame, index) => ['', ...heads[index], ...nodeLines(frame, room, columns)]),
    '',
    ...machine,
  ];
  return lines.slice(0, Math.max(1, rows - 1)).map((text) => clip(text, columns));
}

function modelLines(frame: TelemetryFrame): string[] {
  const { model, version, memory, since, energy } = frame;
  const { weightBytes, arenaBytes, scratchBytes } = memory;
  const spans = [frame.windowMs === 0 ? 'no window yet' : `last ${timeText(frame.windowMs * 1000)}`, 'since start'];
  return [
    `${colors.bold(model)} version ${version}: ${doneText(frame)}`,
    ...failedLines(frame),
    ...table([
      ['', '', 'count', 'mean', 'p50', 'p90', 'p99', 'max'],
      ...(['request', 'queue', 'compute'] as const).flatMap((phase) => [
        [phase, spans[0], ...figures(frame[phase])],
        ['', spans[1], ...figures(since[phase])],
      ]),
    ]),
    ...pairs([
      [
        'model',
        `weights ${bytesText(weightBytes)}, arena ${bytesText(arenaBytes)}, scratch ${bytesText(scratchBytes)}`,
      ],
      ['energy', energyText(energy)],
    ]),
  ];
}

/** What was answered, and what is under way. */
function doneText({ inferences, windowMs, request, since, waiting, running }: TelemetryFrame): string {
  const parts = [`${inferences} answered`];
  if (windowMs > 0) parts[0] += ` (${countText((1000 * (request?.count ?? 0)) / windowMs)}/s)`;
  if (since.nonFinite > 0) parts.push(`${since.nonFinite} values not finite`);
  return [...parts, `${running} running`, `${waiting} waiting`].join(', ');
}

/** What was not answered; nothing where nothing failed. */
function failedLines({ failures, since }: TelemetryFrame): string[] {
  if (since.failures === 0) return [];
  const codes = Object.entries(since.failuresByCode).sort(([, a], [, b]) => b - a);
  const texts = codes.map(([code, count]) => `${count} ${code}`).join(', ');
  return [colors.red(`${since.failures} failed since start, ${failures} in the last window: ${texts}`)];
}

function figures(summary: LatencySummary | null): string[] {
  if (summary === null) return ['0', '', '', '', '', ''];
  const { count, meanUs, p50Us, p90Us, p99Us, maxUs } = summary;
  return [String(count), ...[meanUs, p50Us, p90Us, p99Us, maxUs].map(timeText)];
}

/** Lines above the nodes themselves. */
const NODE_HEAD = 3;
/** Widest name of a kernel, and columns of the figures of a node with the space before each. */
const KERNEL_WIDTH = 24;
const FIGURE_WIDTH = 36;

function nodeLines({ nodes, nodesAgeMs }: TelemetryFrame, room: number, columns: number): string[] {
  const slowest = [...nodes].sort((a, b) => b.share - a.share).slice(0, Math.max(0, room - NODE_HEAD));
  if (slowest.length === 0) return [];
  const kernelWidth = Math.min(KERNEL_WIDTH, Math.max(...slowest.map(({ kernel }) => kernel.length)));
  const nameWidth = Math.max(8, columns - kernelWidth - 2 - FIGURE_WIDTH);
  const when = nodesAgeMs
    ? colors.yellow(`mean and share stale by ${timeText(nodesAgeMs * 1000)}`)
    : 'mean and share in the last window';
  return [
    '',
    `slowest nodes; percentiles since start; ${when}`,
    ...table([
      ['node', 'kernel', 'mean', 'share', 'p50', 'p99'],
      ...slowest.map(({ name, kernel, meanUs, share, since }) => [
        // Names of nodes begin alike and differ at their end.
        name.length <= nameWidth ? name : `…${name.slice(1 - nameWidth)}`,
        clip(kernel, KERNEL_WIDTH),
        timeText(meanUs),
        percentText(share, 1),
        timeText(since.p50Us),
        timeText(since.p99Us),
      ]),
    ]),
  ];
}

/** What all processes of an agent take together, and of what. */
function memoryText(frames: readonly TelemetryFrame[]): string {
  const { front, limit } = frames[0].processes;
  const parts: readonly (readonly [string, MaybeBytes])[] = [
    ['front', front.pss],
    ...frames.map(({ model, processes }) => [`worker of ${model}`, processes.worker.pss] as const),
  ];
  const texts = parts.map(
    ([name, { bytes, reason }]) => `${name} ${bytes === null ? `none (${reason})` : bytesText(bytes)}`,
  );
  const sum = parts.reduce((total, [, { bytes }]) => total + (bytes ?? Number.NaN), 0);
  const whole = Number.isNaN(sum) ? [] : [`${bytesText(sum)} in all`];
  const bound = limit.bytes === null ? [] : [`limit ${bytesText(limit.bytes)}`];
  return [...whole, ...texts, ...bound].join(', ');
}

/** Cuts a line to the width of the screen; colour codes take no room. */
function clip(text: string, columns: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
  const plain = text.replace(/\u001b\[\d+m/g, '');
  return plain.length <= columns ? text : `${plain.slice(0, columns - 1)}…`;
}
