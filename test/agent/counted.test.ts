import { startAgent } from '../../lib/agent/agent';
import { compile } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import { prepare } from '../../lib/passes/pipeline';
import { INFER, send } from './served';

/** x [2, 3]: the places that are not 0, in two types. */
function plan(): Uint8Array {
  const b = new GraphBuilder();
  const places = b.node('NonZero', [b.input('x', 'float32', [2, 3])], {}, { outputs: ['places'] });
  b.output(places);
  b.output(b.node('Cast', [places], { to: 1 }, { outputs: ['floats'] }));
  return compile(prepare(b.build()).graph, { sourceHash: 'cd'.repeat(32) }).plan;
}

test('an agent answers with the extents that the run decided', async () => {
  await using agent = await startAgent({ model: 'tiny', plan: plan() });
  expect((await send(agent.url, '/v2/models/tiny')).json()).toMatchObject({
    outputs: [
      { name: 'places', datatype: 'INT64', shape: [2, -1] },
      { name: 'floats', datatype: 'FP32', shape: [2, -1] },
    ],
  });
  for (const [data, rows, columns] of [
    [
      [0, 7, 0, 0, 0, -1],
      [0, 1],
      [1, 2],
    ],
    [
      [1, 1, 1, 1, 1, 1],
      [0, 0, 0, 1, 1, 1],
      [0, 1, 2, 0, 1, 2],
    ],
    [[0, 0, 0, 0, 0, 0], [], []],
  ] as const) {
    const places = [...rows, ...columns];
    const inputs = [{ name: 'x', datatype: 'FP32', shape: [2, 3], data }];
    const shape = [2, rows.length];
    expect((await send(agent.url, INFER, { body: JSON.stringify({ inputs }) })).json()).toMatchObject({
      outputs: [
        { name: 'places', shape, data: places },
        { name: 'floats', shape, data: places },
      ],
    });
    const body = JSON.stringify({ inputs, outputs: [{ name: 'floats', parameters: { binary_data: true } }] });
    const answer = await send(agent.url, INFER, { body });
    const length = Number(answer.headers['inference-header-content-length']);
    expect(JSON.parse(answer.body.subarray(0, length).toString())).toMatchObject({
      outputs: [{ shape, parameters: { binary_data_size: 4 * places.length } }],
    });
    expect([...new Float32Array(Uint8Array.from(answer.body.subarray(length)).buffer)]).toEqual(places);
  }
});
