import { readMemory } from '../lib/sensors/memory';
import { openNative } from './native';
import { openSessionFile } from './rival';

/** What a process holds that runs one model; printed as JSON. */
export interface HeldMemory {
  /** Resident bytes with Node and this script loaded, but no engine. */
  readonly idleBytes: number;
  /** Resident bytes after some inferences. */
  readonly residentBytes: number;
  /** Highest resident bytes so far. */
  readonly peakBytes: number;
}

const RUNS = 200;

/** Arguments: engine (`native` or `onnxruntime`) and the file that it runs. The process must be fresh. */
async function main([engine, path]: readonly string[]): Promise<void> {
  const [idleBytes] = readings();
  const run = engine === 'native' ? openNative(path).subject.run : await openSessionFile(path);
  for (let i = 0; i < RUNS; i++) await run();
  global.gc?.();
  const [residentBytes, peakBytes] = readings();
  const held: HeldMemory = { idleBytes, residentBytes, peakBytes };
  process.stdout.write(JSON.stringify(held));
}

function readings(): number[] {
  global.gc?.();
  return (['VmRSS', 'VmHWM'] as const).map((field) => {
    const bytes = readMemory('/', field);
    if (typeof bytes !== 'number') throw new Error(`resident memory cannot be read: ${bytes.reason}`);
    return bytes;
  });
}

void main(process.argv.slice(2));
