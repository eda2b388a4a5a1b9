import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { readError } from '../core/error';

/** Bytes that go to a board, under their digest. */
export interface BlobSource {
  readonly sha256: string;
  readonly size: number;
  /** Bytes from `offset` on; as many as `count`, which the blob has. */
  read(offset: number, count: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Bytes in memory, such as a plan. */
export function blobOf(bytes: Uint8Array): BlobSource {
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    size: bytes.length,
    read: async (offset, count) => bytes.subarray(offset, offset + count),
    close: async () => {},
  };
}

/** A file, which is not held in memory. @throws E_FILE_NOT_FOUND, E_FILE_FOLDER, E_FILE_ACCESS */
export async function blobOfFile(path: string): Promise<BlobSource> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { hash, size } = await digest(file);
    return {
      sha256: hash,
      size,
      read: (offset, count) => readFully(file!, offset, count),
      close: () => file!.close(),
    };
  } catch (error) {
    await file?.close();
    throw readError(path, error);
  }
}

async function digest(file: FileHandle): Promise<{ readonly hash: string; readonly size: number }> {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(1 << 20);
  for (let size = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, size);
    if (bytesRead === 0) return { hash: hash.digest('hex'), size };
    hash.update(chunk.subarray(0, bytesRead));
    size += bytesRead;
  }
}

async function readFully(file: FileHandle, offset: number, count: number): Promise<Uint8Array> {
  const bytes = Buffer.alloc(count);
  for (let done = 0; done < count; ) {
    const { bytesRead } = await file.read(bytes, done, count - done, offset + done);
    // A file that has become shorter: its digest will tell.
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes;
}
