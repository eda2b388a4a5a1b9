import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder that stands for `/`, with fake system files; removed after each test. */
export function useFakeRoot(): {
  readonly path: string;
  /** Writes files, by path below the root. */
  write(files: Readonly<Record<string, string>>): void;
  remove(path: string): void;
} {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'hone-sensors-'));
    // Another user shall come as far as the files that are closed to him.
    chmodSync(root, 0o755);
  });
  afterEach(() => rmSync(root, { recursive: true }));
  return {
    get path() {
      return root;
    },
    write(files) {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
    },
    remove: (path) => rmSync(join(root, path), { recursive: true }),
  };
}

/** Files of one RAPL zone. */
export function rapl(zone: string, name: string, microjoules: number, range = 262143328850): Record<string, string> {
  const folder = `sys/class/powercap/${zone}`;
  return {
    [`${folder}/name`]: `${name}\n`,
    [`${folder}/energy_uj`]: `${microjoules}\n`,
    [`${folder}/max_energy_range_uj`]: `${range}\n`,
  };
}

/** Files of a hwmon chip with channels of millivolts and milliamperes. */
export function ina(
  folder: string,
  chip: string,
  channels: readonly (readonly [label: string, millivolts: number | string, milliamperes: number | string])[],
): Record<string, string> {
  const at = `sys/class/hwmon/${folder}`;
  const files: Record<string, string> = { [`${at}/name`]: `${chip}\n` };
  channels.forEach(([label, millivolts, milliamperes], index) => {
    if (label !== '') files[`${at}/in${index + 1}_label`] = `${label}\n`;
    files[`${at}/in${index + 1}_input`] = `${millivolts}\n`;
    files[`${at}/curr${index + 1}_input`] = `${milliamperes}\n`;
  });
  return files;
}

/** Files of an IIO device of JetPack 4, in milliwatts. */
export function iio(device: string, rails: readonly (readonly [name: string, milliwatts: number])[]) {
  const at = `sys/bus/i2c/devices/${device}/iio:device0`;
  return Object.fromEntries(
    rails.flatMap(([name, milliwatts], index) => [
      [`${at}/rail_name_${index}`, `${name}\n`],
      [`${at}/in_power${index}_input`, `${milliwatts}\n`],
    ]),
  );
}

/** Files of a thermal zone. */
export function zone(number: number, type: string, temp: string): Record<string, string> {
  const at = `sys/class/thermal/thermal_zone${number}`;
  return { [`${at}/type`]: `${type}\n`, [`${at}/temp`]: `${temp}\n` };
}

/** Runs as a user who is not root: root may read every file. */
export function unprivileged<T>(run: () => T): T {
  if (process.getuid?.() !== 0) return run();
  process.seteuid!(65534);
  try {
    return run();
  } finally {
    process.seteuid!(0);
  }
}
