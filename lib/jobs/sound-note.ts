import { parseSoundSpec, type SoundSpec } from '../core/sound-spec';

/** Metadata key under which a file says how sound becomes its input. */
const SOUND_KEY = 'hone.sound';

/** The metadata entry of a sound spec; empty without one. */
export function soundMetadata(spec: SoundSpec | undefined): ReadonlyMap<string, string> {
  return spec === undefined ? new Map() : new Map([[SOUND_KEY, JSON.stringify(spec)]]);
}

/** The sound spec that metadata carry; undefined when they carry none that is ours. */
export function notedSound(metadata: ReadonlyMap<string, string>): SoundSpec | undefined {
  try {
    return parseSoundSpec(JSON.parse(metadata.get(SOUND_KEY) ?? ''));
  } catch {
    return undefined;
  }
}
