import { compile } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { prepare } from '../../lib/passes/pipeline';

const SIDE = 384;

/**
 * Plan that takes some 2 ms per node and row: x [rows, 384, 1] repeated to [rows, 384, 384], times the unit matrix for each node, then
 * the mean y [rows, 1, 1].
 */
export function slowPlan(nodes: number, rows = 1): Uint8Array {
  const b = new GraphBuilder();
  const unit = Array.from({ length: SIDE * SIDE }, (_, index) => Number(index % (SIDE + 1) === 0));
  const weights = b.initializer(tensorFrom('float32', [SIDE, SIDE], unit));
  const ones = b.initializer(tensorFrom('float32', [SIDE], new Array<number>(SIDE).fill(1)));
  let value = b.node('Mul', [b.input('x', 'float32', [rows, SIDE, 1]), ones], {});
  for (let node = 0; node < nodes; node++) value = b.node('MatMul', [value, weights], {});
  const axes = b.initializer(tensorFrom('int64', [2], [1, 2]));
  b.output(b.node('ReduceMean', [value, axes], { keepdims: 1 }, { outputs: ['y'] }), 'float32', [rows, 1, 1]);
  return compile(prepare(b.build()).graph, { sourceHash: 'ef'.repeat(32) }).plan;
}

/** Plan that computes next to nothing of 150,528 bytes: the largest of x [1, 3, 112, 112]. */
export function trivialPlan(): Uint8Array {
  const b = new GraphBuilder();
  const largest = b.node('ReduceMax', [b.input('x', 'float32', [1, 3, 112, 112])], { keepdims: 1 }, { outputs: ['y'] });
  b.output(largest, 'float32', [1, 1, 1, 1]);
  return compile(prepare(b.build()).graph, { sourceHash: 'ef'.repeat(32) }).plan;
}

/** A binary request of zeros for the trivial plan. */
export function trivialRequest() {
  return binaryRequest([1, 3, 112, 112], new Float32Array(3 * 112 * 112), { binary_data_output: true });
}

/** A binary request for `rows` rows, all of `value`, with parameters. */
export function slowRequest(value: number, parameters: object = {}, rows = 1) {
  return binaryRequest([rows, SIDE, 1], new Float32Array(rows * SIDE).fill(value), parameters);
}

function binaryRequest(shape: readonly number[], data: Float32Array<ArrayBuffer>, parameters: object) {
  const input = { name: 'x', datatype: 'FP32', shape, parameters: { binary_data_size: data.byteLength } };
  const json = Buffer.from(JSON.stringify({ inputs: [input], parameters }));
  return {
    headers: { 'inference-header-content-length': String(json.length) },
    body: Buffer.concat([json, Buffer.from(data.buffer)]),
  };
}
