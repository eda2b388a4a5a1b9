import type { Diagnostic } from '../../core/diagnostic';
import { HELD_OUT_SAMPLES, tooFewToRepair } from '../keep-if-better';
import type { QuantizeOptions } from './options';
import type { Ranges } from './ranges';
import type { OutlyingSample } from './robust-ranges';

/** What to know about calibration samples that had no say in the ranges: one warning per value that they stand out in. */
export function outlyingWarnings(
  leftOut: readonly OutlyingSample[],
  { values }: Ranges,
  samples: number,
): readonly Diagnostic[] {
  const names = [...new Set(leftOut.map(({ value }) => value))];
  return names.map((name) => {
    const own = leftOut.filter(({ value }) => value === name);
    const { min, max } = values.find(({ value }) => value === name)!;
    const farthest = own.reduce((a, b) => (Math.abs(b.extreme) > Math.abs(a.extreme) ? b : a)).extreme;
    const range = `${shown(min)} to ${shown(max)}`;
    return {
      severity: 'warning',
      kind: 'outlying-samples',
      where: `value ${name}`,
      message:
        `${own.length} of ${samples} calibration samples reach ${shown(farthest)}, all others ${range}: such samples are clipped ` +
        'and left out of the figures; mend them if they are wrong, or choose the estimator minmax if they matter more than the others',
    };
  });
}

function shown(x: number): string {
  return String(Number(x.toPrecision(4)));
}

/** Which repairs were off because too few samples could tell whether they help; none where none was asked for. */
export function repairsOff(options: QuantizeOptions, samples: number): readonly Diagnostic[] {
  const rounding = [options, ...Object.values(options.layers)].some((choices) => choices.rounding === 'adaround');
  const off = [
    ...(options.crossLayerEqualization ? ['equalization'] : []),
    ...(rounding ? ['AdaRound'] : []),
    ...(options.biasCorrection && options.mode === 'static' ? ['bias correction'] : []),
  ];
  if (off.length === 0) return [];
  const reason =
    options.heldOut < HELD_OUT_SAMPLES.least ? `heldOut is ${options.heldOut}` : tooFewToRepair({ count: samples });
  return [{ severity: 'warning', kind: 'repairs-off', where: 'graph', message: `no ${off.join(', no ')}: ${reason}` }];
}
