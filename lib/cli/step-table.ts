import type { EngineLatency, RecipeReport } from '../jobs/recipe-report';
import { bytesText, countText, percentText, table, timeText } from './text';

/** The model as it came in and after every step of a recipe: a table with one row each. */
export function stepTable({ baseline, steps, metric }: RecipeReport): string[] {
  const models = [{ ...baseline, method: 'float', drop: 0 }, ...steps];
  const rows = models.map(({ method, accuracy, drop, bytes, macs, latency }) => [
    method,
    percentText(accuracy),
    pointsText(drop),
    bytesText(bytes),
    countText(macs),
    latencyText(latency),
  ]);
  return table([['after', metric, 'drop', 'size', 'MAC', 'p50'], ...rows]);
}

/** A share in points of a hundred. */
export function pointsText(share: number): string {
  return (100 * share).toFixed(2);
}

function latencyText({ p50Us }: EngineLatency): string {
  return p50Us === null ? '-' : timeText(p50Us);
}
