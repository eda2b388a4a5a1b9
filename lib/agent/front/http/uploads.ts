import type { IncomingMessage, ServerResponse } from 'node:http';
import { HoneError } from '../../../core/error';
import { expectsContinue } from './head';

/** Bytes of the largest element. */
const ALIGNMENT = 8;

/** A body that is arriving. */
interface Upload {
  bytes: number;
  readonly stop: (error: HoneError) => void;
}

/**
 * Bodies of requests that are arriving, all together within one budget of memory. They hold no place in any queue; where they are
 * too much, those that have been arriving for longest are refused.
 */
export class Uploads {
  private readonly budget: number;
  /** In the order in which they began. */
  private readonly active = new Set<Upload>();
  private bytes = 0;

  /** @param budget bytes of all bodies that have not arrived whole */
  constructor(budget: number) {
    this.budget = budget;
  }

  get count(): number {
    return this.active.size;
  }

  /**
   * The whole body of a request, in memory where its byte number `alignedAt` is aligned for elements of every type. `watch` is
   * given what is to be called when the rest of it will not come; a client that waits to be told is told to send it.
   * @throws E_REQUEST_SIZE as soon as more than `limit` bytes are announced or read; E_REQUEST_SLOW; E_REQUEST_FORMAT when it breaks off
   */
  read(
    { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
    limit: number,
    alignedAt: number,
    watch: (fail: (error: HoneError) => void) => void,
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const tooLarge = () => new HoneError('E_REQUEST_SIZE', { limit });
      if (Number(request.headers['content-length'] ?? 0) > limit) return reject(tooLarge());
      const chunks: Buffer[] = [];
      const upload: Upload = { bytes: 0, stop: (error) => end(() => reject(error)) };
      const end = (tell: () => void) => {
        if (!this.active.delete(upload)) return;
        this.bytes -= upload.bytes;
        request.off('data', take);
        tell();
      };
      const take = (chunk: Buffer) => {
        upload.bytes += chunk.length;
        this.bytes += chunk.length;
        if (upload.bytes > limit) return upload.stop(tooLarge());
        chunks.push(chunk);
        this.keepBudget();
      };
      const broken = () => upload.stop(new HoneError('E_REQUEST_FORMAT', { reason: 'the body breaks off' }));
      this.active.add(upload);
      watch(upload.stop);
      if (expectsContinue(request)) response.writeContinue();
      request.on('data', take);
      request.on('end', () => end(() => resolve(join(chunks, upload.bytes, alignedAt))));
      request.on('error', broken);
      request.on('close', broken);
    });
  }

  /** Refuses all that are still arriving. */
  stop(error: HoneError): void {
    for (const upload of this.active) upload.stop(error);
  }

  private keepBudget(): void {
    while (this.bytes > this.budget) {
      const [oldest] = this.active;
      oldest.stop(
        new HoneError('E_REQUEST_SLOW', {
          reason: `the bodies that are arriving have ${this.budget} bytes together`,
        }),
      );
    }
  }
}

/** The chunks as one, in memory of their own. */
function join(chunks: readonly Buffer[], bytes: number, alignedAt: number): Uint8Array {
  const start = (ALIGNMENT - (alignedAt % ALIGNMENT)) % ALIGNMENT;
  const whole = new Uint8Array(start + bytes);
  let position = start;
  for (const chunk of chunks) {
    whole.set(chunk, position);
    position += chunk.length;
  }
  return whole.subarray(start);
}
