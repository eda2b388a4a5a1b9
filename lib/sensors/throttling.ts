import type { ThrottleSign } from '../telemetry/conditions';
import { listFolder, readText, type SysRoot } from './read-file';

/** Bits of the word that the firmware of a Raspberry Pi tells: what holds now, and 16 places up what held since the start. */
const PI_BITS: readonly (readonly [bit: number, name: string])[] = [
  [0, 'undervoltage'],
  [1, 'clock capped by the firmware'],
  [2, 'throttled by the firmware'],
  [3, 'soft temperature limit'],
];
const PI_WORD = 'sys/devices/platform/soc/soc:firmware/get_throttled';
const CPUS = 'sys/devices/system/cpu';
const HWMON = 'sys/class/hwmon';
const THERMAL = 'sys/class/thermal';

/**
 * What slows this machine down or did since its start: firmware of a Raspberry Pi (word of `vcgencmd get_throttled`), undervoltage
 * alarm of hwmon rpi_volt, cooling devices of cores, throttle counters of x86, over-current events of Jetson (hwmon soctherm_oc).
 * Empty where none of them is there.
 */
export function readThrottling(root: SysRoot = '/'): ThrottleSign[] {
  return [...firmware(root), ...alarms(root), ...cooling(root), ...x86Counters(root)];
}

function* firmware(root: SysRoot): Iterable<ThrottleSign> {
  const word = Number.parseInt(readText(root, PI_WORD) ?? '', 16);
  if (!Number.isSafeInteger(word) || word < 0) return;
  for (const [bit, name] of PI_BITS) {
    yield { name, kind: 'flag', value: (word >>> bit) & 1, source: `/${PI_WORD}` };
    yield { name: `${name} since the start`, kind: 'counter', value: (word >>> (bit + 16)) & 1, source: `/${PI_WORD}` };
  }
}

function* alarms(root: SysRoot): Iterable<ThrottleSign> {
  for (const chip of listFolder(root, HWMON)) {
    const name = readText(root, `${HWMON}/${chip}/name`);
    if (name === 'rpi_volt')
      yield* sign(root, `${HWMON}/${chip}/in0_lcrit_alarm`, 'flag', 'undervoltage alarm of the supply');
    if (name !== 'soctherm_oc') continue;
    for (const file of listFolder(root, `${HWMON}/${chip}`))
      if (/^oc\d+_event_cnt$/.test(file))
        yield* sign(root, `${HWMON}/${chip}/${file}`, 'counter', `over-current ${file.replace(/_.*/, '')}`);
  }
}

/** Devices that hold clocks back to cool; a fan cools without slowing. */
function* cooling(root: SysRoot): Iterable<ThrottleSign> {
  for (const device of listFolder(root, THERMAL)) {
    if (!/^cooling_device\d+$/.test(device)) continue;
    const type = readText(root, `${THERMAL}/${device}/type`) ?? '';
    if (/cpufreq|cpuidle|cpu_throttle|processor/i.test(type))
      yield* sign(root, `${THERMAL}/${device}/cur_state`, 'flag', `cores held back to cool (${type})`);
  }
}

function* x86Counters(root: SysRoot): Iterable<ThrottleSign> {
  for (const core of listFolder(root, CPUS)) {
    if (!/^cpu\d+$/.test(core)) continue;
    const path = `${CPUS}/${core}/thermal_throttle/core_throttle_count`;
    yield* sign(root, path, 'counter', `${core} throttled for heat`);
  }
}

function* sign(root: SysRoot, path: string, kind: ThrottleSign['kind'], name: string): Iterable<ThrottleSign> {
  const text = readText(root, path);
  if (text !== undefined && /^\d{1,15}$/.test(text)) yield { name, kind, value: Number(text), source: `/${path}` };
}
