import { BucketCounts } from '../../lib/telemetry/bucket-counts';
import { type MetricFamily, writeExposition } from '../../lib/telemetry/exposition';

function bucketsOf(...valuesNs: number[]): BucketCounts {
  const buckets = new BucketCounts();
  for (const value of valuesNs) buckets.record(value);
  return buckets;
}

test('a bound counts what is as large as it is', () => {
  const counts = (...valuesNs: number[]) =>
    Object.fromEntries(
      bucketsOf(...valuesNs)
        .cumulative()
        .map(({ upToNs, count }) => [upToNs, count]),
    );
  const found = counts(0, 1e4, 1e4 + 1, 2e6, 5e10, 5e10 + 1);
  expect(found).toMatchObject({ 1e4: 2, 2e4: 3, 1e6: 3, 2e6: 4, 2e10: 4, 5e10: 5, Infinity: 6 });
  expect(Object.keys(found)).toHaveLength(22);
  const buckets = bucketsOf(1, 2, 3.5);
  expect([buckets.count, buckets.sumNs]).toEqual([3, 6.5]);
});

test.each<[string, MetricFamily, string[]]>([
  [
    'a counter, with what labels must not have as it is',
    {
      ...{ name: 'a_total', help: 'Back\\slash and\nline, "quoted".', type: 'counter' },
      samples: [{ labels: { x: 'q"u\\o\nte', y: '' }, value: 1.5 }],
    },
    [
      '# HELP a_total Back\\\\slash and\\nline, "quoted".',
      '# TYPE a_total counter',
      'a_total{x="q\\"u\\\\o\\nte",y=""} 1.5',
    ],
  ],
  [
    'gauges without labels and values of every kind',
    {
      ...{ name: 'g', help: 'G.', type: 'gauge' },
      samples: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-9, 1e21, 0].map((value) => ({
        value,
      })),
    },
    ['# HELP g G.', '# TYPE g gauge', 'g NaN', 'g +Inf', 'g -Inf', 'g 1e-9', 'g 1e+21', 'g 0'],
  ],
  [
    'a summary',
    {
      ...{ name: 's', help: 'S.', type: 'summary' },
      samples: [
        {
          labels: { n: 'x' },
          quantiles: [
            [0.5, 2],
            [0.99, 3],
          ],
          sum: 7,
          count: 3,
        },
      ],
    },
    [
      '# HELP s S.',
      '# TYPE s summary',
      's{n="x",quantile="0.5"} 2',
      's{n="x",quantile="0.99"} 3',
      's_sum{n="x"} 7',
      's_count{n="x"} 3',
    ],
  ],
  ['nothing of a metric without a series', { name: 'n', help: 'N.', type: 'gauge', samples: [] }, []],
])('%s', (_, family, lines) => {
  expect(writeExposition([family])).toBe(`${lines.join('\n')}\n`);
});

test('a histogram in seconds, with the same bounds always', () => {
  const samples = [{ labels: { m: 'x' }, buckets: bucketsOf(3e4, 2e9) }];
  const lines = writeExposition([{ name: 'h', help: 'H.', type: 'histogram', samples }])
    .trimEnd()
    .split('\n');
  expect(lines).toHaveLength(2 + 22 + 2);
  expect(lines.slice(2, 6)).toEqual([
    'h_bucket{m="x",le="0.00001"} 0',
    'h_bucket{m="x",le="0.00002"} 0',
    'h_bucket{m="x",le="0.00005"} 1',
    'h_bucket{m="x",le="0.0001"} 1',
  ]);
  expect(lines.slice(-4)).toEqual([
    'h_bucket{m="x",le="50"} 2',
    'h_bucket{m="x",le="+Inf"} 2',
    'h_sum{m="x"} 2.00003',
    'h_count{m="x"} 2',
  ]);
});
