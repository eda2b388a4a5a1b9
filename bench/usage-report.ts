import { writeFileSync } from 'node:fs';

/** What a process took. */
export interface Usage {
  readonly userUs: number;
  readonly systemUs: number;
  /** Highest resident kilobytes. */
  readonly peakKb: number;
}

/** Preloaded into a process (`node -r`): writes what it took to the file that HONE_BENCH_USAGE names, when it ends. */
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage: Usage = { userUs: userCPUTime, systemUs: systemCPUTime, peakKb: maxRSS };
  writeFileSync(process.env.HONE_BENCH_USAGE!, JSON.stringify(usage));
});
