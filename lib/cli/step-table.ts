import type { Scored } from '../compress/recipe/context';
import type { EngineLatency, MachineLoad, RecipeReport } from '../jobs/recipe/recipe-report';
import { bytesText, countText, percentText, table, timeText } from './text';

/** Load for each processor above which times are not those of a quiet machine; the run itself is one. */
const BUSY = 0.9;

/** The model as it came in and after every step of a recipe: a table with one row each, then what its numbers mean. */
export function stepTable({ baseline, steps, metric, samples, load }: RecipeReport): string[] {
  const models = [{ ...baseline, method: 'float', drop: 0 }, ...steps];
  const nats = models.some((model) => model.nats !== undefined);
  const rows = models.map((model, index) => [
    model.method,
    qualityText(model, metric),
    index === 0 ? '' : dropText(model),
    ...(nats ? [model.nats?.toFixed(4) ?? ''] : []),
    bytesText(model.bytes),
    countText(model.macs),
    ...latencyCells(model.latency),
  ]);
  const head = metric === '1 - error' ? 'error' : metric;
  const sure = models.some(({ interval95 }) => interval95 !== undefined);
  return [
    ...table([['after', head, 'drop', ...(nats ? ['nats'] : []), 'size', 'MAC', 'p50', 'least'], ...rows]),
    ...(sure
      ? [`(${samples.validation} validation samples; 95 % intervals; drop in points ± its standard error)`]
      : []),
    ...(load == null ? [] : [loadText(load)]),
  ];
}

/** A score with its 95 % interval. */
export function qualityText({ accuracy, interval95 }: Scored, metric: RecipeReport['metric']): string {
  if (metric === '1 - error') return errorText(1 - accuracy);
  const range = interval95 && ` (${interval95.map((end) => (100 * end).toFixed(1)).join(' to ')})`;
  return `${percentText(accuracy)}${range ?? ''}`;
}

/** A relative error, in percent and as a signal to noise ratio. */
export function errorText(error: number): string {
  return error > 0 ? `${percentText(error)} (${(-20 * Math.log10(error)).toFixed(1)} dB)` : 'none';
}

/** Points lost, with the standard error. */
function dropText({ drop, dropStandardError }: { readonly drop: number; readonly dropStandardError?: number }): string {
  return dropStandardError === undefined ? pointsText(drop) : `${pointsText(drop)} ± ${pointsText(dropStandardError)}`;
}

/** A share in points of a hundred. */
export function pointsText(share: number): string {
  return (100 * share).toFixed(2);
}

function latencyCells(latency: EngineLatency): [median: string, least: string] {
  return latency.p50Us === null ? ['-', '-'] : [timeText(latency.p50Us), timeText(latency.leastUs)];
}

/** A busy machine moves the medians, all of them alike, since models are timed in turns. */
function loadText({ perMinute, processors }: MachineLoad): string {
  const busy = perMinute > processors * BUSY;
  return `(timed in turns; load ${perMinute.toFixed(1)} on ${processors} processors${busy ? ': busy, trust the least times' : ''})`;
}
