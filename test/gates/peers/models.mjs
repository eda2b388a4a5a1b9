// The models that peers ask, made here, each with inputs and what the engine itself gives for them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const load = createRequire(import.meta.url);
const { compile } = load('../../../dist/lib/compile/compile.js');
const { openSession } = load('../../../dist/lib/engine/session.js');
const { GraphBuilder } = load('../../../dist/lib/ir/builder.js');
const { readModel } = load('../../../dist/lib/onnx/read-model.js');
const { narrowPorts } = load('../../../dist/lib/passes/narrow-ports.js');
const { prepare } = load('../../../dist/lib/passes/pipeline.js');
const { slowPlan, trivialPlan } = load('../../../dist/bench/agent/networks.js');
const { dataPath } = load('../../../dist/test/data.js');
const { tinyPlan, A, B } = load('../../../dist/test/agent/served.js');

/** Six values of each type of ports, its least and greatest among them; float16 as its bits. */
const VALUES = {
  FP32: ['float32', Float32Array.of(-0, 1e-45, -3.4028234663852886e38, 0.1, 1 / 3, 1e20)],
  FP16: ['float16', Uint16Array.of(0x3c00, 0x8001, 0x7bff, 0xfbff, 0x8000, 0x3555)],
  INT64: ['int64', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n, 0n, -1n, 7n)],
  INT32: ['int32', Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, -1, 7, 99)],
  INT8: ['int8', Int8Array.of(-128, 127, 0, -1, 7, 99)],
  UINT8: ['uint8', Uint8Array.of(0, 255, 128, 1, 7, 99)],
  BOOL: ['bool', Uint8Array.of(0, 1, 1, 0, 1, 0)],
};

/** Rows that requests to `rows` may share. */
const ROWS = 4;

const compiled = (graph) => compile(graph, { sourceHash: 'ef'.repeat(32) }).plan;

/** Turns [2, 3] of every type: x_FP32 to y_FP32, and so on. */
function typesPlan() {
  const b = new GraphBuilder();
  const narrow = [];
  for (const [datatype, [type]] of Object.entries(VALUES)) {
    const wide = type === 'float16' ? 'float32' : type;
    const [x, y] = [`x_${datatype}`, `y_${datatype}`];
    b.output(b.node('Transpose', [b.input(x, wide, [2, 3])], { perm: [1, 0] }, { outputs: [y] }), wide, [3, 2]);
    if (type === 'float16') narrow.push(x, y);
  }
  return compiled(narrowPorts(prepare(b.build(), { verify: true }).graph, new Set(narrow)));
}

/** y = -x of [rows, 3], classes with names. */
function petsPlan(rows) {
  const b = new GraphBuilder();
  b.output(b.node('Neg', [b.input('x', 'float32', [rows, 3])], {}, { outputs: ['y'] }), 'float32', [rows, 3]);
  const { graph } = prepare(b.build());
  const spec = JSON.stringify({ kind: 'classes', output: 'y', labels: ['cat', 'dog', 'bird'] });
  return compiled({ ...graph, metadata: new Map([...graph.metadata, ['hone.outputs', spec]]) });
}

/**
 * Writes plans and their catalogue into a folder.
 * @returns what peers may ask of it: model, inputs, and the outputs that the engine gives for these, bytes in base64
 */
export function writeModels(folder) {
  const wave = (length) => Float32Array.from({ length }, (_, index) => Math.sin(index));
  const models = [
    { name: 'tiny', plan: tinyPlan(), inputs: { a: A, b: B } },
    {
      name: 'types',
      plan: typesPlan(),
      inputs: Object.fromEntries(Object.entries(VALUES).map(([datatype, [, values]]) => [`x_${datatype}`, values])),
    },
    { name: 'pets', plan: petsPlan(1), inputs: { x: Float32Array.of(3, -2, 1) } },
    { name: 'rows', plan: petsPlan(ROWS), inputs: { x: wave(3 * ROWS) }, batch: true },
    { name: 'slow', plan: slowPlan(20), inputs: { x: wave(384) }, queue: 64 },
    { name: 'trivial', plan: trivialPlan(), inputs: { x: wave(3 * 112 * 112) } },
  ];
  const mnist = dataPath('models', 'mnist-8.onnx');
  if (existsSync(mnist)) {
    const { graph } = prepare(readModel(readFileSync(mnist)));
    models.push({ name: 'mnist', plan: compiled(graph), inputs: { [graph.inputs[0]]: wave(28 * 28) } });
  } else console.log('without mnist-8: the test data is not there');
  mkdirSync(folder, { recursive: true });
  const catalogue = models.map(({ name, batch = false, queue = 64 }) => ({ name, plan: `${name}.plan`, batch, queue }));
  writeFileSync(join(folder, 'catalogue.json'), JSON.stringify({ models: catalogue }));
  for (const { name, plan } of models) writeFileSync(join(folder, `${name}.plan`), plan);
  return models.map(askedOf);
}

function askedOf({ name, plan, inputs }) {
  const session = openSession(plan);
  try {
    const outputs = session.run(inputs);
    return { model: name, inputs: tensors(session.inputs, inputs), outputs: tensors(session.outputs, outputs) };
  } finally {
    session.close();
  }
}

const DATATYPES = Object.fromEntries(Object.entries(VALUES).map(([datatype, [type]]) => [type, datatype]));

function tensors(ports, values) {
  return ports.map(({ name, type, dims }) => {
    const { buffer, byteOffset, byteLength } = values[name];
    const data = Buffer.from(buffer, byteOffset, byteLength).toString('base64');
    return { name, datatype: DATATYPES[type], shape: dims, data };
  });
}
