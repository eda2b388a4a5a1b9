import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { type Images, Layers } from './layers';

const CLASSES = 10;

/** A network from x [N, 3, size, size] to the softmax of ten classes. */
function classifier(seed: number, size: number, draw: (l: Layers, x: Images) => Images): Graph {
  const l = new Layers(seed);
  l.classify(draw(l, l.images(size)), CLASSES);
  return l.b.build();
}

/** MobileNetV1 (Howard et al. 2017), table 1, an eighth as wide. */
export function mobileNetV1(): Graph {
  const blocks = [
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
    [256, 1],
    [512, 2],
    ...Array(5).fill([512, 1]),
    [1024, 2],
    [1024, 1],
  ];
  return classifier(1, 64, (l, x) =>
    blocks.reduce(
      (y, [channels, stride]) => {
        const deep = l.relu6(l.conv(y, y.channels, { kernel: 3, stride, groups: y.channels }));
        return l.relu6(l.conv(deep, channels / 8));
      },
      l.relu6(l.conv(x, 8, { kernel: 3, stride: 2 })),
    ),
  );
}

interface Bottleneck {
  readonly kernel: number;
  readonly expanded: number;
  readonly channels: number;
  readonly stride: number;
  readonly act: (x: Images) => Images;
  /** Squeeze and excitation. */
  readonly gate?: boolean;
}

/** The inverted residual of MobileNetV2, V3 and EfficientNet. */
function bottleneck(l: Layers, x: Images, { kernel, expanded, channels, stride, act, gate }: Bottleneck): Images {
  const wide = expanded === x.channels ? x : act(l.conv(x, expanded));
  const deep = act(l.conv(wide, expanded, { kernel, stride, groups: expanded }));
  const y = l.conv(gate ? excite(l, deep) : deep, channels, { gain: 0.7 });
  return stride === 1 && channels === x.channels ? l.add(x, y) : y;
}

function excite(l: Layers, x: Images): Images {
  const squeezed = l.relu(l.conv(l.apply('GlobalAveragePool', x), Math.max(4, x.channels >> 2), { gain: 0 }));
  return l.multiply(
    x,
    l.apply('HardSigmoid', l.conv(squeezed, x.channels, { gain: 0 }), { alpha: { kind: 'float', value: 1 / 6 } }),
  );
}

/** MobileNetV2 (Sandler et al. 2018), table 2, a quarter as wide. */
export function mobileNetV2(): Graph {
  const groups = [
    [1, 4, 1, 1],
    [6, 6, 2, 2],
    [6, 8, 3, 2],
    [6, 16, 4, 2],
    [6, 24, 3, 1],
    [6, 40, 3, 2],
    [6, 80, 1, 1],
  ];
  return classifier(2, 64, (l, x) =>
    l.relu6(l.conv(repeated(l, l.relu6(l.conv(x, 8, { kernel: 3, stride: 2 })), groups), 64)),
  );
}

/** Groups of bottlenecks: expansion, channels, how many, stride of the first, kernel. */
function repeated(l: Layers, x: Images, groups: readonly (readonly number[])[]): Images {
  const act = (y: Images) => l.relu6(y);
  return groups.reduce((first, [factor, channels, count, stride, kernel = 3]) => {
    let y = first;
    for (let i = 0; i < count; i++)
      y = bottleneck(l, y, { kernel, expanded: y.channels * factor, channels, stride: i === 0 ? stride : 1, act });
    return y;
  }, x);
}

/** MobileNetV3-Small (Howard et al. 2019), table 2, half as wide. */
export function mobileNetV3(): Graph {
  const rows: readonly (readonly [
    kernel: number,
    expanded: number,
    channels: number,
    gate: boolean,
    hard: boolean,
    stride: number,
  ])[] = [
    [3, 8, 8, true, false, 2],
    [3, 36, 12, false, false, 2],
    [3, 44, 12, false, false, 1],
    [5, 48, 20, true, true, 2],
    [5, 120, 20, true, true, 1],
    [5, 120, 20, true, true, 1],
    [5, 60, 24, true, true, 1],
    [5, 72, 24, true, true, 1],
    [5, 144, 48, true, true, 2],
    [5, 288, 48, true, true, 1],
    [5, 288, 48, true, true, 1],
  ];
  return classifier(3, 64, (l, x) => {
    const hardSwish = (y: Images) => l.apply('HardSwish', y);
    const first = hardSwish(l.conv(x, 8, { kernel: 3, stride: 2 }));
    const y = rows.reduce(
      (y, [kernel, expanded, channels, gate, hard, stride]) =>
        bottleneck(l, y, { kernel, expanded, channels, stride, gate, act: hard ? hardSwish : (z) => l.relu(z) }),
      first,
    );
    return hardSwish(l.conv(y, 288));
  });
}

/** EfficientNet-Lite0 (Tan and Le 2019, without gates and with ReLU6), a quarter as wide. */
export function efficientNetLite(): Graph {
  const groups = [
    [1, 4, 1, 1, 3],
    [6, 6, 2, 2, 3],
    [6, 10, 2, 2, 5],
    [6, 20, 3, 2, 3],
    [6, 28, 3, 1, 5],
    [6, 48, 4, 2, 5],
    [6, 80, 1, 1, 3],
  ];
  return classifier(4, 64, (l, x) =>
    l.relu6(l.conv(repeated(l, l.relu6(l.conv(x, 8, { kernel: 3, stride: 2 })), groups), 96)),
  );
}

/** ResNet-18 or ResNet-50 (He et al. 2015), an eighth as wide. */
export function resNet(depth: 18 | 50): Graph {
  const counts = depth === 18 ? [2, 2, 2, 2] : [3, 4, 6, 3];
  return classifier(depth, 64, (l, x) => {
    let y = l.maxPool(l.relu(l.conv(x, 8, { kernel: 7, stride: 2 })), 3, 2);
    for (const [stage, count] of counts.entries())
      for (let i = 0; i < count; i++) {
        const width = 8 << stage;
        const stride = stage > 0 && i === 0 ? 2 : 1;
        const channels = depth === 18 ? width : 4 * width;
        const inner =
          depth === 18
            ? l.relu(l.conv(y, width, { kernel: 3, stride }))
            : l.relu(l.conv(l.relu(l.conv(y, width)), width, { kernel: 3, stride }));
        const last = l.conv(inner, channels, { kernel: depth === 18 ? 3 : 1, gain: 0.5 });
        const same = stride === 1 && y.channels === channels;
        y = l.relu(l.add(last, same ? y : l.conv(y, channels, { stride })));
      }
    return y;
  });
}

/** ShuffleNetV2 (Ma et al. 2018), table 5, a third as wide as 1x. */
export function shuffleNetV2(): Graph {
  return classifier(5, 64, (l, x) => {
    let y = l.maxPool(l.relu(l.conv(x, 8, { kernel: 3, stride: 2 })), 3, 2);
    for (const [width, count] of [
      [40, 4],
      [80, 8],
      [160, 4],
    ])
      for (let i = 0; i < count; i++) y = shuffle(l, shuffleUnit(l, y, width / 2, i === 0 ? 2 : 1));
    return l.relu(l.conv(y, 128));
  });
}

function shuffleUnit(l: Layers, x: Images, half: number, stride: number): Images {
  const deep = (y: Images) => l.conv(y, y.channels, { kernel: 3, stride, groups: y.channels });
  const branch = (y: Images) => l.relu(l.conv(deep(l.relu(l.conv(y, half))), half));
  if (stride === 2) return l.concat(l.relu(l.conv(deep(x), half)), branch(x));
  const [kept, other] = l.halves(x);
  return l.concat(kept, branch(other));
}

/** Channels of two halves one by one, by reshapes as torch writes them. */
function shuffle(l: Layers, x: Images): Images {
  const { b } = l;
  const shape = b.node('Shape', [x.value]);
  const [batch, height, width] = [
    [0, 1],
    [2, 3],
    [3, 4],
  ].map(([from, to]) => b.node('Slice', [shape, l.ints(from), l.ints(to)]));
  const grouped = b.node('Concat', [batch, l.ints(2, x.channels / 2), height, width], { axis: 0 });
  const turned = b.node('Transpose', [b.node('Reshape', [x.value, grouped])], { perm: [0, 2, 1, 3, 4] });
  const back = b.node('Concat', [batch, l.ints(x.channels), height, width], { axis: 0 });
  return { ...x, value: b.node('Reshape', [turned, back]) };
}

/** DenseNet (Huang et al. 2017) of 4 blocks, BatchNormalization before each convolution, growth 8. */
export function denseNet(): Graph {
  return classifier(6, 64, (l, x) => {
    const normalized = (y: Images, channels: number, kernel = 1) =>
      l.conv(l.relu(l.conv(y, y.channels, { kernel: 1, groups: y.channels })), channels, { kernel });
    let y = l.maxPool(l.relu(l.conv(x, 16, { kernel: 7, stride: 2 })), 3, 2);
    for (const [stage, count] of [3, 6, 8, 4].entries()) {
      for (let i = 0; i < count; i++) y = l.concat(y, normalized(normalized(y, 32), 8, 3));
      if (stage < 3) y = l.averagePool(normalized(y, y.channels / 2));
    }
    return y;
  });
}

/** U-Net (Ronneberger et al. 2015) of 4 levels; enlarges by a transposed convolution or by interpolation. One mask [N, 1, 48, 48]. */
export function uNet(enlarge: 'transposed' | 'linear' | 'nearest'): Graph {
  const l = new Layers(7);
  const twice = (x: Images, channels: number) => [0, 1].reduce((y) => l.relu(l.conv(y, channels, { kernel: 3 })), x);
  const levels: Images[] = [];
  let y = twice(l.images(48), 8);
  for (const channels of [16, 32, 64]) {
    levels.push(y);
    y = twice(l.maxPool(y, 2, 2, 0), channels);
  }
  for (const skip of levels.reverse()) {
    const large =
      enlarge === 'transposed' ? l.transposed(y, skip.channels) : l.conv(l.enlarge(y, enlarge), skip.channels);
    y = twice(l.concat(skip, large), skip.channels);
  }
  l.b.output(l.b.node('Sigmoid', [l.conv(y, 1, { gain: 0 }).value]));
  return l.b.build();
}

/**
 * A YOLOv8 detector: C2f blocks, spatial pyramid pooling, a path up and down again, decoupled heads with the distribution of
 * distances, boxes and scores joined as ultralytics exports them: [N, 4 + 3, 84].
 */
export function yolo(): Graph {
  const l = new Layers(8);
  const silu = (x: Images) => l.multiply(x, l.apply('Sigmoid', x));
  const conv = (x: Images, channels: number, kernel = 3, stride = 1) => silu(l.conv(x, channels, { kernel, stride }));
  const c2f = (x: Images, channels: number, shortcut: boolean) => {
    const [a, b] = l.halves(conv(x, channels, 1));
    const inner = conv(conv(b, b.channels), b.channels);
    return conv(l.concat(a, b, shortcut ? l.add(b, inner) : inner), channels, 1);
  };
  const pyramid = (x: Images) => {
    const first = conv(x, x.channels / 2, 1);
    const pools = [first];
    for (let i = 0; i < 3; i++) pools.push(l.maxPool(pools[i], 5, 1));
    return conv(l.concat(...pools), x.channels, 1);
  };
  const size = 64;
  const stem = c2f(conv(conv(l.images(size), 8, 3, 2), 16, 3, 2), 16, true);
  const p3 = c2f(conv(stem, 32, 3, 2), 32, true);
  const p4 = c2f(conv(p3, 48, 3, 2), 48, true);
  const p5 = pyramid(c2f(conv(p4, 64, 3, 2), 64, true));
  const up4 = c2f(l.concat(l.enlarge(p5, 'nearest'), p4), 48, false);
  const up3 = c2f(l.concat(l.enlarge(up4, 'nearest'), p3), 32, false);
  const down4 = c2f(l.concat(conv(up3, 32, 3, 2), up4), 48, false);
  const down5 = c2f(l.concat(conv(down4, 48, 3, 2), p5), 64, false);
  detectHead(l, size, [up3, down4, down5], conv);
  return l.b.build();
}

const [BINS, KINDS] = [8, 3];

function detectHead(
  l: Layers,
  size: number,
  levels: readonly Images[],
  conv: (x: Images, channels: number) => Images,
): void {
  const { b } = l;
  const extents = [8, 16, 32].map((stride) => size / stride);
  const flat = levels.map((level) => {
    const distances = l.conv(conv(level, 16), 4 * BINS, { gain: 0 });
    const scores = l.conv(conv(level, 16), KINDS, { gain: 0 });
    return b.node('Reshape', [l.concat(distances, scores).value, l.ints(0, 4 * BINS + KINDS, -1)]);
  });
  const joined = b.node('Concat', flat, { axis: 2 });
  const [distances, scores] = b.nodes('Split', [joined, l.ints(4 * BINS, KINDS)], 2, { axis: 1 });
  const bins = b.node('Transpose', [b.node('Reshape', [distances, l.ints(0, 4, BINS, -1)])], { perm: [0, 2, 1, 3] });
  const softmax = b.node('Softmax', [bins], { axis: 1 });
  const places = b.initializer(tensorOfPlaces(BINS), 'bins');
  const sides = b.node('Reshape', [b.node('Conv', [softmax, places]), l.ints(0, 4, -1)]);
  const [least, most] = [
    [0, 2],
    [2, 4],
  ].map(([from, to]) => b.node('Slice', [sides, l.ints(from), l.ints(to), l.ints(1)]));
  const { anchors, strides } = gridOf(extents);
  const centres = b.initializer(tensorFrom('float32', [1, 2, anchors.length / 2], anchors), 'anchors');
  const [low, high] = [b.node('Sub', [centres, least]), b.node('Add', [centres, most])];
  const middle = b.node('Div', [b.node('Add', [low, high]), l.scalar(2)]);
  const boxes = b.node('Concat', [middle, b.node('Sub', [high, low])], { axis: 1 });
  const scaled = b.node('Mul', [boxes, b.initializer(tensorFrom('float32', [1, strides.length], strides), 'strides')]);
  b.output(b.node('Concat', [scaled, b.node('Sigmoid', [scores])], { axis: 1 }));
}

/** Weights [1, count, 1, 1] of 0, 1, 2, ... */
function tensorOfPlaces(count: number) {
  return tensorFrom(
    'float32',
    [1, count, 1, 1],
    Array.from({ length: count }, (_, place) => place),
  );
}

/** Centres of the cells of all levels, x of all and then y, and the stride of each. */
function gridOf(extents: readonly number[]): { anchors: number[]; strides: number[] } {
  const cells = extents.flatMap((extent) =>
    Array.from({ length: extent * extent }, (_, cell) => ({
      x: (cell % extent) + 0.5,
      y: Math.floor(cell / extent) + 0.5,
      stride: (extents[0] / extent) * 8,
    })),
  );
  const anchors = [...cells.map(({ x }) => x), ...cells.map(({ y }) => y)];
  return { anchors, strides: cells.map(({ stride }) => stride) };
}
