import { readFileSync } from 'node:fs';
import { compile } from '../../lib/compile/compile';
import { openSession } from '../../lib/engine/session';
import { prepareForEngine } from '../../lib/jobs/prepare-for-engine';
import { readModel } from '../../lib/onnx/read-model';
import { casePath, describeWithCases } from '../data';
import { HASH } from './run-case';

const description = (name: string) =>
  compile(prepareForEngine(readModel(readFileSync(casePath(`${name}.onnx`)))), { sourceHash: HASH });

describeWithCases('networks that once stayed off the engine, or crept on it', () => {
  test('x * sigmoid(x) on int8 is one table', () => {
    const { nodes } = description('silu').description.variants[0];
    expect(nodes.map(({ op }) => op).filter((op) => op === 'binary_s8' || op === 'lut_s8')).toEqual(['lut_s8']);
  });

  test('a last Sigmoid keeps nothing off', () => {
    const { nodes } = description('gemm_sigmoid').description.variants[0];
    expect(nodes.map(({ op }) => op)).toContain('unary_f32');
  });

  // On other instruction sets than this machine's: native/tools/check_kernels/check_choice.cc.
  test.each(['minus128', 'asymw3x3_64_28'])('%s: no layer on the scalar reference', (name) => {
    const session = openSession(description(name).plan, { profile: true });
    const feeds = session.inputs.map((port) => [
      port.name,
      port.type === 'float32' ? new Float32Array(port.length) : new Uint8Array(port.length),
    ]);
    session.run(Object.fromEntries(feeds));
    const kernels = session.profile().nodes.map(({ kernel }) => kernel);
    session.close();
    expect(kernels.some((kernel) => kernel.startsWith('conv_s8_'))).toBe(true);
    expect(kernels.filter((kernel) => /_s8_ref$/.test(kernel))).toEqual([]);
  });
});
