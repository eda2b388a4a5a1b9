import { startAgent } from '../../lib/agent/agent';
import { compile } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import { narrowPorts } from '../../lib/passes/narrow-ports';
import { prepare } from '../../lib/passes/pipeline';
import { INFER, send } from './served';

/** y = -x of 4 numbers, float16 on both sides. */
function plan(): Uint8Array {
  const b = new GraphBuilder();
  b.output(b.node('Neg', [b.input('x', 'float32', [1, 4])], {}, { outputs: ['y'] }));
  const graph = narrowPorts(prepare(b.build(), { verify: true }).graph, new Set(['x', 'y']));
  return compile(graph, { sourceHash: 'ef'.repeat(32) }).plan;
}

test('an agent says FP16 of float16 ports, and takes and gives their bits', async () => {
  await using agent = await startAgent({ model: 'tiny', plan: plan() });
  const port = { datatype: 'FP16', shape: [1, 4] };
  expect((await send(agent.url, '/v2/models/tiny')).json()).toMatchObject({
    inputs: [{ name: 'x', ...port }],
    outputs: [{ name: 'y', ...port }],
  });
  // 1, the least subnormal number, -65504, infinity.
  const x = Uint16Array.of(0x3c00, 1, 0xfbff, 0x7c00);
  const inputs = [{ name: 'x', ...port, parameters: { binary_data_size: 8 } }];
  const json = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  const answer = await send(agent.url, INFER, {
    headers: { 'inference-header-content-length': String(json.length) },
    body: Buffer.concat([json, Buffer.from(x.buffer)]),
  });
  expect(answer.status).toBe(200);
  const length = Number(answer.headers['inference-header-content-length']);
  expect([...new Uint16Array(Uint8Array.from(answer.body.subarray(length)).buffer)]).toEqual([
    0xbc00, 0x8001, 0x7bff, 0xfc00,
  ]);
});
