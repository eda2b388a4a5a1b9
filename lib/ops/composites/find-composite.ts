import { attention } from './attention';
import { channelsLastPool, quantizedConv, quantizedPool } from './channels-last';
import type { Composite } from './composite';
import { einsum } from './einsum';
import {
  biasedGelu,
  biasSoftmax,
  blockedLayout,
  embedLayerNormalization,
  fusedConv,
  fusedGemm,
  fusedMatMul,
  quantizedEmbedLayerNormalization,
  quickGelu,
  simplifiedLayerNormalization,
  skipNormalization,
  standard,
  swish,
} from './fused-layers';
import { gatherBlockQuantized } from './gather-block-quantized';
import { groupQueryAttention } from './group-query-attention';
import {
  convInteger,
  dynamicQuantizeLinear,
  dynamicQuantizeLstm,
  dynamicQuantizeMatMul,
  matMulInteger,
  matMulIntegerToFloat,
  matMulNBits,
} from './integer-products';
import { microsoftAttention, multiHeadAttention, quantizedAttention } from './microsoft-attention';
import { microsoftRotaryEmbedding, rotaryEmbedding } from './rotary-embedding';

/** Operators that are made of others, by domain. */
export const COMPOSITES: Readonly<Record<string, Readonly<Record<string, Composite>>>> = {
  '': {
    Attention: attention,
    ConvInteger: convInteger,
    DynamicQuantizeLinear: dynamicQuantizeLinear,
    Einsum: einsum,
    MatMulInteger: matMulInteger,
    RotaryEmbedding: rotaryEmbedding,
    SimplifiedLayerNormalization: simplifiedLayerNormalization,
    Swish: swish,
  },
  'com.microsoft': {
    Attention: microsoftAttention,
    BiasGelu: biasedGelu('none'),
    BiasSoftmax: biasSoftmax,
    DequantizeLinear: standard('DequantizeLinear'),
    DynamicQuantizeLSTM: dynamicQuantizeLstm,
    DynamicQuantizeMatMul: dynamicQuantizeMatMul,
    EmbedLayerNormalization: embedLayerNormalization,
    FastGelu: biasedGelu('tanh'),
    FusedConv: fusedConv,
    FusedGemm: fusedGemm,
    FusedMatMul: fusedMatMul,
    GatherBlockQuantized: gatherBlockQuantized,
    Gelu: biasedGelu('none'),
    GroupQueryAttention: groupQueryAttention,
    MatMulIntegerToFloat: matMulIntegerToFloat,
    MatMulNBits: matMulNBits,
    MultiHeadAttention: multiHeadAttention,
    NhwcMaxPool: channelsLastPool,
    QAttention: quantizedAttention,
    QEmbedLayerNormalization: quantizedEmbedLayerNormalization,
    QLinearAveragePool: quantizedPool('AveragePool'),
    QLinearConv: quantizedConv,
    QLinearGlobalAveragePool: quantizedPool('GlobalAveragePool'),
    QuantizeLinear: standard('QuantizeLinear'),
    QuickGelu: quickGelu,
    RotaryEmbedding: microsoftRotaryEmbedding,
    SkipLayerNormalization: skipNormalization('LayerNormalization'),
    SkipSimplifiedLayerNormalization: skipNormalization('RMSNormalization'),
    TransposeMatMul: fusedMatMul,
    Trilu: standard('Trilu'),
  },
  'com.microsoft.nchwc': Object.fromEntries(
    [
      'AveragePool',
      'Conv',
      'GlobalAveragePool',
      'GlobalMaxPool',
      'MaxPool',
      'ReorderInput',
      'ReorderOutput',
      'Upsample',
    ].map((op) => [op, blockedLayout]),
  ),
};

/** How an operator is made of others; undefined for one that is not. */
export function findComposite(domain: string, op: string): Composite | undefined {
  const row = COMPOSITES[domain === 'ai.onnx' ? '' : domain];
  return row !== undefined && Object.hasOwn(row, op) ? row[op] : undefined;
}
