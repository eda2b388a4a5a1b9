import fc from 'fast-check';
import { zipSync } from 'fflate';
import { HoneError } from '../../lib/core/error';
import { Rng } from '../../lib/core/rng';
import { parseIdx } from '../../lib/data/idx';
import { formatNpy, parseNpy } from '../../lib/data/npy';
import { readNpz, writeNpz } from '../../lib/data/npz';
import { readZip } from '../../lib/data/zip';
import { byteLength, type ElementType } from '../../lib/ir/element-type';
import { elementCount, type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { mutate } from '../onnx/mutate';

/** A .npy file with this header text. */
function npy(header: string, data: Uint8Array, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), version, 0, ...length, ...text, ...data]);
}
const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;
const dataError = expect.objectContaining({ code: 'E_DATA_FORMAT' });

const NUMPY_TYPES = 'float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool'.split(
  ' ',
) as ElementType[];
const anyTensor: fc.Arbitrary<Tensor> = fc
  .record({
    type: fc.constantFrom(...NUMPY_TYPES),
    dims: fc.array(fc.nat(4), { maxLength: 4 }),
    seed: fc.nat(),
  })
  .map(({ type, dims, seed }) => {
    const rng = new Rng(seed);
    const bytes = Uint8Array.from({ length: byteLength(type, elementCount(dims)) }, () => rng.integer(0, 255));
    return { type, dims, bytes };
  });

describe('.npy', () => {
  test('every element type and shape comes back', () => {
    fc.assert(
      fc.property(anyTensor, (tensor) => {
        const bytes = formatNpy(tensor);
        expect(parseNpy(bytes, 'a')).toEqual(tensor);
        // NumPy's format: a header padded with spaces, which ends with a newline before a multiple of 64.
        const start = bytes.length - tensor.bytes.length;
        expect(start % 64).toBe(0);
        expect(Buffer.from(bytes.subarray(0, start)).toString('latin1')).toMatch(/^\x93NUMPY.{4}\{'descr': .*\} *\n$/s);
      }),
    );
  });

  test('a file as NumPy writes it', () => {
    const bytes = npy(
      "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }          \n",
      Uint8Array.of(1, 0, 255, 255),
    );
    expect(toNumbers(parseNpy(bytes, 'a'))).toEqual([1, -1]);
  });

  test.each([1, 2, 3])('header version %i', (version) => {
    expect(parseNpy(npy(header("'|u1'", '(3,)'), Uint8Array.of(1, 2, 3), version), 'a').dims).toEqual([3]);
  });

  test.each(["'|u1'", "'<u1'", "'>u1'", "'=u1'"])('one-byte elements %s have no byte order', (descr) => {
    expect(parseNpy(npy(header(descr, '()'), Uint8Array.of(7)), 'a')).toMatchObject({ type: 'uint8', dims: [] });
  });

  test('Fortran order is turned around', () => {
    // Column-major bytes of [[[0,1],[2,3],[4,5]],[[6,7],[8,9],[10,11]]].
    const data = Uint8Array.of(0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11);
    const tensor = parseNpy(npy(header("'|u1'", '(2, 3, 2)', 'True'), data), 'a');
    expect(toNumbers(tensor)).toEqual(Array.from({ length: 12 }, (_, k) => k));
    const wide = Float64Array.of(1, 3, 2, 4);
    const matrix = parseNpy(npy(header("'<f8'", '(2, 2)', 'True'), new Uint8Array(wide.buffer)), 'a');
    expect(toNumbers(matrix)).toEqual([1, 2, 3, 4]);
    expect(parseNpy(npy(header("'|u1'", '(2, 0)', 'True'), new Uint8Array()), 'a').dims).toEqual([2, 0]);
  });

  test.each(['f2', 'f4', 'f8', 'i2', 'i4', 'i8', 'u2', 'u4', 'u8'])('big-endian %s is turned around', (code) => {
    const size = Number(code[1]);
    const little = Uint8Array.from({ length: 6 * size }, (_, at) => at * 7 + 1);
    const big = Uint8Array.from(little, (_, at) => little[at - (at % size) + size - 1 - (at % size)]);
    for (const fortran of ['False', 'True']) {
      const [a, b] = [
        ['<', little],
        ['>', big],
      ].map(([order, data]) => parseNpy(npy(header(`'${order}${code}'`, '(2, 3)', fortran), data as Uint8Array), 'a'));
      expect(b).toEqual(a);
    }
  });

  const BAD: [string, Uint8Array, RegExp][] = [
    ['text elements', npy(header("'<U5'", '(1,)'), new Uint8Array(20)), /'<U5'/],
    ['objects', npy(header("'|O'", '(1,)'), new Uint8Array(8)), /'\|O'/],
    ['records', npy(header("[('a', '<f4')]", '(1,)'), new Uint8Array(4)), /plain numbers/],
    ['missing data', npy(header("'<f4'", '(2,)'), new Uint8Array(4)), /shape \[2\] of float32 does not fit 4 bytes/],
    ['extra data', npy(header("'<f4'", '(1,)'), new Uint8Array(5)), /does not fit/],
    ['a giant shape', npy(header("'|u1'", '(99999999999, 99999999999)'), new Uint8Array(4)), /does not fit/],
    ['a header cut off', npy(header("'|u1'", '(1,)'), new Uint8Array(1)).subarray(0, 30), /cut off/],
    ['a version from the future', npy(header("'|u1'", '(1,)'), new Uint8Array(1), 4), /version 4/],
    ['something else', new Uint8Array(40), /not a \.npy/],
  ];
  test.each(BAD)('refuses %s', (_, bytes, message) => {
    expect(() => parseNpy(bytes, 'a')).toThrow(dataError);
    expect(() => parseNpy(bytes, 'a')).toThrow(message);
  });

  test('cannot hold types that NumPy lacks', () => {
    const tensor: Tensor = { type: 'bfloat16', dims: [1], bytes: new Uint8Array(2) };
    expect(() => formatNpy(tensor)).toThrow(expect.objectContaining({ code: 'E_INTERNAL' }));
  });
});

describe('.npz and zip', () => {
  const arrays = new Map([
    ['input', tensorFrom('float32', [2, 2], [1, 2, 3, 4])],
    ['labels', tensorFrom('int64', [2], [0, 1])],
  ]);

  test('writes what it reads, always the same bytes', () => {
    const bytes = writeNpz(arrays);
    expect(readNpz(bytes, 'a')).toEqual(arrays);
    expect(Buffer.compare(writeNpz(arrays), bytes)).toBe(0);
  });

  test('stored and deflated files, folders and comments', () => {
    const content = new TextEncoder().encode('hello '.repeat(50));
    for (const level of [0, 9] as const) {
      const bytes = zipSync({ 'a/b.txt': content, empty: new Uint8Array() }, { level });
      expect([...readZip(bytes, 'z')]).toEqual([
        ['a/b.txt', content],
        ['empty', new Uint8Array()],
      ]);
      const commented = Buffer.concat([bytes.subarray(0, -2), Uint8Array.of(5, 0), Buffer.from('hello')]);
      expect(readZip(commented, 'z').get('a/b.txt')).toEqual(content);
    }
  });

  /** The archive with other bytes at an offset from the directory entry of its first file. */
  function patched(offset: number, ...bytes: number[]): Uint8Array {
    const zip = Uint8Array.from(zipSync({ a: new Uint8Array(100) }));
    const at = Buffer.from(zip).indexOf(Uint8Array.of(0x50, 0x4b, 1, 2));
    zip.set(bytes, at + offset);
    return zip;
  }
  test('refuses archives that unpack to far more than they are, unless that is little or stored', () => {
    const zeros = new Uint8Array(40 << 20);
    expect(readZip(zipSync({ a: zeros }), 'z').get('a')).toHaveLength(zeros.length);
    expect(readZip(zipSync({ a: zeros, b: zeros }, { level: 0 }), 'z').size).toBe(2);
    const bomb = zipSync({ a: zeros, b: zeros }, { level: 1 });
    expect(() => readZip(bomb, 'z')).toThrow(/unpack to 83886080, more than 100 times as many/);
  });

  const BAD: [string, Uint8Array, RegExp][] = [
    ['a missing directory', zipSync({ a: new Uint8Array(100) }).subarray(0, -22), /directory is missing/],
    ['an impossible size', patched(24, 255, 255, 255, 127), /impossible size/],
    ['a zip64 size', patched(24, 255, 255, 255, 255), /4 GB/],
    ['a wrong size', patched(24, 99), /damaged/],
    ['a wrong checksum', patched(16, 1, 2, 3, 4), /checksum/],
    ['encryption', patched(8, 1), /encrypted/],
    ['another method', patched(10, 12), /method 12/],
    ['an offset outside', patched(42, 255, 255, 0, 0), /broken/],
    ['a length outside', patched(20, 255, 255, 0, 0), /cut off/],
  ];
  test.each(BAD)('refuses %s', (_, bytes, message) => {
    expect(() => readZip(bytes, 'z')).toThrow(dataError);
    expect(() => readZip(bytes, 'z')).toThrow(message);
  });
});

describe('idx', () => {
  const idx = (type: number, dims: number[], ...data: number[]) =>
    Uint8Array.from([0, 0, type, dims.length, ...dims.flatMap((dim) => [0, 0, dim >> 8, dim & 255]), ...data]);
  const GOOD: [number, ElementType, number[], number[]][] = [
    [0x08, 'uint8', [255, 1], [255, 1]],
    [0x09, 'int8', [255, 1], [-1, 1]],
    [0x0b, 'int16', [255, 254, 0, 3], [-2, 3]],
    [0x0c, 'int32', [255, 255, 255, 254, 0, 0, 1, 0], [-2, 256]],
    [0x0d, 'float32', [0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0], [1, -2]],
    [0x0e, 'float64', [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0], [1, -2]],
  ];
  test.each(GOOD)('element code %i is %s', (code, type, data, numbers) => {
    const tensor = parseIdx(idx(code, [2], ...data), 'i');
    expect(tensor).toMatchObject({ type, dims: [2] });
    expect(toNumbers(tensor)).toEqual(numbers);
  });
  test('refuses broken files', () => {
    const whole = idx(0x08, [2, 2], 1, 2, 3, 4);
    for (const bytes of [whole.subarray(0, -1), whole.subarray(0, 9), idx(0x0a, [2], 1, 2), new Uint8Array(3)])
      expect(() => parseIdx(bytes, 'i')).toThrow(dataError);
  });
});

test('mutated files of every kind give arrays or a clear error', () => {
  const seeds = [
    formatNpy(tensorFrom('float32', [2, 3], [1, 2, 3, 4, 5, 6])),
    writeNpz(new Map([['x', tensorFrom('uint8', [3], [1, 2, 3])]])),
    zipSync({ 'a.npy': formatNpy(tensorFrom('int64', [2], [1, 2])) }, { level: 0 }),
    Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4]),
  ];
  const parsers = [parseNpy, readNpz, readNpz, parseIdx];
  fc.assert(
    fc.property(fc.nat(seeds.length - 1), fc.nat(), (kind, seed) => {
      const rng = new Rng(seed);
      const bytes = mutate(seeds[kind], seeds[rng.integer(0, seeds.length - 1)], rng);
      try {
        parsers[kind](bytes, 'fuzz');
      } catch (error) {
        if (!(error instanceof HoneError && error.code === 'E_DATA_FORMAT')) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
