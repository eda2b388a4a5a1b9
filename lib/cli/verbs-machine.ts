import { buildAddon } from '../jobs/build-addon';
import { examine } from '../jobs/doctor';
import { openMachineSensors } from '../sensors/machine';
import { BOARD, boardOf } from './board-flag';
import { examineBoard } from './doctor-board';
import { markedRows } from './doctor-rows';
import { rightLines, sensorLines } from './sensor-lines';
import { pairs } from './text';
import type { Verb } from './verb';

export const buildAddonVerb: Verb = {
  args: [],
  options: [],
  examples: ['hone build-addon', 'CXX=clang++-19 hone build-addon'],
  async run(_args, _options, console) {
    const built = await buildAddon({
      signal: console.signal,
      onProgress: (done, total) => console.progress('file', done, total),
    });
    console.result(built);
    console.say(`built the native engine with ${built.compiler}: ${built.path}`);
    return undefined;
  },
};

export const doctorVerb: Verb = {
  args: [],
  options: [{ ...BOARD, description: `${BOARD.description}; what its agent tells of it` }],
  examples: ['hone doctor', 'hone doctor --board pi@raspberrypi.local'],
  async run(_args, options, console) {
    const board = await boardOf(options);
    if (board !== undefined) return examineBoard(board, console);
    const findings = examine();
    const sensors = openMachineSensors();
    const readings = sensors.read();
    const complete = findings.every(({ state }) => state !== 'missing');
    console.result({ complete, findings, sensors: readings, sources: sensors.sources });
    const rows = markedRows([
      ...findings.map(({ what, state, detail }) => [what, state, detail] as const),
      ...sensorLines(sensors.sources, readings).map(
        ({ name, given, text }) => [name, given ? 'ok' : 'absent', text] as const,
      ),
    ]);
    for (const line of [...pairs(rows), ...rightLines(sensors)]) console.say(line);
    console.say(complete ? 'nothing that Hone needs is missing' : 'something that Hone needs is missing');
    return complete ? 0 : 1;
  },
};
