/** What a stream of bytes was meant to be. */
export type StreamKind = 'raw picture' | 'mjpeg' | 'sound';

interface Signature {
  /** What begins like this. */
  readonly what: string;
  readonly begins: (bytes: Uint8Array) => boolean;
  /** What it is taken for by mistake. */
  readonly takenFor: readonly StreamKind[];
  /** How the right bytes are had. */
  readonly advice: string;
}

const ANY: readonly StreamKind[] = ['raw picture', 'mjpeg', 'sound'];
const PICTURES: readonly StreamKind[] = ['raw picture', 'mjpeg'];
const DECODE = 'Have ffmpeg decode it: `ffmpeg -i FILE -f rawvideo -pix_fmt rgb24 -`.';
const RAW_SOUND =
  'Send samples without a header: `arecord -t raw -f S16_LE -c 1`, or `ffmpeg -i FILE -f s16le -ac 1 -`.';

/** Formats whose first bytes tell them; none of them can be what was meant, or as good as none. */
const SIGNATURES: readonly Signature[] = [
  {
    what: 'a WAV file',
    begins: (bytes) => text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 12) === 'WAVE',
    takenFor: ANY,
    advice: RAW_SOUND,
  },
  ...(['fLaC', 'OggS', 'ID3'] as const).map((word) => ({
    what: `packed sound (${word})`,
    begins: (bytes: Uint8Array) => text(bytes, 0, word.length) === word,
    takenFor: ANY,
    advice: RAW_SOUND,
  })),
  {
    what: 'a video with the headers of yuv4mpegpipe',
    begins: (bytes) => text(bytes, 0, 10) === 'YUV4MPEG2 ',
    takenFor: ANY,
    advice: 'Have ffmpeg leave them out: `-f rawvideo`.',
  },
  {
    what: 'an AVI, MP4 or Matroska file',
    begins: (bytes) =>
      (text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 12) === 'AVI ') ||
      text(bytes, 4, 8) === 'ftyp' ||
      isStart(bytes, [0x1a, 0x45, 0xdf, 0xa3]),
    takenFor: ANY,
    advice: DECODE,
  },
  {
    what: 'a PNG picture',
    begins: (bytes) => isStart(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    takenFor: ANY,
    advice:
      'Use `hone run --input` for single pictures; a video of PNGs becomes raw by `ffmpeg -f rawvideo -pix_fmt rgb24`.',
  },
  {
    what: 'H.264 video',
    // A parameter set or delimiter behind a start code.
    begins: (bytes) => isStart(bytes, [0, 0, 0, 1]) && [0x67, 0x27, 0x09].includes(bytes[4]),
    takenFor: PICTURES,
    advice:
      'Ask the camera for pictures: `rpicam-vid --codec mjpeg` (--format mjpeg) or `--codec yuv420` (--format yuv420).',
  },
  {
    what: 'JPEG pictures',
    // Pixels may look like the first marker, but not like a segment that another one follows.
    begins: (bytes) =>
      isStart(bytes, [0xff, 0xd8, 0xff]) && bytes[3] >= 0xc0 && bytes[4 + 256 * bytes[4] + bytes[5]] === 0xff,
    takenFor: ['raw picture', 'sound'],
    advice: 'Say so: `--format mjpeg`.',
  },
];

/** What a stream begins as that was meant to be something else, and how to mend it; undefined when nothing speaks against it. */
export function foreignStream(start: Uint8Array, kind: StreamKind): Pick<Signature, 'what' | 'advice'> | undefined {
  return SIGNATURES.find(({ takenFor, begins }) => takenFor.includes(kind) && begins(start));
}

function isStart(bytes: Uint8Array, wanted: readonly number[]): boolean {
  return wanted.every((byte, at) => bytes[at] === byte);
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
