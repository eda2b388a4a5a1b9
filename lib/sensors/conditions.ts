import { readFileSync } from 'node:fs';
import { cpus, endianness, loadavg, release } from 'node:os';
import { join } from 'node:path';
import type { ClockPolicy, Conditions, Told } from '../telemetry/conditions';
import { openMachineSensors } from './machine';
import { listFolder, readText, type SysRoot } from './read-file';
import { readThrottling } from './throttling';

const POLICIES = 'sys/devices/system/cpu/cpufreq';
/** Where a machine tells its name: device trees, then firmware of PCs. */
const NAMES = ['proc/device-tree/model', 'sys/class/dmi/id/product_name'];
/** What `nvpmodel` of a Jetson keeps: the number of its mode. */
const POWER_MODE = 'var/lib/nvpmodel/status';
/** Characters of a text of the machine that are kept. */
const TEXT_LIMIT = 200;
/** Key of the page size in the auxiliary vector (getauxval, AT_PAGESZ). */
const AT_PAGESZ = 6n;

/** What the figures of this machine depend on now; `root` is `/` but in tests. */
export function readConditions(root: SysRoot = '/'): Conditions {
  const shown = ['celsius', 'hertz'];
  return {
    machine: firstText(root, NAMES, 'neither a device tree nor firmware tells it'),
    kernel: release(),
    pageBytes: pageBytes(root),
    memoryBytes: kilobytes(root, 'MemTotal'),
    swapUsedBytes: swapUsed(root),
    affinity: affinity(root),
    clocks: clocks(root),
    powerMode: firstText(root, [POWER_MODE], 'only a Jetson has one'),
    readings: openMachineSensors(root)
      .read()
      .filter(({ unit }) => shown.includes(unit)),
    throttles: readThrottling(root),
    load: loadavg()[0],
    processors: cpus().length,
  };
}

function told<T>(value: T | undefined, reason: string): Told<T> {
  return value === undefined ? { value: null, reason } : { value };
}

function firstText(root: SysRoot, paths: readonly string[], reason: string): Told<string> {
  const texts = paths.map((path) => readText(root, path)).filter((text) => text !== undefined && text !== '');
  return told(texts[0]?.slice(0, TEXT_LIMIT), reason);
}

/** Of the process that asks: the kernel tells it in the auxiliary vector. */
function pageBytes(root: SysRoot): Told<number> {
  const reason = '/proc/self/auxv does not tell it';
  let vector: Buffer;
  try {
    vector = readFileSync(join(root, 'proc/self/auxv'));
  } catch {
    return { value: null, reason };
  }
  const read = (at: number) => (endianness() === 'LE' ? vector.readBigUInt64LE(at) : vector.readBigUInt64BE(at));
  for (let at = 0; at + 16 <= vector.length; at += 16)
    if (read(at) === AT_PAGESZ) return { value: Number(read(at + 8)) };
  return { value: null, reason };
}

function kilobytes(root: SysRoot, field: string): Told<number> {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readText(root, 'proc/meminfo') ?? '');
  return told(match === null ? undefined : Number(match[1]) * 1024, `/proc/meminfo has no ${field}`);
}

function swapUsed(root: SysRoot): Told<number> {
  const [total, free] = ['SwapTotal', 'SwapFree'].map((field) => kilobytes(root, field));
  if (total.value === null) return total;
  return free.value === null ? free : { value: total.value - free.value };
}

function affinity(root: SysRoot): Told<string> {
  const match = /^Cpus_allowed_list:\s+([\d,-]{1,200})$/m.exec(readText(root, 'proc/self/status') ?? '');
  return told(match?.[1], '/proc/self/status does not tell it');
}

function clocks(root: SysRoot): Told<readonly ClockPolicy[]> {
  const policies = listFolder(root, POLICIES).flatMap((policy): ClockPolicy[] => {
    const text = (file: string) => readText(root, `${POLICIES}/${policy}/${file}`);
    const hertz = (file: string) => Number(text(file) ?? Number.NaN) * 1000;
    const [least, most, slowest, fastest] = [
      'scaling_min_freq',
      'scaling_max_freq',
      'cpuinfo_min_freq',
      'cpuinfo_max_freq',
    ].map(hertz);
    const governor = text('scaling_governor');
    const cpus = text('affected_cpus');
    if (governor === undefined || cpus === undefined || ![least, most, slowest, fastest].every(isFrequency)) return [];
    return [
      { cpus: listText(cpus), governor: governor.slice(0, 40), limitHz: [least, most], hardwareHz: [slowest, fastest] },
    ];
  });
  return told(policies.length === 0 ? undefined : policies, 'no cpufreq driver (virtual machines usually have none)');
}

function isFrequency(hertz: number): boolean {
  return Number.isFinite(hertz) && hertz > 0;
}

/** Core numbers as a list of ranges: `0 1 2 3 6` is `0-3,6`. */
function listText(text: string): string {
  const cores = text.split(/\s+/).map(Number).filter(Number.isInteger);
  const ranges: [number, number][] = [];
  for (const core of cores) {
    const last = ranges.at(-1);
    if (last !== undefined && core === last[1] + 1) last[1] = core;
    else ranges.push([core, core]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}
