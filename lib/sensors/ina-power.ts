import type { EnergySource } from './energy-source';
import { listFolder, readNumber, readText, type SysRoot } from './read-file';

const HWMON = 'sys/class/hwmon';

/** Rails that carry the power of the whole board, where a board has one: Jetson Orin and Xavier NX, Jetson Nano. */
const BOARD_RAILS = ['VDD_IN', 'POM_5V_IN', 'VIN'];

interface Rail {
  readonly name: string;
  readonly folder: string;
  /** Watts. */
  read(): number | undefined;
}

/**
 * Power by INA sensors (Texas Instruments INA2xx, INA3221) in hwmon: of the rail that feeds the board, else the sum of all
 * rails. Chips without a power file give millivolts and milliamperes per channel.
 */
export function findInaPower(root: SysRoot): EnergySource | undefined {
  const rails = listFolder(root, HWMON)
    .map((chip) => `${HWMON}/${chip}`)
    .filter((folder) => /^ina[23]/.test(readText(root, `${folder}/name`) ?? ''))
    .flatMap((folder) => railsOf(root, folder));
  const board = rails.find(({ name }) => BOARD_RAILS.includes(name));
  const counted = board ? [board] : rails;
  if (counted.length === 0) return undefined;
  return {
    kind: 'gauge',
    name: counted.length === 1 ? `power.${counted[0].name}` : 'power.rails',
    source: counted.map(({ name, folder }) => `/${folder} ${name}`).join(', '),
    scope: board ? 'board' : counted.length === 1 ? 'rail' : 'sum of rails',
    read: () => {
      let sum = 0;
      for (const rail of counted) {
        const watts = rail.read();
        if (watts === undefined) return undefined;
        sum += watts;
      }
      return sum;
    },
  };
}

function railsOf(root: SysRoot, folder: string): Rail[] {
  const number = (file: string) => readNumber(root, `${folder}/${file}`);
  const chip = readText(root, `${folder}/name`)!;
  if (number('power1_input') !== undefined) {
    const watts = () => scaled(number('power1_input'), 1e-6);
    return [{ name: readText(root, `${folder}/in1_label`) ?? chip, folder, read: watts }];
  }
  return [1, 2, 3].flatMap((channel) => {
    const name = readText(root, `${folder}/in${channel}_label`) ?? `${chip}-${channel}`;
    const watts = () => {
      const millivolts = number(`in${channel}_input`);
      return millivolts === undefined ? undefined : scaled(number(`curr${channel}_input`), millivolts * 1e-6);
    };
    // NC: not connected.
    return watts() === undefined || /\bNC\b/.test(name) ? [] : [{ name, folder, read: watts }];
  });
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
