import { heldWeights } from '../../lib/plan/held-weights';
import { codedNetwork } from '../engine/coded-network';
import { smallNetwork } from '../engine/plans';

test('weights of each layer: encoding, bits, groups, bytes in the plan and decoded', () => {
  const rows = heldWeights(codedNetwork().describe()).map((w) => [
    ...[w.layer, w.op, w.encoding, w.type, w.bits, w.group, w.bytes, w.decodedBytes],
  ]);
  const [floats, bytes] = [48 * 70 * 4, 48 * 70];
  expect(rows).toEqual([
    ['scaled-4-32', 'fc_f32', 'scaled', 'float32', 4, 32, 48 * 35 + 48 * 3 * 4, floats],
    ['scaled-4-zeros', 'fc_f32', 'scaled', 'float32', 4, 64, 48 * 35 + 48 * 2 * 5, floats],
    ['scaled-8', 'fc_f32', 'scaled', 'float32', 8, 70, 48 * 70 + 48 * 4, floats],
    ['scaled-8-zeros', 'fc_f32', 'scaled', 'float32', 8, 70, 48 * 70 + 48 * 5, floats],
    ['scaled-4-5', 'fc_f32', 'scaled', 'float32', 4, 5, 48 * 35 + 48 * 14 * 4, floats],
    ['codebook-4', 'fc_f32', 'codebook', 'float32', 4, null, 48 * 35 + 16 * 4, floats],
    ['codebook-8', 'fc_f32', 'codebook', 'float32', 8, null, 48 * 70 + 256 * 4, floats],
    ['narrow', 'fc_s8', 'narrow', 'int8', 4, null, 48 * 35, bytes],
    ['narrow-zeros', 'fc_s8', 'narrow', 'int8', 4, null, 48 * 35, bytes],
    ['codebook-int8', 'fc_s8', 'codebook', 'int8', 4, null, 48 * 35 + 16, bytes],
    ['convolution', 'conv_s8', 'narrow', 'int8', 4, null, 48 * 35, bytes],
    ['rows', 'gather', 'scaled', 'float32', 8, 9, 180 + 20 * 4, 180 * 4],
  ]);
});

test('plain ones are bytes as they are', () => {
  for (const { encoding, type, bits, group, bytes, decodedBytes } of heldWeights(smallNetwork().describe())) {
    expect([encoding, type, bits, group]).toEqual(['plain', 'int8', 8, null]);
    expect(bytes).toBe(decodedBytes);
  }
  expect(heldWeights(smallNetwork().describe())).not.toHaveLength(0);
});
