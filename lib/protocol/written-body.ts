/** A body that was written: the JSON, then the bytes of each binary tensor, not joined. */
export interface WrittenBody {
  readonly chunks: readonly Uint8Array[];
  /** Bytes of all chunks. */
  readonly length: number;
  /** Bytes of the JSON, for the HTTP header of the protocol; undefined where nothing follows it. */
  readonly headerLength: number | undefined;
}

/** The body of a JSON header and the binary tensors behind it; nothing of them is copied. */
export function joinChunks(header: string, blobs: readonly Uint8Array[]): WrittenBody {
  const json = new TextEncoder().encode(header);
  return {
    chunks: [json, ...blobs],
    length: blobs.reduce((sum, { length }) => sum + length, json.length),
    headerLength: blobs.length === 0 ? undefined : json.length,
  };
}
