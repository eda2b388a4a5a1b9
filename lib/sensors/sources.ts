import { frequencySource } from './frequency';
import { inaSource } from './ina';
import { inaIioSource } from './ina-iio';
import { memorySource } from './memory';
import { pmicSource } from './pmic';
import { pressureSource } from './pressure';
import { raplSource } from './rapl';
import type { SensorSource } from './sensor-source';
import { thermalSource } from './thermal';

/** Every kind of sensor that Hone reads, in the order of their readings. */
export const SENSOR_SOURCES: readonly SensorSource[] = [
  memorySource,
  thermalSource,
  frequencySource,
  pressureSource,
  raplSource,
  inaSource,
  inaIioSource,
  pmicSource,
];
