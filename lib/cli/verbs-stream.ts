import { fstatSync } from 'node:fs';
import { HoneError } from '../core/error';
import type { PictureSize } from '../core/picture-fit';
import { COLOR_RANGES } from '../data/raw-picture';
import { openRemoteExecutor } from '../jobs/board/remote-executor';
import { type FrameSource, STREAM_FORMATS } from '../jobs/frame-source';
import { modelName } from '../jobs/model-name';
import { STAGES, type StreamAnswer, type StreamOptions, type StreamSummary, stream } from '../jobs/stream';
import { BOARD, boardOf, withBoardAgent } from './board-flag';
import type { Console } from './console';
import {
  COMMON,
  INPUTS,
  integer,
  MODEL,
  openModel,
  preprocessing,
  requiredFlag,
  text,
  threads,
  watched,
} from './flags';
import { signalExitCode } from './interrupt';
import { NAME } from './made-plan';
import { outputValues } from './output-values';
import { bytesText, pairs, table, timeText } from './text';
import type { OptionValues, Verb } from './verb';

export const streamVerb: Verb = {
  args: [MODEL],
  options: [
    { flags: '--format <name>', description: `what comes in: ${STREAM_FORMATS.join(', ')}` },
    { flags: '--size <WxH>', description: 'extents of the pictures, as in 640x480; may be left out for mjpeg' },
    { flags: '--range <range>', description: `bytes of black and white: ${COLOR_RANGES.join(' or ')} (0 to 255)` },
    { flags: '--rate <n>', description: 'samples of sound per second; those of the model when left out' },
    {
      flags: '--hop <n>',
      description: 'from one window of sound to the next: samples, or a time as in 10ms; a window',
    },
    { flags: '--every-frame', description: 'let the stream wait instead of dropping frames, as for regular files' },
    { flags: '--limit <n>', description: 'end after this many answers' },
    COMMON.calibration,
    ...INPUTS,
    COMMON.preprocess,
    COMMON.sound,
    COMMON.outputs,
    COMMON.threads,
    {
      ...BOARD,
      description: `${BOARD.description}; its agent then runs the model, which stands here for what goes in and comes out`,
    },
    { ...NAME, description: 'name of the model on the board; the file name when left out' },
  ],
  examples: [
    'rpicam-vid -t 0 -n --codec mjpeg -o - | hone stream detector.plan --format mjpeg',
    'ffmpeg -f v4l2 -video_size 640x480 -i /dev/video0 -f rawvideo -pix_fmt yuyv422 - | hone stream detector.plan --format yuyv --size 640x480',
    'ssh pi@raspberrypi.local rpicam-vid -t 0 -n --codec mjpeg -o - | hone stream detector.plan --format mjpeg --board pi@raspberrypi.local',
    'arecord -t raw -f S16_LE -c 1 -r 16000 | hone stream vad.plan --format s16le --rate 16000',
  ],
  async run([path], options, console) {
    const format = oneOf(options, 'format', STREAM_FORMATS) ?? requiredFlag(options, 'format', 'stream');
    const size = sizeOf(options);
    const range = oneOf(options, 'range', COLOR_RANGES);
    const rate = integer(options, 'rate', 1, 1e6);
    const hop = text(options, 'hop');
    const limit = integer(options, 'limit', 1, Number.MAX_SAFE_INTEGER);
    const calibration = text(options, 'calibration');
    const everyFrame = options.everyFrame === true || isRegularFile();
    const artifact = await openModel(path, options, console);
    requireNoTerminal();
    const { signal } = console;
    const board = await boardOf(options);
    const prepared = await preprocessing(options);
    const run = (open?: StreamOptions['open']) =>
      stream(artifact, process.stdin, {
        ...(open && { open }),
        format: format as (typeof STREAM_FORMATS)[number],
        everyFrame,
        ...(size && { size }),
        ...(range && { range }),
        ...(rate && { rate }),
        ...(hop === undefined ? {} : { hop }),
        ...(limit && { limit }),
        ...(calibration === undefined ? {} : { calibration }),
        ...prepared,
        threads: threads(options),
        ...watched(console),
        onReady: (source) => noteSource(source, console),
        onAnswer: (answer) => console.jsonLine(lineOf(answer)),
        // They come as fast as bytes do: where nobody reads, they are counted only.
        onBroken: (report) => void (process.stdout.writableNeedDrain || console.jsonLine(report)),
      });
    try {
      const name = text(options, 'name') ?? modelName(path);
      const found =
        board === undefined
          ? await run()
          : await withBoardAgent(board, console, (client) => run((model) => openRemoteExecutor(client, name, model)));
      // Who has gone away wants to hear no more.
      if (signal.reason !== 'EPIPE') tell(found, everyFrame, console);
    } finally {
      process.stdin.destroy();
    }
    // To be told to stop is how a service ends.
    return signal.reason === 'SIGTERM' ? 0 : signalExitCode(signal);
  },
};

/** An answer as it is printed: what the outputs mean, else the outputs themselves. */
function lineOf({ outputs, decoded, latencyUs, ...rest }: StreamAnswer): object {
  const found = decoded === undefined ? { outputs: outputValues(outputs) } : { decoded };
  const rounded = STAGES.map((stage) => [stage, Math.round(latencyUs[stage])]);
  return { ...rest, ...found, latencyUs: Object.fromEntries(rounded) };
}

/** Says what nothing but the command line tells. */
function noteSource({ sound }: FrameSource, console: Console): void {
  if (sound === undefined || sound.rateIsNoted) return;
  console.note(`the model does not say its rate: ${sound.rate} is taken on trust (--sound notes it, docs/stream.md)`);
}

function tell(found: StreamSummary, everyFrame: boolean, console: Console): void {
  console.resultLine({ summary: found });
  const { frames, answered, dropped, broken, firstBroken, gaps, restBytes, foreignBytes, latencyUs } = found;
  const left = frames - answered - dropped - broken;
  const parts = [
    `${frames} read`,
    `${answered} answered`,
    `${dropped} dropped${everyFrame ? ' (every frame was waited for)' : ''}`,
    ...(broken === 0 ? [] : [`${broken} broken`]),
    ...(left === 0 ? [] : [`${left} left`]),
  ];
  const rows: [string, string][] = [['frames', parts.join(', ')]];
  if (firstBroken)
    rows.push(['broken', `first frame ${firstBroken.frame}, at byte ${firstBroken.at}: ${firstBroken.broken}`]);
  if (gaps > 0) rows.push(['gaps', `${gaps}: sound was left out, states began anew`]);
  if (foreignBytes > 0) rows.push(['between', `${bytesText(foreignBytes)} that belong to no picture`]);
  for (const line of pairs(rows)) console.note(line);
  if (latencyUs !== null) {
    const times = STAGES.map((stage) => [stage, timeText(latencyUs[stage].p50), timeText(latencyUs[stage].p99)]);
    for (const line of table([['', 'p50', 'p99'], ...times])) console.note(line);
  }
  if (restBytes > 0) console.note(`warning: the last ${restBytes} bytes are not a whole frame (${found.frameText})`);
}

/** The value of an option that is one of some words. @throws E_OPTION_VALUE */
function oneOf<T extends string>(options: OptionValues, name: string, words: readonly T[]): T | undefined {
  const found = text(options, name);
  if (found === undefined) return undefined;
  const word = words.find((known) => known === found);
  if (word !== undefined) return word;
  throw new HoneError('E_OPTION_VALUE', { option: `--${name}`, expected: words.join(', '), found });
}

/** Longest side of a picture. */
const MOST_PIXELS = 16384;

/** @throws E_OPTION_VALUE */
function sizeOf(options: OptionValues): PictureSize | undefined {
  const found = text(options, 'size');
  if (found === undefined) return undefined;
  const [width, height] = (/^(\d{1,5})x(\d{1,5})$/.exec(found) ?? []).slice(1).map(Number);
  if (width >= 1 && height >= 1 && Math.max(width, height) <= MOST_PIXELS) return { width, height };
  throw new HoneError('E_OPTION_VALUE', {
    option: '--size',
    expected: `width and height in pixels, 1 to ${MOST_PIXELS}, as in 640x480`,
    found,
  });
}

/** Whether standard input is a file, which can wait and must lose nothing; whatever is live must not be kept waiting. */
function isRegularFile(): boolean {
  return fstatSync(0).isFile();
}

/** @throws E_STREAM */
function requireNoTerminal(): void {
  if (process.stdin.isTTY !== true) return;
  const advice = 'Pipe a camera, a microphone or a file in: docs/stream.md shows how.';
  throw new HoneError('E_STREAM', { reason: 'is a terminal', advice });
}
