import { SCOPES } from '../../lib/sensors/energy-meter';
import { BOARD_RAILS, FED_BY } from '../../lib/sensors/ina-rails';
import { SENSOR_SOURCES } from '../../lib/sensors/sources';

const SCOPE_TEXT: Readonly<Record<keyof typeof SCOPES, string>> = {
  board: `one of the rails ${BOARD_RAILS.map((name) => `\`${name}\``).join(', ')}, which feed the whole board or module`,
  system: '`psys`, the platform as its firmware counts it; given up for the packages where it gains less than they do',
  packages: 'all packages, with `dram` where it is counted apart',
  rails: `all rails but those that another one feeds (${Object.entries(FED_BY)
    .map(([rail, feed]) => `\`${rail}\` by \`${feed}\``)
    .join(', ')}); a single one is called \`rail\``,
};

/** docs/sensors.md: what is read, what it needs, how energy is told. */
export function sensorsPage(): string {
  return [
    '# Sensors and energy',
    '',
    'Generated from `lib/sensors/sources.ts` by `npm run docs`. Linux only; `hone doctor` shows what this machine has.',
    '',
    '| source | what | readings | unit, kind | files | a new value |',
    '| --- | --- | --- | --- | --- | --- |',
    ...SENSOR_SOURCES.map(
      ({ id, what, names, unit, kind, files, interval }) =>
        `| ${id} | ${what} | ${names} | ${unit}, ${kind} | \`${files}\` | ${interval} |`,
    ),
    '',
    'A value that a working sensor cannot give (-274 °C, hexadecimal text, a negative power) is refused: the reading is `null` with the',
    'reason, never 0. Names are unique: where two sensors have one, both get a number (`thermal.acpitz-0`, `thermal.acpitz-1`).',
    '',
    '## Rights',
    '',
    'All files but these can be read by every user:',
    '',
    ...SENSOR_SOURCES.flatMap(({ id, right }) =>
      right === undefined
        ? []
        : [
            `- **${id}**: ${right.why}. Until the next start: \`${right.command}\`. For good, a file in /etc/tmpfiles.d:`,
            ...right.tmpfiles('hone-front').map((line) => `  \`${line}\`.`),
          ],
    ),
    '',
    'In a systemd unit `ProcSubset=pid` hides /proc/pressure; `ProtectKernelTunables` and `PrivateDevices` hide nothing that is read here.',
    '',
    '## Energy',
    '',
    'The reading `energy` is the total of the widest scope that the machine measures in full. Parts that lie within another are shown, and',
    'never added: no `core` or `uncore` beside its package. A sum of which one part cannot be read is not taken: it would be too small.',
    '',
    'Each reading of energy and power tells what it `covers`: `board`, `system`, `package`, `memory`, `rail`, or `part` of another one.',
    '',
    '| scope | what it adds up |',
    '| --- | --- |',
    ...Object.keys(SCOPES).map((scope) => `| ${scope} | ${SCOPE_TEXT[scope as keyof typeof SCOPES]} |`),
    '',
    '- Joules count from the start of the agent. Counters that wrap are followed; after a step that no power explains, or a gap in which a',
    '  counter may have wrapped unseen, the total starts again from 0, as Prometheus expects of counters, and one reading says why.',
    '- Power is read every 50 ms (up to 250 ms on a slow bus, so that reading takes a hundredth of the time), or as often as the chip has a',
    '  new value, and integrated by trapezoids; over more than 2 s in which nobody read it nothing is made up: the total starts again.',
    '- On `/metrics` a quantity is `hone_sensor_<unit>{name="..."}`, a counter `hone_sensor_<unit>_total`. Do not add up over names: scopes',
    '  overlap.',
    '',
    '## Joules of an inference',
    '',
    'A telemetry frame has `energy`: the joules of its scope over the last span that is long enough, by the inferences in it. Long enough',
    'is 2 s and 200 values of the source: 2 s for RAPL, 10 s for a chip that is read every 50 ms. `netJoules` leaves out what the idle',
    'machine takes, once a span without inferences has shown it; `uncertaintyJoules` bounds what the ends of the span may be off (the',
    'accuracy of the sensor is not in it). Else `joules` is null with the reason: no source, no inference, a span that is too short, or',
    'another model that ran in the same span, since the source covers the machine and not a model.',
    '',
  ].join('\n');
}
