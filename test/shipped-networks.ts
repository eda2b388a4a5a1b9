import { existsSync, readdirSync } from 'node:fs';
import { Rng } from '../lib/core/rng';
import type { Graph } from '../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom } from '../lib/ir/tensor';
import { ZOO_DIR } from './data';

/** Extents of the inputs, by file name; values of integer inputs, of which the dearest that runs counts. */
const GIVEN: readonly [file: RegExp, shapes: Readonly<Record<string, readonly number[]>>, integers?: Integers][] = [
  [/aidreams260k/, { tokens: [1, 8] }, { tokens: [5] }],
  [/nudenet/, { images: [1, 3, 96, 96] }],
  [/onnx_asr/, { waveforms: [1, 4000], waveforms_lens: [1] }, { waveforms_lens: [4000] }],
  [/embedding_model/, { input_1: [1, 76, 32, 1] }],
  [/melspectrogram/, { input: [1, 16000] }],
  [/browser__silero_vad|silero_vad_legacy/, { input: [1, 1536], h: [2, 1, 64], c: [2, 1, 64] }, { sr: [16000, 8000] }],
  [
    /silero_vad_v|silero_vad__silero_vad.onnx|op15|half|ifless/,
    { input: [1, 576], state: [2, 1, 128] },
    { sr: [16000] },
  ],
  [/16k_sequence/, { input: [32, 576] }],
  [/v4_det/i, { x: [1, 3, 64, 64] }],
  [/v4_rec/i, { x: [1, 3, 48, 96] }],
  [/cls_infer/, { x: [1, 3, 48, 192] }],
];
type Integers = Readonly<Record<string, readonly number[]>>;

/** What the inputs of a file are given. */
export function givenFor(file: string): {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly integers: Integers;
} {
  const [, shapes, integers = {}] = GIVEN.find(([pattern]) => pattern.test(file)) ?? [/none/, {}];
  return { shapes, integers };
}

/** All feeds that the integer inputs' values allow. */
export function feedsOf(graph: Graph, integers: Integers): ReadonlyMap<string, Tensor>[] {
  const rng = new Rng(1);
  return graph.inputs.reduce<Map<string, Tensor>[]>(
    (list, name) => {
      const { type, shape } = graph.values.get(name)!;
      const dims = shape!.map((dim) => (typeof dim === 'number' ? dim : 1));
      const draw = () => Array.from({ length: elementCount(dims) }, () => 0.1 * rng.normal());
      const tensors =
        type === 'int64'
          ? (integers[name] ?? [1]).map((value) => tensorFrom('int64', dims, Array(elementCount(dims)).fill(value)))
          : type === 'int32'
            ? [
                tensorFrom(
                  'int32',
                  dims,
                  draw().map((_, index) => (index * 37) % 101),
                ),
              ]
            : [tensorFrom('float32', dims, draw())];
      return list.flatMap((feeds) => tensors.map((tensor) => new Map([...feeds, [name, tensor]])));
    },
    [new Map()],
  );
}

/** Files of networks that people ship inside packages; none where they were not fetched. */
export const SHIPPED_NETWORKS: readonly string[] = existsSync(ZOO_DIR)
  ? readdirSync(ZOO_DIR).filter((file) => file.endsWith('.onnx'))
  : [];
