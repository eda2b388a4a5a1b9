import { HoneError } from '../core/error';
import type { ModelSettings } from './front/served-model';
import type { CatalogueEntry } from './supervisor/catalogue';

/** How models are served of which nothing else is said. */
export interface Defaults {
  readonly threads?: number;
  readonly queue?: number;
  readonly timeoutMs?: number;
  readonly batch?: boolean;
  readonly packedCache?: boolean | string;
}

/** How an entry is served. */
export function settingsOf(entry: Omit<CatalogueEntry, 'plan' | 'loaded'>, otherwise: Defaults): ModelSettings {
  const { packedCache } = otherwise;
  return {
    name: entry.name,
    version: entry.version,
    threads: entry.threads ?? otherwise.threads ?? 1,
    queueLimit: entry.queue ?? otherwise.queue ?? 64,
    timeoutMs: entry.timeoutMs ?? otherwise.timeoutMs ?? 10_000,
    isBatched: entry.batch ?? otherwise.batch ?? false,
    ...(packedCache === undefined ? {} : { packedCache }),
  };
}

/** What is checked before a front begins. */
export interface FrontSettings extends Defaults {
  readonly host: string;
  readonly cores?: number;
  readonly origins?: readonly string[];
}

/** @throws E_OPTION_VALUE */
export function checkSettings({ host, queue = 64, timeoutMs = 10_000, cores = 1, origins = [] }: FrontSettings): void {
  requireOption(/^(localhost|127(\.\d+){3}|::1)$/.test(host), 'host', 'a loopback address', host);
  requireOption(isWhole(queue, 1, 10_000), 'queue', 'a whole number from 1 to 10000', queue);
  requireOption(isWhole(timeoutMs, 1, 3_600_000), 'timeoutMs', 'a whole number from 1 to 3600000', timeoutMs);
  requireOption(isWhole(cores, 1, 1024), 'cores', 'a whole number from 1 to 1024', cores);
  for (const origin of origins)
    requireOption(isOrigin(origin), 'origins', 'exact origins such as http://localhost:3000', origin);
}

/** @throws E_OPTION_VALUE unless it holds */
export function requireOption(holds: boolean, option: string, expected: string, found: string | number): void {
  if (!holds) throw new HoneError('E_OPTION_VALUE', { option, expected, found });
}

function isWhole(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

/** Whether a text is what a browser sends as Origin; `*` and `null` are not. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
