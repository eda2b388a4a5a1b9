import { Tunnels } from '../../lib/client/tunnel';
import { HoneError } from '../../lib/core/error';
import { Rng, streamSeed } from '../../lib/core/rng';
import { BOARD_FRAME, CONTROLLER_FRAME_LIMITS } from '../../lib/protocol/board-frames';
import {
  readBlobsRequest,
  readCommitRequest,
  readLogsRequest,
  readPlacement,
  readPutRequest,
  requireNothing,
} from '../../lib/protocol/board-requests';
import { type WireFrame, WireFrameReader, writeWireFrame } from '../../lib/protocol/frame';
import { mutate } from '../onnx/mutate';
import { joined } from './model';

const SHA256 = 'ab'.repeat(32);
const FRAMES: readonly (readonly [kind: number, json?: unknown, payloadBytes?: number])[] = [
  [BOARD_FRAME.blobs, { sha256: [SHA256, 'cd'.repeat(32)] }],
  [BOARD_FRAME.put, { sha256: SHA256, offset: 7, size: 100 }, 93],
  [BOARD_FRAME.commit, { sha256: SHA256 }],
  [BOARD_FRAME.place, { name: 'faces', version: '2', sha256: SHA256, threads: 2 }],
  [BOARD_FRAME.prune],
  [BOARD_FRAME.logs, { bytes: 1000 }],
  [BOARD_FRAME.open],
  [BOARD_FRAME.data, undefined, 60],
  [BOARD_FRAME.credit, { bytes: 60 }],
  [BOARD_FRAME.end],
  [BOARD_FRAME.close],
];

/** Frames of a controller of which some bytes are others: case number `index` of a seed. */
export function makeBoardStream(seed: number, index: number): Uint8Array {
  const rng = new Rng(streamSeed(seed, index));
  const frames = Array.from({ length: rng.integer(1, 6) }, () => {
    const [kind, json, payloadBytes = 0] = FRAMES[rng.integer(0, FRAMES.length - 1)];
    const payload = payloadBytes === 0 ? [] : [new Uint8Array(payloadBytes).fill(index)];
    // Few numbers, so that tunnels are met again.
    return joined(writeWireFrame(kind, rng.integer(1, 3), json, payload));
  });
  const stream = joined(frames);
  return rng.uniform() < 0.2 ? stream : mutate(stream, frames[0], rng);
}

/** What a board makes of them before it does anything: taken, or the code with which they are refused. @throws whatever else comes */
export function runBoardStream(stream: Uint8Array): string {
  let sent = 0;
  const tunnels = new Tunnels(() => {
    sent++;
  });
  const reader = new WireFrameReader(CONTROLLER_FRAME_LIMITS, (frame) => take(frame, tunnels));
  try {
    reader.push(stream);
    return sent < 1000 ? 'board frames taken' : 'too many answers';
  } catch (error) {
    if (error instanceof HoneError && (error.code === 'E_FRAME_FORMAT' || error.code === 'E_AGENT_BUSY'))
      return `board ${error.code}`;
    throw error;
  } finally {
    tunnels.drop(new HoneError('E_AGENT_STOPPING'));
  }
}

function take(frame: WireFrame, tunnels: Tunnels): void {
  const { kind, id, json, payload } = frame;
  if (tunnels.take(frame)) return;
  if (kind === BOARD_FRAME.open) {
    const tunnel = tunnels.add(id);
    tunnel.on('error', () => {});
    tunnel.resume();
    tunnel.write(new Uint8Array(300_000));
  } else if (kind === BOARD_FRAME.put) readPutRequest(json, payload.length);
  else if (kind === BOARD_FRAME.blobs) readBlobsRequest(json);
  else if (kind === BOARD_FRAME.commit) readCommitRequest(json);
  else if (kind === BOARD_FRAME.place) readPlacement(json);
  else if (kind === BOARD_FRAME.logs) readLogsRequest(json);
  else requireNothing(json);
}
