import { attribute } from '../../ir/attribute';
import { type CompositeContext, needed } from './composite';

/** ONNX Swish-24: `x * sigmoid(alpha * x)` (Ramachandran et al. 2017). */
export function swish(context: CompositeContext): readonly string[] {
  return [gated(context, needed(context, 0), attribute(context.node, 'alpha', 'float', 1))];
}

function gated({ f }: CompositeContext, x: string, alpha: number): string {
  return f('Mul', x, f('Sigmoid', alpha === 1 ? x : f('Mul', x, alpha)));
}
