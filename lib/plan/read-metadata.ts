import { HoneError } from '../core/error';
import { layoutOf } from './format';
import { readRecord } from './record';

/**
 * The metadata of a plan file whose form somebody has checked, without the rest of it.
 * @param read bytes of the file from a place on
 * @throws E_PLAN_FORMAT when they are not JSON
 */
export function readPlanMetadata(
  read: (offset: number, bytes: number) => Uint8Array,
): Readonly<Record<string, unknown>> {
  const { bytes: headerBytes } = layoutOf('header');
  const head = read(0, headerBytes);
  const { metadata } = readRecord(new DataView(head.buffer, head.byteOffset, head.byteLength), 'header', 0);
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(read(metadata.offset, metadata.count)));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {}
  throw new HoneError('E_PLAN_FORMAT', { reason: 'the metadata are no JSON object' });
}
