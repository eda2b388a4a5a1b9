import { parseOutputSpec } from '../../../lib/core/output-spec';
import { type DecodeContext, type Decoded, decodeOutputs } from '../../../lib/core/outputs/decode-outputs';

/** An output of these extents. */
export type Output = readonly [name: string, dims: readonly number[], data: readonly number[]];

/** What outputs mean by the JSON of a spec. */
export function decoded<Kind extends Decoded['kind']>(
  spec: { readonly kind: Kind; readonly [key: string]: unknown },
  outputs: readonly Output[],
  context?: DecodeContext,
): Extract<Decoded, { kind: Kind }> {
  const arrays = new Map(outputs.map(([name, dims, data]) => [name, { dims, data }]));
  return decodeOutputs(parseOutputSpec(spec), arrays, context) as Extract<Decoded, { kind: Kind }>;
}

/** Expects that a spec is refused, in such words. */
export function expectRefusal(decodes: () => unknown, message: RegExp): void {
  expect(decodes).toThrow(expect.objectContaining({ code: 'E_OPTION_VALUE', message: expect.stringMatching(message) }));
}

/** Numbers as close as 64-bit arithmetic makes them. */
export function close(numbers: readonly number[]): unknown[] {
  return numbers.map((value) => (Number.isNaN(value) ? value : expect.closeTo(value, 9)));
}
