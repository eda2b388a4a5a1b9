import type { LayerOf } from '../layer';
import { moveView, plainView, type View } from '../view';
import { compareViews } from './compare-views';
import { elementConstant } from './element-bits';
import { movingFamily } from './moving';
import { partOf } from './result';

/** A value as it is, and a look at what the plan takes for granted. */
export const requireFamily = movingFamily<'require'>(['require'], look);

function look(layer: LayerOf<'require'>, x: View): View {
  const { node, call, program } = layer;
  const source = program.dense(x);
  const { type, count, quantization } = source.buffer;
  const buffer = program.buffer(node.outputs[0], type, count, quantization);
  const dims = [count];
  const result = partOf({ program, name: node.name, value: node.outputs[0], extents: [] }, 'holds');
  const condition = { ...program.rowMajor(layer.plain(1)), dims: [] };
  const wrong = plainView(elementConstant(program, `${node.name}:false`, 'bool', 0), []);
  const holds = call.value ? condition : compareViews(result, 'equal', [condition, wrong]);
  program.emit({
    name: node.name,
    op: 'require',
    outputs: [{ buffer, dims }],
    inputs: [
      { buffer: source.buffer, dims },
      { buffer: holds.buffer, dims: [] },
    ],
  });
  return moveView(source, buffer);
}
