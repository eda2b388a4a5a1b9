import { buildAddon } from '../jobs/build-addon';
import { examine } from '../jobs/doctor';
import { openMachineSensors } from '../sensors/machine';
import { colors } from './colors';
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
  options: [],
  examples: ['hone doctor'],
  async run(_args, _options, console) {
    const findings = examine();
    const sensors = openMachineSensors();
    const complete = findings.every(({ state }) => state !== 'missing');
    console.result({ complete, findings, sensors: sensors.read(), sources: sensors.sources });
    const marks = { ok: colors.green('ok'), missing: colors.red('missing'), absent: colors.yellow('absent') };
    // Colour codes take no room on the screen: the words are padded first.
    const mark = (state: keyof typeof marks) => marks[state] + ' '.repeat('missing'.length - state.length);
    const rows: [string, string][] = [
      ...findings.map(({ what, state, detail }): [string, string] => [what, `${mark(state)}  ${detail}`]),
      ...sensorLines(sensors).map(({ name, given, text }): [string, string] => [
        name,
        `${mark(given ? 'ok' : 'absent')}  ${text}`,
      ]),
    ];
    for (const line of [...pairs(rows), ...rightLines(sensors)]) console.say(line);
    console.say(complete ? 'nothing that Hone needs is missing' : 'something that Hone needs is missing');
    return complete ? 0 : 1;
  },
};
