import { PREPROCESS_KEY } from '../core/notes';
import type { PreprocessSpec } from '../core/preprocess';
import type { SuggestedSpec } from '../data/picture-input';

/** The metadata entry of a preprocessing; empty without one. */
export function preprocessMetadata(spec: PreprocessSpec | undefined): ReadonlyMap<string, string> {
  return spec === undefined ? new Map() : new Map([[PREPROCESS_KEY, JSON.stringify(spec)]]);
}

/**
 * What the metadata of others' files let guess: the image notes of the ONNX metadata document, and the picture size that
 * trainers of detectors write.
 */
export function suggestedSpec(metadata: ReadonlyMap<string, string>): SuggestedSpec {
  const size = /^\[(\d{1,5}), ?(\d{1,5})\]$/.exec(metadata.get('imgsz') ?? '');
  const range = metadata.get('Image.NominalPixelRange') ?? '';
  return {
    ...(size && { size: [Number(size[1]), Number(size[2])] as const }),
    ...(/^bgr/i.test(metadata.get('Image.BitmapPixelFormat') ?? '') && { channels: 'BGR' as const }),
    ...(/0_255$/.test(range) && { scale: 1 }),
  };
}
