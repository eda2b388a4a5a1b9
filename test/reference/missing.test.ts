import { GraphBuilder } from '../../lib/ir/builder';
import { openReference } from '../../lib/reference/session';

jest.mock('onnxruntime-node', () => {
  throw new Error("Cannot find module 'onnxruntime-node'\nRequire stack: ...");
});

test('without the optional package there is a clear error, and only on use', async () => {
  const builder = new GraphBuilder();
  builder.output(builder.input('x', 'float32', [1]));
  await expect(openReference(builder.build())).rejects.toMatchObject({
    code: 'E_REFERENCE_MISSING',
    message: "onnxruntime-node is not installed: Cannot find module 'onnxruntime-node'",
  });
});
