import { HoneError } from '../core/error';
import type { BlobState, PutRequest } from '../protocol/board-frames';
import type { BlobSource } from './blob-source';

/** How far a transfer is. */
export interface UploadProgress {
  readonly sha256: string;
  /** Bytes that are there, and all. */
  readonly bytes: number;
  readonly size: number;
  /** Bytes per second of this transfer, and seconds that the rest will take; null before there is anything to go by. */
  readonly rate: number | null;
  readonly secondsLeft: number | null;
}

export interface UploadOptions {
  readonly onProgress?: (progress: UploadProgress) => void;
  readonly signal?: AbortSignal;
  /** Clock in milliseconds, for the rate. */
  readonly now?: () => number;
}

/** What an upload asks of a board. */
export interface UploadTarget {
  /** Chunks that may be under way at once, and bytes of one. */
  readonly window: number;
  readonly chunkBytes: number;
  find(sha256: string): Promise<BlobState>;
  put(request: PutRequest, bytes: Uint8Array): Promise<void>;
  commit(sha256: string): Promise<void>;
}

/**
 * Sends what is missing of a blob, so much at once that the way is never empty, and has it checked. What an earlier attempt left that
 * turns out to be wrong is sent again.
 * @returns bytes that were sent
 */
export async function uploadBlob(blob: BlobSource, options: UploadOptions, target: UploadTarget): Promise<number> {
  const { sha256, size } = blob;
  const state = await target.find(sha256);
  if (state.bytes !== null) return 0;
  const begin = state.partialBytes <= size ? state.partialBytes : 0;
  const sent = await sendFrom(begin, blob, options, target);
  try {
    await target.commit(sha256);
    return sent;
  } catch (error) {
    if (!(error instanceof HoneError) || error.code !== 'E_BLOB_DIGEST' || begin === 0) throw error;
  }
  const again = await sendFrom(0, blob, options, target);
  await target.commit(sha256);
  return sent + again;
}

async function sendFrom(
  begin: number,
  blob: BlobSource,
  options: UploadOptions,
  target: UploadTarget,
): Promise<number> {
  const { sha256, size } = blob;
  const { onProgress, signal, now = () => performance.now() } = options;
  const startMs = now();
  const underWay = new Set<Promise<void>>();
  let fault: unknown;
  let there = begin;
  const arrived = (count: number) => {
    there += count;
    const seconds = (now() - startMs) / 1000;
    const rate = seconds > 0 ? (there - begin) / seconds : null;
    onProgress?.({ sha256, bytes: there, size, rate, secondsLeft: rate ? (size - there) / rate : null });
  };
  let offset = begin;
  // Of an empty blob one empty chunk is sent.
  do {
    if (signal?.aborted) fault ??= new HoneError('E_INTERRUPTED', { what: `sending ${sha256}` });
    if (fault !== undefined) break;
    const bytes = await blob.read(offset, Math.min(target.chunkBytes, size - offset));
    const put: Promise<void> = target
      .put({ sha256, offset, size }, bytes)
      .then(
        () => arrived(bytes.length),
        (error: unknown) => {
          fault ??= error;
        },
      )
      .finally(() => underWay.delete(put));
    underWay.add(put);
    offset += bytes.length;
    if (underWay.size >= target.window) await Promise.race(underWay);
  } while (offset < size);
  await Promise.all(underWay);
  if (fault !== undefined) throw fault;
  return offset - begin;
}
