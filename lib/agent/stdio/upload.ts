import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoneError } from '../../core/error';

/** What a file system says that has no room. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Bytes that stay free on a board whatever is sent to it. */
const RESERVE_BYTES = 1 << 20;

/** A blob that arrives: a file to which bytes are added in their order, hashed as they come. */
export class Upload {
  readonly sha256: string;
  private readonly path: string;
  private readonly file: FileHandle;
  private readonly letGo: () => void;
  private hash: Hash;
  private length: number;
  private last: Promise<unknown> = Promise.resolve();

  private constructor(sha256: string, path: string, file: FileHandle, letGo: () => void, hash: Hash, length: number) {
    this.sha256 = sha256;
    this.path = path;
    this.file = file;
    this.letGo = letGo;
    this.hash = hash;
    this.length = length;
  }

  /** Goes on with what has arrived. @param letGo called once when it is over */
  static async open(sha256: string, path: string, letGo: () => void): Promise<Upload> {
    // No link of anybody's leads the bytes elsewhere.
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    try {
      const hash = createHash('sha256');
      let length = 0;
      const chunk = Buffer.alloc(1 << 20);
      for (;;) {
        const { bytesRead } = await file.read(chunk, 0, chunk.length, length);
        if (bytesRead === 0) break;
        hash.update(chunk.subarray(0, bytesRead));
        length += bytesRead;
      }
      return new Upload(sha256, path, file, letGo, hash, length);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Adds bytes behind those that have arrived; at 0 it begins anew. @throws E_BLOB_OFFSET, E_DISK_FULL, E_FILE_WRITE */
  put(offset: number, size: number, bytes: Uint8Array): Promise<void> {
    return this.inTurn(async () => {
      if (offset === 0 && this.length > 0) {
        await this.file.truncate();
        this.length = 0;
        this.hash = createHash('sha256');
      }
      if (offset !== this.length)
        throw new HoneError('E_BLOB_OFFSET', { sha256: this.sha256, expected: this.length, found: offset });
      if (offset === 0) await this.requireRoom(size);
      await this.append(bytes);
    });
  }

  /** Gives it its name once it is what it should be and safe. @throws E_BLOB_DIGEST, E_DISK_FULL, E_FILE_WRITE */
  commit(target: string): Promise<void> {
    return this.inTurn(async () => {
      const found = this.hash.copy().digest('hex');
      if (found !== this.sha256) {
        await rm(this.path, { force: true });
        throw new HoneError('E_BLOB_DIGEST', { expected: this.sha256, found });
      }
      await this.guarded(async () => {
        await this.file.sync();
        await chmod(this.path, 0o400);
        await rename(this.path, target);
        const folder = await open(dirname(target), 'r');
        await folder.sync().finally(() => folder.close());
      });
    });
  }

  /** Ends it after what is under way; what has arrived stays. */
  async close(): Promise<void> {
    await this.inTurn(() => this.file.close());
    this.letGo();
  }

  private async append(bytes: Uint8Array): Promise<void> {
    await this.guarded(async () => {
      for (let done = 0; done < bytes.length; ) {
        const rest = bytes.length - done;
        done += (await this.file.write(bytes, done, rest, this.length + done)).bytesWritten;
      }
    });
    this.hash.update(bytes);
    this.length += bytes.length;
  }

  /** What does not fit is told before it is sent. */
  private async requireRoom(size: number): Promise<void> {
    const { bavail, bsize } = await statfs(this.path);
    const free = bavail * bsize;
    if (size + RESERVE_BYTES <= free) return;
    const reason = `it has ${size} bytes, and ${free} are free, of which ${RESERVE_BYTES} stay so`;
    throw new HoneError('E_DISK_FULL', { path: this.path, reason });
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // Part of a write may have come through, of which the hash knows nothing.
      await this.file.truncate(this.length).catch(() => {});
      const { code, message } = error as NodeJS.ErrnoException;
      const kind = NO_ROOM.has(String(code)) ? 'E_DISK_FULL' : 'E_FILE_WRITE';
      throw new HoneError(kind, { path: this.path, reason: message }, { cause: error });
    }
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => {});
    return turn;
  }
}
