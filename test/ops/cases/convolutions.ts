import { floats, integers, type OpCase, uniform } from '../op-case';

const image = uniform([2, 4, 9, 8]);

function conv(title: string, attributes: OpCase['attributes'], weight: readonly number[], x = image): OpCase {
  return { op: 'Conv', title, attributes, inputs: [x, uniform(weight, 2), uniform([weight[0]], 3)] };
}

function transpose(title: string, attributes: OpCase['attributes'], weight: readonly number[], x = image): OpCase {
  const filters = weight[1] * Number((attributes?.group as number | undefined) ?? 1);
  return { op: 'ConvTranspose', title, attributes, inputs: [x, uniform(weight, 2), uniform([filters], 3)] };
}

function quantized(title: string, perFilter: boolean, type: 'uint8' | 'int8', zero: number): OpCase {
  const [low, high] = type === 'uint8' ? [0, 255] : [-128, 127];
  const scales = perFilter ? floats([0.011, 0.02, 0.007, 0.013, 0.05]) : floats([0.02], []);
  const zeros = integers('int8', perFilter ? [5] : [], 0, 0);
  return {
    op: 'QLinearConv',
    title,
    tolerance: 0,
    attributes: { pads: [1, 1, 1, 1], strides: [2, 1] },
    inputs: [
      integers(type, [2, 3, 7, 6], low, high),
      floats([0.03], []),
      integers(type, [], zero, zero),
      integers('int8', [5, 3, 3, 3], -127, 127, 2),
      scales,
      zeros,
      floats([0.4], []),
      integers(type, [], zero - 3, zero - 3),
      integers('int32', [5], -4000, 4000, 4),
    ],
  };
}

/** Conv, ConvTranspose and QLinearConv in all forms of windows. */
export const CONVOLUTIONS: readonly OpCase[] = [
  conv('plain', {}, [5, 4, 3, 3]),
  { op: 'Conv', title: 'without bias', inputs: [image, uniform([5, 4, 1, 1], 2)] },
  conv('uneven pads and strides', { pads: [1, 0, 2, 3], strides: [2, 3] }, [5, 4, 3, 2]),
  conv('dilation', { dilations: [2, 3], pads: [2, 2, 2, 2] }, [5, 4, 3, 3]),
  conv('groups', { group: 2 }, [6, 2, 3, 3]),
  conv('depthwise', { group: 4, pads: [1, 1, 1, 1] }, [4, 1, 3, 3]),
  conv('depthwise with multiplier', { group: 4, strides: [2, 2] }, [8, 1, 3, 3]),
  conv('SAME_UPPER', { auto_pad: 'SAME_UPPER', strides: [2, 3] }, [3, 4, 4, 4]),
  conv('SAME_LOWER', { auto_pad: 'SAME_LOWER', strides: [2, 3] }, [3, 4, 4, 4]),
  conv('VALID', { auto_pad: 'VALID', strides: [2, 2], kernel_shape: [4, 3] }, [3, 4, 4, 3]),
  conv('one spatial axis', { pads: [2, 1], strides: [2] }, [5, 3, 4], uniform([2, 3, 11])),
  conv('three spatial axes', { pads: [1, 0, 1, 0, 1, 1] }, [2, 3, 2, 3, 2], uniform([2, 3, 4, 5, 3])),
  conv(
    'three spatial axes, strides and dilations',
    { pads: [2, 1, 0, 1, 0, 1], strides: [2, 1, 2], dilations: [2, 1, 1] },
    [2, 3, 2, 3, 2],
    uniform([2, 3, 5, 5, 4]),
  ),
  conv('three spatial axes, groups', { group: 2, pads: [1, 1, 1, 1, 1, 1] }, [6, 2, 3, 3, 3], uniform([1, 4, 4, 3, 5])),
  conv('three spatial axes, depthwise', { group: 4 }, [4, 1, 2, 2, 2], uniform([2, 4, 4, 3, 5])),
  conv('three spatial axes, one by one', {}, [6, 3, 1, 1, 1], uniform([2, 3, 4, 3, 5])),
  conv(
    'three spatial axes, SAME_UPPER',
    { auto_pad: 'SAME_UPPER', strides: [2, 2, 1] },
    [3, 2, 3, 2, 3],
    uniform([1, 2, 5, 4, 3]),
  ),
  transpose('plain', {}, [4, 5, 3, 3]),
  transpose(
    'strides, pads and output padding',
    { strides: [2, 3], pads: [1, 0, 2, 1], output_padding: [1, 2] },
    [4, 3, 3, 4],
  ),
  transpose('groups and dilation', { group: 2, dilations: [2, 1] }, [4, 3, 3, 2]),
  transpose('SAME_UPPER', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, [4, 2, 3, 3]),
  transpose('SAME_LOWER', { auto_pad: 'SAME_LOWER', strides: [2, 2] }, [4, 2, 3, 3]),
  transpose('output shape', { output_shape: [18, 17], strides: [2, 2] }, [4, 2, 3, 3]),
  transpose('strides of the kernel', { strides: [3, 2] }, [4, 5, 3, 2]),
  transpose('strides beyond the kernel', { strides: [3, 4], output_padding: [2, 1] }, [4, 3, 2, 1]),
  transpose('strides, groups', { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }, [4, 3, 4, 4]),
  transpose('strides of the kernel, groups', { group: 2, strides: [2, 2] }, [4, 3, 2, 2]),
  transpose('depthwise', { group: 4, strides: [2, 2], pads: [1, 1, 0, 1] }, [4, 1, 4, 3]),
  transpose('depthwise with multiplier', { group: 4, strides: [2, 1] }, [4, 2, 3, 3]),
  transpose('strides and dilations', { strides: [2, 3], dilations: [3, 2], pads: [2, 0, 1, 1] }, [4, 2, 3, 4]),
  transpose('strides and dilations with a common factor', { strides: [4, 2], dilations: [2, 2] }, [4, 2, 3, 3]),
  transpose('pads beyond the kernel', { strides: [2, 1], pads: [5, 3, 0, 1] }, [4, 2, 2, 2]),
  transpose(
    'three spatial axes',
    { strides: [2, 1, 2], pads: [1, 0, 1, 0, 1, 0], output_padding: [1, 0, 0] },
    [3, 2, 3, 2, 3],
    uniform([2, 3, 3, 4, 2]),
  ),
  transpose(
    'three spatial axes, strides of the kernel',
    { strides: [2, 2, 2] },
    [2, 3, 2, 2, 2],
    uniform([1, 2, 3, 2, 4]),
  ),
  transpose(
    'three spatial axes, groups and dilations',
    { group: 2, strides: [3, 1, 1], dilations: [2, 1, 2] },
    [4, 2, 2, 2, 2],
    uniform([2, 4, 2, 3, 3]),
  ),
  transpose(
    'three spatial axes, strides beyond the kernel',
    { strides: [3, 2, 2] },
    [2, 1, 2, 1, 1],
    uniform([1, 2, 3, 2, 2]),
  ),
  transpose('one spatial axis, stride of the kernel', { strides: [2] }, [3, 2, 2], uniform([2, 3, 5])),
  transpose('one spatial axis', { strides: [3] }, [3, 2, 4], uniform([2, 3, 5])),
  quantized('uint8, one scale', false, 'uint8', 120),
  quantized('uint8, scale per filter', true, 'uint8', 7),
  quantized('int8, scale per filter', true, 'int8', -5),
];
