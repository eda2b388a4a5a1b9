/** A file of another program: what it is, in words that follow "is", and what to do with it. */
export interface ForeignFormat {
  readonly what: string;
  readonly advice: string;
}

const EXPORT = 'load it in its framework and export it with `torch.onnx.export(model, example, "model.onnx")`.';

/** Formats by their first bytes: the text at an offset. */
const MAGIC: readonly (ForeignFormat & { readonly at: number; readonly text: string })[] = [
  {
    at: 4,
    text: 'TFL3',
    what: 'a TensorFlow Lite file',
    advice: 'Convert it with tf2onnx: `python -m tf2onnx.convert --tflite FILE --output model.onnx`.',
  },
  {
    at: 4,
    text: 'ORTM',
    what: 'a model in the ORT format of onnxruntime',
    advice: 'Give the ONNX file that it was made from.',
  },
  {
    at: 0,
    text: '\x89HDF',
    what: 'an HDF5 file, as Keras writes',
    advice: 'Load it with Keras and export it: `model.export("model.onnx", format="onnx")`.',
  },
  {
    at: 0,
    text: 'GGUF',
    what: 'a GGUF file',
    advice: 'Give the network as ONNX; GGUF files hold language models for other programs.',
  },
  { at: 0, text: '\x93NUMPY', what: 'a NumPy array', advice: 'Samples go to --data, --calibration or --input.' },
  { at: 0, text: '\x1f\x8b', what: 'a gzip file', advice: 'Unpack it first.' },
  { at: 0, text: '\x89PNG', what: 'a picture', advice: 'Samples go to --data, --calibration or --input.' },
  { at: 0, text: '\xff\xd8\xff', what: 'a picture', advice: 'Samples go to --data, --calibration or --input.' },
  {
    at: 0,
    text: '<?xml',
    what: 'an XML file, as OpenVINO writes',
    advice: 'Give the ONNX file that it was made from.',
  },
];

/** Contents of zip files, by a name that stands near their beginning. */
const ZIPPED: readonly (ForeignFormat & { readonly name: RegExp })[] = [
  {
    name: /data\.pkl|\.data\/|\/version/,
    what: 'a PyTorch file',
    advice: `Weights and pickled objects are no network: ${EXPORT}`,
  },
  { name: /\.npy/, what: 'an .npz file of arrays', advice: 'Samples go to --data, --calibration or --input.' },
  {
    name: /metadata\.json|config\.json|model\.weights/,
    what: 'a Keras file',
    advice: 'Load it with Keras and export it: `model.export("model.onnx", format="onnx")`.',
  },
];

/** What a file is that is no ONNX model, when its first bytes tell; undefined when they do not. */
export function foreignFormat(bytes: Uint8Array): ForeignFormat | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4096)).toString('latin1');
  const known = MAGIC.find(({ at, text }) => head.startsWith(text, at));
  if (known !== undefined) return known;
  if (head.startsWith('PK\x03\x04'))
    return ZIPPED.find(({ name }) => name.test(head)) ?? { what: 'a zip file', advice: 'Unpack it first.' };
  if (isSafetensors(head, bytes.length))
    return { what: 'a safetensors file', advice: `It holds weights without a network: ${EXPORT}` };
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5)
    return {
      what: 'a Python pickle, as older PyTorch writes',
      advice: `Weights and pickled objects are no network: ${EXPORT}`,
    };
  if (/^\s*[{[]/.test(head)) return jsonFormat(head);
  return undefined;
}

/** A header of JSON behind its length in eight bytes. */
function isSafetensors(head: string, length: number): boolean {
  if (head.length < 10 || !/^[{]["}\s]/.test(head.slice(8))) return false;
  const size = [...head.slice(0, 8)].reduce((sum, char, index) => sum + char.charCodeAt(0) * 256 ** index, 0);
  return size >= 2 && size + 8 <= length;
}

function jsonFormat(head: string): ForeignFormat {
  if (/"steps"|"recipe"|"goal"/.test(head))
    return { what: 'a JSON file', advice: 'A recipe goes to `hone compress MODEL --recipe FILE`.' };
  return { what: 'a JSON file', advice: 'Give an ONNX model or a plan of Hone.' };
}
