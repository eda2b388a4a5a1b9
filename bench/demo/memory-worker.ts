import { readFileSync } from 'node:fs';
import { type Contestant, openRunner } from './contestants';

/** Resident memory of this process in bytes (RSS). */
function residentBytes(): number {
  const pages = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]);
  return pages * 4096;
}

/**
 * Run in a fresh process with a contestant as JSON argument: tells how far resident memory grows over the idle process when
 * the runtime and the model are loaded and 200 inferences have run.
 */
async function main(): Promise<void> {
  const contestant = JSON.parse(process.argv[2]) as Contestant;
  global.gc?.();
  const idle = residentBytes();
  const runner = await openRunner(contestant);
  for (let i = 0; i < 200; i++) await runner.run();
  global.gc?.();
  process.stdout.write(JSON.stringify({ held: runner.held, rssAboveIdle: residentBytes() - idle }));
  await runner.close();
}

void main();
