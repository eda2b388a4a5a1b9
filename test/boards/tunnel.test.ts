import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveFolder } from '../../lib/agent/serve-folder';
import { BoardConnection } from '../../lib/boards/board-connection';
import { Tunnel, Tunnels } from '../../lib/client/tunnel';
import { HoneError } from '../../lib/core/error';
import { BOARD_FRAME, BOARD_LIMITS } from '../../lib/protocol/board-frames';
import { overTcp } from './ends';

const frame = (kind: number, bytes = 0, json: unknown = null) => ({
  kind,
  id: 1,
  json,
  payload: new Uint8Array(bytes),
});

afterEach(() => jest.restoreAllMocks());

test('a tunnel sends no more than the other end has room for, and goes on when that takes some', async () => {
  let sent = 0;
  const tunnel = new Tunnel(
    1,
    (kind, _id, _json, payload = []) => {
      if (kind === BOARD_FRAME.data) sent += payload[0].length;
    },
    () => {},
  );
  tunnel.write(new Uint8Array(BOARD_LIMITS.tunnelBytes + 1000));
  expect(sent).toBe(BOARD_LIMITS.tunnelBytes);
  tunnel.accept(frame(BOARD_FRAME.credit, 0, { bytes: 400 }));
  expect(sent).toBe(BOARD_LIMITS.tunnelBytes + 400);
  tunnel.destroy();
});

test('a tunnel that nobody reads grants nothing; what it gets beyond its room, or after its end, breaks the rules', () => {
  const kinds: number[] = [];
  const tunnel = new Tunnel(
    1,
    (kind) => kinds.push(kind),
    () => {},
  );
  for (let at = 0; at < BOARD_LIMITS.tunnelBytes; at += 65_536) tunnel.accept(frame(BOARD_FRAME.data, 65_536));
  expect(kinds).toEqual([]);
  expect(() => tunnel.accept(frame(BOARD_FRAME.data, 1))).toThrow(/more than it may/);
  expect(() => tunnel.accept(frame(BOARD_FRAME.credit, 0, { bytes: 1 }))).toThrow(/more credit than it used/);
  tunnel.accept(frame(BOARD_FRAME.end));
  expect(() => tunnel.accept(frame(BOARD_FRAME.data, 1))).toThrow(/after its end/);
  tunnel.destroy();
});

test('more tunnels than may be, and one twice, are refused; frames of one that is over are let pass', () => {
  const tunnels = new Tunnels(() => {});
  for (let id = 0; id < BOARD_LIMITS.tunnels - 1; id++) tunnels.add(id).on('error', () => {});
  expect(() => tunnels.add(0)).toThrow(/opened twice/);
  tunnels.add(100).on('error', () => {});
  expect(() => tunnels.add(101)).toThrow(expect.objectContaining({ code: 'E_AGENT_BUSY' }));
  expect(tunnels.take({ ...frame(BOARD_FRAME.data, 5), id: 999 })).toBe(true);
  expect(tunnels.take(frame(BOARD_FRAME.list))).toBe(false);
  tunnels.drop(new HoneError('E_AGENT_STOPPING'));
});

test('over TCP no small frame waits for an acknowledgement: both sockets send at once, a round trip is one frame each way', async () => {
  const root = mkdtempSync(join(tmpdir(), 'hone-tunnel-'));
  const noDelay = jest.spyOn(Socket.prototype, 'setNoDelay');
  const agent = await serveFolder(root, {});
  const { stream, over } = await overTcp(root);
  const board = await BoardConnection.open(stream, 'the board');
  try {
    expect(noDelay.mock.contexts).toContain(stream);
    const client = await board.agentClient();
    // One that nobody reads holds up no other.
    const slow = board.openTunnel();
    slow.write('GET /v1/telemetry HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await client.status();
    expect(noDelay.mock.calls.filter(([on]) => on === true).length).toBeGreaterThanOrEqual(2);
    const write = jest.spyOn(stream, 'write');
    for (let round = 0; round < 200; round++) await client.about();
    // A head and a payload for each request, and now and then a credit.
    expect(write.mock.calls.length).toBeLessThan(200 * 2 + 20);
    slow.destroy();
    client.close();
  } finally {
    board.close();
    await over;
    await agent.close();
    rmSync(root, { recursive: true });
  }
});
