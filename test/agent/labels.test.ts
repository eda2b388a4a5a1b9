import { type Agent, startAgent } from '../../lib/agent/agent';
import { classLabels } from '../../lib/agent/front/class-labels';
import { compile } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import { prepare } from '../../lib/passes/pipeline';
import { send } from './served';

const SPEC = JSON.stringify({ kind: 'classes', output: 'y', labels: ['cat', 'dog', 'bird'] });

/** other = x, y = -x of three numbers; the spec says that y are classes. */
function plan(): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('x', 'float32', [1, 3]);
  b.output(b.node('Abs', [x], {}, { outputs: ['other'] }), 'float32', [1, 3]);
  b.output(b.node('Neg', [x], {}, { outputs: ['y'] }), 'float32', [1, 3]);
  const { graph } = prepare(b.build());
  const noted = { ...graph, metadata: new Map([...graph.metadata, ['hone.outputs', SPEC]]) };
  return compile(noted, { sourceHash: 'ef'.repeat(32) }).plan;
}

let agent: Agent;
beforeAll(async () => {
  agent = await startAgent({ model: 'pets', plan: plan() });
});
afterAll(() => agent.close());

test('classes are told with their names where the plan has them', async () => {
  const asked = (name: string) => ({ name, parameters: { classification: 2 } });
  const body = JSON.stringify({
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [3, -2, 1] }],
    outputs: [asked('y'), asked('other')],
  });
  expect((await send(agent.url, '/v2/models/pets/infer', { body })).json()).toMatchObject({
    outputs: [
      { name: 'y', data: ['2.000000:1:dog', '-1.000000:2:bird'] },
      { name: 'other', data: ['3.000000:0', '2.000000:1'] },
    ],
  });
});

test('the configuration of a model has what its plan notes', async () => {
  const { parameters } = (await send(agent.url, '/v2/models/pets/config')).json() as {
    parameters: Record<string, { string_value: string }>;
  };
  expect(JSON.parse(parameters['hone.outputs'].string_value)).toEqual(JSON.parse(SPEC));
  expect(parameters.threads).toEqual({ string_value: '1' });
});

test.each([
  [{}, [undefined, undefined]],
  [{ 'hone.outputs': '{"kind":"classes","labels":["a"]}' }, [['a'], undefined]],
  [{ 'hone.outputs': '{"kind":"classes","output":"v","labels":["a"]}' }, [undefined, ['a']]],
  [{ 'hone.outputs': '{"kind":"boxes","labels":["a"]}' }, [undefined, undefined]],
  [{ 'hone.outputs': '{"kind":"classes","labels":[1]}' }, [undefined, undefined]],
  [{ 'hone.outputs': 'null' }, [undefined, undefined]],
  [{ 'hone.outputs': '{' }, [undefined, undefined]],
])('%j', (metadata, expected) => {
  expect(classLabels(metadata as Record<string, string>, ['u', 'v'])).toEqual(expected);
});
