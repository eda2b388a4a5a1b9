import type { PlanType } from '../../plan/format';
import type { FamilyOf } from '../layer';
import type { Program } from '../program';
import { plainView, reshapeView, sliceView, type View } from '../view';
import { chooseViews } from './choose-views';
import { combineIntegers } from './combine-integers';
import { compareViews } from './compare-views';
import { layerResult, partOf } from './result';

/** OneHot: an index is compared with every place of the new axis, counted from either end. */
export const oneHotFamily: FamilyOf<'one-hot'> = {
  ops: ['compare', 'binary_int', 'select'],
  float: {
    fuses: false,
    types: 'any',
    lower: (layer) => {
      const { call, program, extents } = layer;
      const result = layerResult(layer);
      const [given, values] = [layer.plain(0), layer.plain(2)];
      const indices = reshaped(
        program,
        given,
        extents.map((extent, axis) => (axis === call.axis ? 1 : extent)),
      );
      const places = (from: number, name: string) =>
        placesView(program, name, given.buffer.type, call.depth, from, extents.length - call.axis - 1);
      const hot = combineIntegers(partOf(result, 'hot'), 'or', [
        compareViews(partOf(result, 'first'), 'equal', [indices, places(0, `${result.name}:places`)]),
        compareViews(partOf(result, 'last'), 'equal', [indices, places(-call.depth, `${result.name}:behind`)]),
      ]);
      const [off, on] = [0, 1].map((index) => reshaped(program, sliceView(values, [index], [1], [1])!, []));
      return chooseViews(result, hot, on, off);
    },
  },
};

function reshaped(program: Program, view: View, extents: readonly number[]): View {
  return reshapeView(view, extents) ?? reshapeView(program.rowMajor(view), extents)!;
}

/** The numbers from `from` on as a constant [depth, 1, ...] with so many axes behind the first. */
function placesView(program: Program, name: string, type: PlanType, depth: number, from: number, behind: number): View {
  const numbers = Array.from({ length: depth }, (_, place) => from + place);
  const data =
    type === 'float32'
      ? Float32Array.from(numbers)
      : type === 'int64'
        ? BigInt64Array.from(numbers, BigInt)
        : type === 'int32'
          ? Int32Array.from(numbers)
          : Int8Array.from(numbers);
  const dims = [depth, ...new Array<number>(behind).fill(1)];
  return plainView(program.constant(name, type, dims, data).buffer, dims);
}
