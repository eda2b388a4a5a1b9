import type { BucketCounts } from './bucket-counts';

/** Labels of a series, by name. */
export type Labels = Readonly<Record<string, string>>;

/** One series of a counter or gauge. */
export interface PointSample {
  readonly labels?: Labels;
  readonly value: number;
}

/** The series of one histogram; nanoseconds, told in seconds. */
export interface HistogramSample {
  readonly labels?: Labels;
  readonly buckets: BucketCounts;
}

/** The series of one summary. */
export interface SummarySample {
  readonly labels?: Labels;
  /** By quantile (0..1): the value. */
  readonly quantiles: readonly (readonly [quantile: number, value: number])[];
  readonly sum: number;
  readonly count: number;
}

export type MetricSample = PointSample | HistogramSample | SummarySample;

/** A metric with its series, whose form fits the type. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  readonly samples: readonly MetricSample[];
}

/** Media type of what `writeExposition` gives. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Metrics in the text format 0.0.4 of Prometheus ("Exposition formats"), one family after the other; those without a series are left
 * out.
 */
export function writeExposition(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const family of families) {
    if (family.samples.length === 0) continue;
    lines.push(`# HELP ${family.name} ${escaped(family.help)}`, `# TYPE ${family.name} ${family.type}`);
    for (const sample of family.samples) pushSample(lines, family.name, sample);
  }
  return `${lines.join('\n')}\n`;
}

function pushSample(lines: string[], name: string, sample: MetricSample): void {
  const { labels } = sample;
  const push = (suffix: string, value: number, more: Labels = {}) =>
    lines.push(`${name}${suffix}${labelsText({ ...labels, ...more })} ${valueText(value)}`);
  if ('value' in sample) return void push('', sample.value);
  if ('buckets' in sample) {
    const { buckets } = sample;
    for (const { upToNs, count } of buckets.cumulative()) push('_bucket', count, { le: valueText(upToNs / 1e9) });
    push('_sum', buckets.sumNs / 1e9);
    push('_count', buckets.count);
    return;
  }
  for (const [quantile, value] of sample.quantiles) push('', value, { quantile: valueText(quantile) });
  push('_sum', sample.sum);
  push('_count', sample.count);
}

function labelsText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function valueText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
