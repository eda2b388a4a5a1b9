/** Operators that multiply and accumulate, also those whose cost Hone does not know. */
export const MAC_OPERATORS: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvTranspose', 'MatMul', 'Gemm', 'LSTM', 'GRU', 'RNN', 'Einsum', 'DeformConv', 'Attention'],
  ...['QLinearConv', 'QLinearMatMul', 'ConvInteger', 'MatMulInteger'],
]);
