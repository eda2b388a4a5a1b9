import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** Nearest folder at or above `folder` with a package.json: the same from test/ and from dist/test/. */
function repository(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : repository(dirname(folder));
}

/** Folder of the real models and labelled data that some tests use; HONE_TEST_DATA overrides the place. */
const DATA_DIR: string = resolve(process.env.HONE_TEST_DATA ?? join(repository(__dirname), '../shared/data'));

/** Path below the data folder. */
export function dataPath(...parts: string[]): string {
  return join(DATA_DIR, ...parts);
}

/** `describe` when the test data is there, else `describe.skip`, so that skipped tests stay visible by name. */
export function describeWithData(name: string, tests: () => void): void {
  (existsSync(DATA_DIR) ? describe : describe.skip)(name, tests);
}

/** Folder of small inputs that once failed; HONE_TEST_CASES overrides the place. */
const CASES_DIR: string = resolve(process.env.HONE_TEST_CASES ?? join(repository(__dirname), '../shared/cases'));

/** Path of a file of the cases, for example `tied_gemm.onnx`. */
export function casePath(file: string): string {
  return join(CASES_DIR, file);
}

/** `describe` when the cases are there, else `describe.skip`. */
export function describeWithCases(name: string, tests: () => void): void {
  (existsSync(CASES_DIR) ? describe : describe.skip)(name, tests);
}

/** Folder of networks that people ship, as fetched by the tools beside the test data; HONE_ZOO overrides the place. */
export const ZOO_DIR: string = resolve(process.env.HONE_ZOO ?? join(homedir(), '.cache/hone-zoo'));

/** `describe` when the fetched networks are there, else `describe.skip`. */
export function describeWithZoo(name: string, tests: () => void): void {
  (existsSync(ZOO_DIR) ? describe : describe.skip)(name, tests);
}

/** Folder of natural pictures, as fetched by the tools beside the test data; HONE_PICTURES overrides the place. */
const PICTURES_DIR: string = resolve(process.env.HONE_PICTURES ?? join(homedir(), '.cache/hone-pictures'));

/** Path of a picture, for example `astronaut.png`. */
export function picturePath(file: string): string {
  return join(PICTURES_DIR, file);
}

/** `describe` when the fetched networks and pictures are there, else `describe.skip`. */
export function describeWithPictures(name: string, tests: () => void): void {
  (existsSync(ZOO_DIR) && existsSync(PICTURES_DIR) ? describe : describe.skip)(name, tests);
}

/** The ten real models, by file stem. */
export const MODELS = [
  'mnist-8',
  'resnet8_cifar10_mlperftiny',
  'resnet20_cifar10',
  'dscnn_kws_mlperftiny',
  'mobilenetv1_025_vww96_mlperftiny',
  'squeezenet1_1_imagenet',
  'ultraface_rfb_320',
  'dtln_1_lstm',
  'magika_fast_v2_1',
  'aidreams260k_transformer',
] as const;
