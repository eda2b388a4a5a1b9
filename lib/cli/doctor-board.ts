import type { Board } from '../boards/inventory';
import type { Reading } from '../telemetry/sample';
import { withBoard } from './board-flag';
import type { Console } from './console';
import { markedRows } from './doctor-rows';
import { sensorLines } from './sensor-lines';
import { bytesText, pairs } from './text';

/** Shows what a board, its sensors and its agent's program tell of themselves; the exit code says whether the engine runs there. */
export async function examineBoard(board: Board, console: Console): Promise<number> {
  const facts = await withBoard(board, console, (connection) => connection.facts());
  const { engine, cpu, memory, disk } = facts;
  console.result({ board: board.name, complete: engine.kernels !== null, ...facts });
  const rows = markedRows([
    ['agent', 'ok', `Hone ${facts.version}, Node ${facts.node} on ${facts.platform}, Linux ${facts.kernel}`],
    ['machine', 'ok', `${cpu.usable} of ${cpu.count} x ${cpu.model}`],
    ['memory', 'ok', `${bytesText(memory.freeBytes)} of ${bytesText(memory.totalBytes)} free`],
    ['disk', 'ok', `${bytesText(disk.freeBytes)} of ${bytesText(disk.totalBytes)} free`],
    engine.kernels === null
      ? ['native engine', 'missing', engine.reason ?? 'no reason is known']
      : ['native engine', 'ok', `kernels for ${engine.kernels}`],
    ...sensorLines(facts.sources, facts.readings as readonly Reading[]).map(
      ({ name, given, text }) => [name, given ? 'ok' : 'absent', text] as const,
    ),
  ]);
  for (const line of pairs(rows)) console.say(line);
  return engine.kernels === null ? 1 : 0;
}
