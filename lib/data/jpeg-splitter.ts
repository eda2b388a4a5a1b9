import type { FrameSplitter, Piece } from './frame-splitter';

/** Larger pictures are broken: no length in a stream is trusted with more memory. */
const MAX_BYTES = 2 ** 26;

/** Least room for what is held. */
const LEAST_BYTES = 2 ** 18;

const [SOI, EOI, SOS] = [0xd8, 0xd9, 0xda];

/**
 * Cuts a stream of JPEG pictures (MJPEG) at their first and last markers, ITU-T T.81 annex B. Segments are skipped by their
 * lengths, so that pictures inside of them (thumbnails) count for nothing; a picture that the next one cuts off, or whose
 * segments do not follow each other, is broken, and the search goes on behind it. Whatever lies between pictures is foreign.
 */
export class JpegSplitter implements FrameSplitter {
  foreignBytes = 0;
  /** What is held: from the start of the picture, or where the search stands, on. */
  private held = new Uint8Array(0);
  private filled = 0;
  /** Where `held` begins in the stream. */
  private base = 0;
  /** Up to where `held` is read. */
  private next = 0;
  private state: 'between' | 'segments' | 'scan' = 'between';
  /** Where the last segment began: what is read of it may be no picture at all. */
  private segment = 0;

  get restBytes(): number {
    const begun = this.state !== 'between' || (this.filled > 1 && this.held[1] === SOI);
    return begun ? this.filled : 0;
  }

  push(chunk: Uint8Array): Piece[] {
    this.append(chunk);
    const pieces: Piece[] = [];
    for (;;) {
      const piece = this.state === 'between' ? this.seek() : this.read();
      if (piece === 'more') break;
      if (piece !== 'on') pieces.push(piece);
    }
    return pieces;
  }

  private append(chunk: Uint8Array): void {
    if (this.filled + chunk.length > this.held.length) {
      const larger = new Uint8Array(Math.max(LEAST_BYTES, 2 * (this.filled + chunk.length)));
      larger.set(this.held.subarray(0, this.filled));
      this.held = larger;
    }
    this.held.set(chunk, this.filled);
    this.filled += chunk.length;
  }

  /** Lets go of the first bytes. */
  private drop(count: number): void {
    // Moved to the front only when there is no room behind: a stream of broken pictures must not cost a move for each.
    this.held = this.held.subarray(count);
    this.filled -= count;
    this.base += count;
    this.next = 0;
  }

  /** Looks for the start of a picture: its first marker, and the first byte of another. */
  private seek(): 'more' | 'on' {
    const { held, filled } = this;
    let at = held.subarray(0, filled).indexOf(0xff);
    while (at >= 0 && at + 2 < filled && !(held[at + 1] === SOI && held[at + 2] === 0xff))
      at = indexFrom(held, at + 1, filled);
    const skipped = at < 0 ? filled : at;
    this.foreignBytes += skipped;
    this.drop(skipped);
    if (this.filled < 3) return 'more';
    this.next = 2;
    this.segment = 2;
    this.state = 'segments';
    return 'on';
  }

  /** Reads on in a picture, marker by marker. */
  private read(): Piece | 'more' | 'on' {
    const { held, filled } = this;
    if (this.next >= MAX_BYTES) return this.broken(`it is larger than ${MAX_BYTES} bytes`, MAX_BYTES);
    if (this.state === 'scan') {
      const at = indexFrom(held, this.next, filled);
      this.next = at < 0 ? filled : at;
      if (this.next >= MAX_BYTES) return 'on';
      if (at < 0 || at + 1 >= filled) return 'more';
      // Coded data has such bytes stuffed; restarts belong to it.
      if (held[at + 1] === 0 || isAlone(held[at + 1])) {
        this.next = at + 2;
        return 'on';
      }
      this.segment = at;
      this.state = 'segments';
    }
    if (this.next + 1 >= filled) return 'more';
    const [mark, code] = held.subarray(this.next, this.next + 2);
    // Smaller codes are reserved: no length that follows them means anything.
    if (mark !== 0xff || (code < 0xc0 && !isAlone(code)))
      return this.broken(`byte ${this.next} is ${hex(mark)} ${hex(code)} where a marker was expected`, this.segment);
    // Any number of such bytes may stand before a marker.
    if (code === 0xff) {
      this.next++;
      return 'on';
    }
    if (code === SOI) return this.broken(`the next picture begins at byte ${this.next}`, this.next);
    if (code === EOI) return this.finish(this.next + 2);
    if (isAlone(code)) {
      this.next += 2;
      return 'on';
    }
    if (this.next + 3 >= filled) return 'more';
    const length = 256 * held[this.next + 2] + held[this.next + 3];
    if (length < 2) return this.broken(`the segment at byte ${this.next} has a length of ${length}`, this.next + 2);
    this.segment = this.next;
    const end = this.next + 2 + length;
    if (end > filled) return 'more';
    this.next = end;
    if (code === SOS) this.state = 'scan';
    return 'on';
  }

  private finish(end: number): Piece {
    const piece = { at: this.base, bytes: this.held.slice(0, end) };
    this.drop(end);
    this.state = 'between';
    return piece;
  }

  /** A picture that is none: the search goes on at `from`. */
  private broken(reason: string, from: number): Piece {
    const piece = { at: this.base, reason };
    this.drop(from);
    this.state = 'between';
    return piece;
  }
}

/** Markers without a segment: restarts, and one that means nothing. */
function isAlone(code: number): boolean {
  return (code >= 0xd0 && code <= 0xd7) || code === 0x01;
}

function indexFrom(bytes: Uint8Array, from: number, end: number): number {
  const at = bytes.indexOf(0xff, from);
  return at >= 0 && at < end ? at : -1;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
