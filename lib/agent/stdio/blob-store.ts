import { createHash } from 'node:crypto';
import { readdir, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HoneError } from '../../core/error';
import { type BlobState, BOARD_LIMITS, isDigest, type Pruned, type PutRequest } from '../../protocol/board-frames';
import type { BoardFolder } from '../board-folder';
import { holdName } from './hold-name';
import { Upload } from './upload';

/** So young blobs and parts are not pruned, in milliseconds: somebody is about to use them. */
const YOUNG_BLOB_MS = 3600_000;
const YOUNG_PART_MS = 7 * 24 * 3600_000;

/**
 * Files under the SHA-256 of their bytes, and those that arrive. Several processes may use one folder: a blob arrives over one
 * connection at a time.
 */
export class BlobStore {
  private readonly folder: BoardFolder;
  /** Of every blob that arrives over this connection: its file, and chunks that are under way. */
  private readonly uploads = new Map<string, { readonly file: Promise<Upload>; pending: number }>();

  constructor(folder: BoardFolder) {
    this.folder = folder;
  }

  async find(digests: readonly string[]): Promise<BlobState[]> {
    return Promise.all(
      digests.map(async (sha256) => {
        const bytes = await sizeOf(this.pathOf(sha256));
        return { sha256, bytes, partialBytes: bytes === null ? ((await sizeOf(this.partOf(sha256))) ?? 0) : 0 };
      }),
    );
  }

  /** @throws E_BLOB_BUSY, E_BLOB_OFFSET, E_DISK_FULL, E_FILE_WRITE, E_AGENT_BUSY */
  put({ sha256, offset, size }: PutRequest, bytes: Uint8Array): Promise<void> {
    return this.within(sha256, (upload) => upload.put(offset, size, bytes));
  }

  /** @throws E_BLOB_UNKNOWN, E_BLOB_DIGEST, E_BLOB_BUSY, E_DISK_FULL, E_FILE_WRITE */
  async commit(sha256: string): Promise<void> {
    if (!this.uploads.has(sha256)) {
      const [{ bytes, partialBytes }] = await this.find([sha256]);
      if (bytes !== null) return;
      if (partialBytes === 0) throw new HoneError('E_BLOB_UNKNOWN', { sha256 });
    }
    await this.within(sha256, async (upload) => {
      try {
        await upload.commit(this.pathOf(sha256));
      } finally {
        this.uploads.delete(sha256);
        await upload.close();
      }
    });
  }

  /** @throws E_BLOB_UNKNOWN */
  async require(sha256: string): Promise<void> {
    if ((await sizeOf(this.pathOf(sha256))) === null) throw new HoneError('E_BLOB_UNKNOWN', { sha256 });
  }

  /** Removes blobs that are not among the used ones, and parts that nobody went on with. @throws E_FILE_WRITE */
  async prune(used: ReadonlySet<string>): Promise<Pruned> {
    const { blobs, partial } = this.folder;
    const whole = await this.removeOld(blobs, YOUNG_BLOB_MS, used);
    const parts = await this.removeOld(partial, YOUNG_PART_MS, new Set(this.uploads.keys()));
    return { blobs: whole.blobs + parts.blobs, bytes: whole.bytes + parts.bytes };
  }

  /** Ends what arrives; its bytes stay. */
  async close(): Promise<void> {
    const open = [...this.uploads.values()];
    this.uploads.clear();
    for (const { file } of open) await file.then((upload) => upload.close()).catch(() => {});
  }

  /** Works on a blob that arrives; what comes after it waits, since the file is asked for in the order of the calls. */
  private async within<T>(sha256: string, work: (upload: Upload) => Promise<T>): Promise<T> {
    const upload = this.uploads.get(sha256) ?? this.begin(sha256);
    upload.pending++;
    try {
      return await work(await upload.file);
    } finally {
      upload.pending--;
    }
  }

  private begin(sha256: string): { readonly file: Promise<Upload>; pending: number } {
    this.makeRoom();
    const upload = { file: this.open(sha256), pending: 0 };
    this.uploads.set(sha256, upload);
    upload.file.catch(() => this.uploads.delete(sha256));
    return upload;
  }

  /** Lets go of a blob on which nothing works. @throws E_AGENT_BUSY where there is none */
  private makeRoom(): void {
    const { uploads: limit } = BOARD_LIMITS;
    if (this.uploads.size < limit) return;
    const [idle] = [...this.uploads].filter(([, { pending }]) => pending === 0);
    if (idle === undefined) throw new HoneError('E_AGENT_BUSY', { limit, what: 'blobs that arrive at once' });
    const [sha256, { file }] = idle;
    this.uploads.delete(sha256);
    void file.then((upload) => upload.close());
  }

  private async open(sha256: string): Promise<Upload> {
    const place = await realpath(this.folder.root);
    const name = createHash('sha256').update(`${place}\0${sha256}`).digest('hex').slice(0, 40);
    const letGo = await holdName(name);
    if (letGo === undefined) throw new HoneError('E_BLOB_BUSY', { sha256 });
    try {
      return await Upload.open(sha256, this.partOf(sha256), letGo);
    } catch (error) {
      letGo();
      throw error;
    }
  }

  private async removeOld(folder: string, youngMs: number, used: ReadonlySet<string>): Promise<Pruned> {
    const removed = { blobs: 0, bytes: 0 };
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (!isDigest(name) || used.has(name)) continue;
      const { size, mtimeMs } = await stat(path);
      if (Date.now() - mtimeMs < youngMs) continue;
      await rm(path);
      removed.blobs++;
      removed.bytes += size;
    }
    return removed;
  }

  private pathOf(sha256: string): string {
    return join(this.folder.blobs, sha256);
  }

  private partOf(sha256: string): string {
    return join(this.folder.partial, sha256);
  }
}

async function sizeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return found?.isFile() ? found.size : null;
}
