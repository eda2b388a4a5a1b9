import type { EnergyCover } from '../telemetry/sample';
import { isValue, listFolder, readText, readValue, type SysRoot } from './read-file';
import type { Probe, SensorContext, SensorSource } from './sensor-source';
import { WrappingCounter } from './wrapping-counter';

const POWERCAP = 'sys/class/powercap';
/** Zones of the MSR or TPMI driver, and of the MMIO driver, which shows the same counters of a package once more. */
const ZONE = /^intel-rapl:\d+(:\d+)*$/;
const MMIO_ZONE = /^intel-rapl-mmio:\d+(:\d+)*$/;
/** Watts that no domain takes: a counter that gains more was set back. */
const MOST_WATTS = 2000;
const INTERVAL_MS = 1;
const FILES = `/${POWERCAP}/intel-rapl*:*/energy_uj`;

/** Energy of every RAPL domain: packages, psys, and core, uncore and dram within packages. */
export const raplSource: SensorSource = {
  id: 'rapl',
  quantity: 'energy',
  what: 'energy of every domain that an x86 processor counts: packages, psys, dram, core, uncore',
  files: '/sys/class/powercap/intel-rapl*:*/{name,energy_uj,max_energy_range_uj}',
  names: '`energy.package-<n>`, `energy.psys`, `energy.package-<n>.dram`',
  unit: 'joules',
  kind: 'counter',
  interval: 'about 1 ms',
  absent:
    'no RAPL counters in /sys/class/powercap (they are of x86 processors, and virtual machines and containers usually hide them)',
  right: {
    why: 'Linux lets only root read energy counters, since their steps give away what a processor computes (CVE-2020-8694)',
    command: `sudo sh -c 'chgrp '$(id -gn)' ${FILES} && chmod g+r ${FILES}'`,
    tmpfiles: (group) => [`z ${FILES} 0440 root ${group} - -`],
  },
  find(context) {
    const { root } = context;
    const zones = listFolder(root, POWERCAP);
    const counters = zones.filter((zone) => ZONE.test(zone));
    const names = new Set(counters.map((zone) => domainName(root, zone)));
    const others = zones.filter((zone) => MMIO_ZONE.test(zone) && !names.has(domainName(root, zone)));
    return [...counters, ...others].map((zone) => domain(context, zone));
  },
};

function domain({ root, monotonicNs }: SensorContext, zone: string): Probe {
  const path = `${POWERCAP}/${zone}/energy_uj`;
  const range = readValue(root, `${POWERCAP}/${zone}/max_energy_range_uj`, 1e-6, [1, Number.MAX_SAFE_INTEGER]);
  const raw = () => readValue(root, path, 1e-6, [0, Number.MAX_SAFE_INTEGER]);
  const counter = new WrappingCounter(raw, isValue(range) ? range : undefined, MOST_WATTS, monotonicNs);
  return {
    name: `energy.${domainName(root, zone)}`,
    unit: 'joules',
    kind: 'counter',
    source: `/${path}`,
    energy: { covers: coverOf(readText(root, `${POWERCAP}/${zone}/name`) ?? ''), intervalMs: INTERVAL_MS },
    read: () => counter.read(),
  };
}

/** Names of a zone and of those around it: `package-0.dram`. */
function domainName(root: SysRoot, zone: string): string {
  const [driver, ...numbers] = zone.split(':');
  return numbers
    .map((_, depth) => {
      const at = [driver, ...numbers.slice(0, depth + 1)].join(':');
      return readText(root, `${POWERCAP}/${at}/name`) || at;
    })
    .join('.');
}

/** A package holds its cores and its graphics (uncore), but not the memory; psys holds all of them. */
function coverOf(name: string): EnergyCover {
  if (/^package/.test(name)) return 'package';
  if (/^psys/.test(name)) return 'system';
  return name === 'dram' ? 'memory' : 'part';
}
