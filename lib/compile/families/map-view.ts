import type { EngineFunction } from '../../ops/kernel-call';
import { moveView, type View } from '../view';
import type { Result } from './result';

/** Emits a function of every float of a view. */
export function mapView({ program, name, value }: Result, params: EngineFunction, view: View): View {
  const x = program.dense(view);
  const buffer = program.buffer(value, 'float32', x.buffer.count);
  const dims = [buffer.count];
  program.emit({
    name,
    op: 'unary_f32',
    outputs: [{ buffer, dims }],
    inputs: [{ buffer: x.buffer, dims }],
    params,
  });
  return moveView(x, buffer);
}
