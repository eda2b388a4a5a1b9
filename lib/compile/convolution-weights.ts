/** How the weights of a convolution lie in a plan. */
export interface ConvolutionWeights {
  /** One input channel per group and one output channel for it: the engine has kernels of its own for this. */
  readonly depthwise: boolean;
  /** Output channels. */
  readonly outputs: number;
  /** Extents in the plan: [O, KH, KW, I/g], depthwise [KH, KW, C]. */
  readonly dims: readonly number[];
  /** Weights in ONNX order [O, I/g, KH, KW] brought into plan order. */
  arrange<T extends Int8Array | Float32Array>(weights: T, Type: new (length: number) => T): T;
}

/** Layout of weights with ONNX extents [O, I/g, KH, KW]. */
export function convolutionWeights(
  [outputs, inputs, kernelH, kernelW]: readonly [number, number, number, number],
  groups: number,
): ConvolutionWeights {
  const depthwise = inputs === 1 && groups === outputs && groups > 1;
  const taps = kernelH * kernelW;
  return {
    depthwise,
    outputs,
    dims: depthwise ? [kernelH, kernelW, outputs] : [outputs, kernelH, kernelW, inputs],
    arrange(weights, Type) {
      const arranged = new Type(weights.length);
      for (let o = 0; o < outputs; o++)
        for (let i = 0; i < inputs; i++)
          for (let t = 0; t < taps; t++)
            arranged[depthwise ? t * outputs + o : (o * taps + t) * inputs + i] = weights[(o * inputs + i) * taps + t];
      return arranged;
    },
  };
}
