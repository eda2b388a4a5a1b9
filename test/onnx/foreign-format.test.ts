import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, strToU8, zipSync } from 'fflate';
import { formatNpy } from '../../lib/data/npy';
import { writeNpz } from '../../lib/data/npz';
import { tensorFrom } from '../../lib/ir/tensor';
import { foreignFormat } from '../../lib/onnx/foreign-format';
import { readModel } from '../../lib/onnx/read-model';
import { casePath, dataPath, describeWithCases, describeWithData, describeWithZoo, ZOO_DIR } from '../data';
import { field, int, model, node, value } from './proto';

const array = tensorFrom('float32', [2], [1, 2]);
const zip = (...names: string[]) => zipSync(Object.fromEntries(names.map((name) => [name, strToU8('x')])));
const latin = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'));

/** A header of JSON behind its length in eight bytes, then the weights. */
function safetensors(header: string): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(16)]);
}

test.each<[what: RegExp, advice: RegExp, bytes: Uint8Array]>([
  [/TensorFlow Lite/, /tf2onnx.*--tflite/, latin('\x1c\0\0\0TFL3\x14\0\0\0')],
  [/ORT format/, /ONNX file/, latin('\x20\0\0\0ORTM\x14\0\0\0')],
  [/HDF5/, /Keras/, latin('\x89HDF\r\n\x1a\n')],
  [/Keras file/, /format="onnx"/, zip('metadata.json', 'config.json', 'model.weights.h5')],
  [/PyTorch file/, /torch\.onnx\.export/, zip('archive/data.pkl', 'archive/data/0')],
  [/pickle/, /torch\.onnx\.export/, latin('\x80\x02}q\0X')],
  [/safetensors/, /without a network/, safetensors('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}')],
  [/safetensors/, /torch\.onnx\.export/, safetensors('{"__metadata__":{}}')],
  [/\.npz/, /--data/, writeNpz(new Map([['x', array]]))],
  [/NumPy array/, /--data/, formatNpy(array)],
  [/zip file/, /Unpack/, zip('readme.txt')],
  [/gzip/, /Unpack/, gzipSync(strToU8('model'))],
  [/JSON file/, /ONNX model or a plan/, strToU8('{ "a": 1 }')],
  [/JSON file/, /--recipe/, strToU8('\n{ "steps": [] }')],
  [/JSON file/, /ONNX model/, strToU8('[1, 2]')],
  [/GGUF/, /ONNX/, strToU8('GGUF\x03')],
  [/XML/, /ONNX/, strToU8('<?xml version="1.0"?>')],
  [/picture/, /--data/, latin('\x89PNG\r\n')],
  [/picture/, /--input/, latin('\xff\xd8\xff\xe0')],
])('%s', (what, advice, bytes) => {
  expect(foreignFormat(bytes)).toMatchObject({
    what: expect.stringMatching(what),
    advice: expect.stringMatching(advice),
  });
  expect(() => readModel(bytes, { path: 'm' })).toThrow(
    expect.objectContaining({
      code: 'E_MODEL_FORMAT',
      message: expect.stringMatching(/^m is an? .*, not an ONNX model$/),
    }),
  );
});

const ports = [value(11, 'x'), value(12, 'y')];
test.each<[name: string, bytes: Uint8Array]>([
  ['a model', model([node('Relu', ['x'], ['y']), ...ports])],
  [
    'a model whose maker is called TFL3',
    Buffer.concat([field(2, 'TFL3'), model([node('Relu', ['x'], ['y']), ...ports])]),
  ],
  ['a model that begins with its graph', Buffer.concat([field(7, field(2, 'g')), int(1, 8)])],
  ['nothing', new Uint8Array()],
  ['a few bytes', Uint8Array.of(8, 7)],
  ['text', strToU8('this is no model')],
])('%s is not foreign', (_name, bytes) => {
  expect(foreignFormat(bytes)).toBeUndefined();
});

const onnxIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.onnx'));

describeWithData('real models', () => {
  test('are not foreign', () => {
    const names = onnxIn(dataPath('models'));
    expect(names.length).toBeGreaterThanOrEqual(10);
    for (const name of names) expect(foreignFormat(readFileSync(dataPath('models', name)))).toBeUndefined();
  });
});

describeWithCases('cases', () => {
  test('are not foreign', () => {
    for (const name of onnxIn(casePath(''))) expect(foreignFormat(readFileSync(casePath(name)))).toBeUndefined();
  });
});

describeWithZoo('networks that people ship', () => {
  test('are known by their first bytes', () => {
    const names = readdirSync(ZOO_DIR);
    const lite = names.filter((name) => name.endsWith('.tflite'));
    expect(lite.length).toBeGreaterThan(0);
    for (const name of lite)
      expect(foreignFormat(readFileSync(join(ZOO_DIR, name)))?.what).toBe('a TensorFlow Lite file');
    for (const name of names.filter((other) => other.endsWith('.onnx')))
      expect(foreignFormat(readFileSync(join(ZOO_DIR, name)))).toBeUndefined();
  });
});
