import { comparePower, type Values } from '../../../lib/compress/quantize/measure-quality';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { tensorFrom, toNumbers } from '../../../lib/ir/tensor';
import { NetworkBuilder } from './networks';

/** x [1, 2] through a layer of 2 to `width`: a sample and its result take 8 + 4 * 2 bytes, the weights 12 * width. */
function compared(width: number, calls: string[]) {
  const net = new NetworkBuilder({ name: 'net' });
  net.input('x', 'float32', [1, 2]);
  const graph = net.finish(net.dense('y', 'x', 2, width));
  const values = (name: string, offset: number): Values => {
    return async (inputs) => {
      calls.push(name);
      const shifted = toNumbers(inputs.get('x')!).map((value) => value + offset);
      return new Map([['y', tensorFrom('float32', [1, 2], shifted)]]);
    };
  };
  const release = async () => void calls.push('release');
  return { graph, float: values('float', 0), quantized: values('quantized', 1), release, pairs: new Map([['y', 'y']]) };
}

test.each([
  // Three samples take 48 bytes.
  [
    'before the other runs, where the values take less room than the weights',
    5,
    'float float float release quantized quantized quantized',
  ],
  ['last, where they take more', 1, 'float quantized float quantized float quantized release'],
  ['after the values that found room', 2, 'float float quantized quantized float quantized release'],
])('the float network is released %s', async (_, width, order) => {
  const samples = new Map([['x', tensorFrom('float32', [3, 2], [1, 2, 3, 4, 5, 6])]]);
  const dataset = datasetFromTensors('samples', samples);
  const calls: string[] = [];
  const { release, ...networks } = compared(width, calls);
  const power = await comparePower({ ...networks, releaseFloat: release }, dataset, {});
  expect(calls.join(' ')).toBe(order);
  expect(power).toEqual(new Map([['y', { signal: 91, noise: 6 }]]));
  calls.length = 0;
  expect(await comparePower(networks, dataset, {})).toEqual(power);
  expect(calls.join(' ')).toBe('float quantized float quantized float quantized');
});
