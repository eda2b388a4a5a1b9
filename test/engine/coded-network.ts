import { GRID, NO_WINDOW, PlanBuilder, ramp } from './plans';

/** Codes of every value, two of 4 bits per byte. */
function codes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => (i * 37 + 11) & 255);
}

function floats(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => ((i % 13) - 6) / 32 + 1 / 64);
}

/** Rows of x, and whether constants that nothing reads make the plan more than caches hold: then products of few rows read codes. */
export interface CodedOptions {
  readonly rows?: number;
  readonly large?: boolean;
}

/** What `codedNetwork` takes. */
export const codedInputs = ({ rows = 2 }: CodedOptions = {}) => ({
  real: ramp(rows * 70),
  ids: BigInt64Array.of(3n, -1n, 0n),
});

/**
 * A plan whose layers have weights of every encoding: float and int8 products, a convolution, rows of a table. Outputs and nodes
 * are named by encoding.
 */
export function codedNetwork({ rows = 2, large = false }: CodedOptions = {}): PlanBuilder {
  const b = new PlanBuilder();
  if (large) b.constant(new Uint8Array(8 << 20));
  const [inputs, outputs] = [70, 48];
  const real = b.input('real', 'float32', [rows, inputs]);
  const ids = b.input('ids', 'int64', [3]);
  const grid = b.arena('int8', [rows, inputs], GRID);
  b.node({ op: 'quantize_s8', outputs: [grid], inputs: [real], params: { channelsFirst: false } });
  const bias = b.constant(floats(outputs));

  const scaled = { encoding: 'scaled', type: 'float32', row: inputs } as const;
  const codebook = { encoding: 'codebook', row: inputs } as const;
  const dims = [outputs, inputs];
  const zeros = (count: number): Uint8Array => {
    const table = new Uint8Array(count * 5);
    table.set(new Uint8Array(floats(count).buffer));
    for (let i = 0; i < count; i++) table[count * 4 + i] = i & 7;
    return table;
  };
  const float = {
    'scaled-4-32': b.coded({ ...scaled, bits: 4, group: 32 }, dims, codes(outputs * 35), floats(outputs * 3)),
    'scaled-4-zeros': b.coded(
      { ...scaled, bits: 4, group: 64, zeroPoints: true },
      dims,
      codes(outputs * 35),
      zeros(outputs * 2),
    ),
    'scaled-8': b.coded({ ...scaled, bits: 8, group: inputs }, dims, codes(outputs * inputs), floats(outputs)),
    'scaled-8-zeros': b.coded(
      { ...scaled, bits: 8, group: inputs, zeroPoints: true },
      dims,
      codes(outputs * inputs),
      zeros(outputs),
    ),
    'scaled-4-5': b.coded({ ...scaled, bits: 4, group: 5 }, dims, codes(outputs * 35), floats(outputs * 14)),
    'codebook-4': b.coded({ ...codebook, type: 'float32', bits: 4 }, dims, codes(outputs * 35), floats(16)),
    'codebook-8': b.coded({ ...codebook, type: 'float32', bits: 8 }, dims, codes(outputs * inputs), floats(256)),
  };
  for (const [name, weights] of Object.entries(float)) {
    const y = b.output(name, 'float32', [rows, outputs]);
    b.node({ name, op: 'fc_f32', outputs: [y], inputs: [real, weights, bias], params: { lo: -100 } });
  }

  const layer = [
    b.constant(Int32Array.from({ length: outputs }, (_, i) => i * 10 - 200)),
    b.constant(new Float32Array(outputs).fill(1 / 256)),
  ];
  const points = b.constant(Int8Array.from({ length: outputs }, (_, i) => (i % 5) - 2));
  const table = Int8Array.from({ length: 16 }, (_, i) => i * 17 - 128);
  const narrow = b.coded({ encoding: 'narrow', type: 'int8', bits: 4, row: inputs }, dims, codes(outputs * 35));
  const shared = b.coded({ ...codebook, type: 'int8', bits: 4 }, dims, codes(outputs * 35), table);
  for (const [name, weights, others] of [
    ['narrow', narrow, layer],
    ['narrow-zeros', narrow, [...layer, points]],
    ['codebook-int8', shared, layer],
  ] as const) {
    const y = b.arena('int8', [rows, outputs], GRID);
    b.node({ name, op: 'fc_s8', outputs: [y], inputs: [grid, weights, ...others], params: {} });
    const shown = b.output(name, 'int8', [rows, outputs], GRID);
    b.node({
      ...{ op: 'copy_nd', outputs: [shown], inputs: [y] },
      params: { extents: [rows * outputs], srcOffset: 0, dstOffset: 0, srcStrides: [1], dstStrides: [1] },
    });
  }

  const image = b.arena('int8', [1, 1, rows, inputs], GRID);
  b.node({
    ...{ op: 'copy_nd', outputs: [image], inputs: [grid] },
    params: { extents: [rows * inputs], srcOffset: 0, dstOffset: 0, srcStrides: [1], dstStrides: [1] },
  });
  const kernel = b.coded(
    { encoding: 'narrow', type: 'int8', bits: 4, row: inputs },
    [outputs, 1, 1, inputs],
    codes(outputs * 35),
  );
  const pixels = b.output('convolution', 'int8', [1, 1, rows, outputs], GRID);
  b.node({
    ...{ name: 'convolution', op: 'conv_s8', outputs: [pixels], inputs: [image, kernel, ...layer] },
    params: { window: NO_WINDOW, groups: 1 },
  });

  const words = b.coded({ ...scaled, row: 9, bits: 8, group: 9 }, [1, 20, 9], codes(180), floats(20));
  const taken = b.output('rows', 'float32', [1, 3, 9]);
  b.node({ name: 'rows', op: 'gather', outputs: [taken], inputs: [words, ids] });
  return b;
}
