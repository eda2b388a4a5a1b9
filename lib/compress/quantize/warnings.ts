import type { Diagnostic } from '../../core/diagnostic';
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
    const range = `${min.toPrecision(3)} to ${max.toPrecision(3)}`;
    return {
      severity: 'warning',
      kind: 'outlying-samples',
      where: `value ${name}`,
      message:
        `${own.length} of ${samples} calibration samples reach ${farthest.toPrecision(3)}, all others ${range}: such samples are clipped ` +
        'and left out of the figures; mend them if they are wrong, or choose the estimator minmax if they matter more than the others',
    };
  });
}
