import type { PlanMeasurement } from '../../agent/measure/plan-measurement';
import { blobOf } from '../../boards/blob-source';
import { folderWord } from '../../boards/board-folder';
import { destinationText } from '../../boards/destination';
import type { Board } from '../../boards/inventory';
import { openLink } from '../../boards/open-link';
import { reachBoard } from '../../boards/reach-board';
import { type ProfileOptions, takeAnswer } from '../profile';

/** More than a run takes besides its seconds: energy, packing, an emulated board. */
const SPARE_MS = 300_000;
const ANSWER_BYTES = 32 << 20;

export interface BoardProfileOptions extends ProfileOptions {
  readonly onProgress?: (stage: string, done: number, total: number) => void;
}

/**
 * What a plan costs on a board, in a process of its own there; what its agent serves goes on beside it.
 * @throws what `reachBoard`, `BoardConnection.upload` and `takeAnswer` throw
 */
export async function profileOnBoard(
  { destination, folder }: Board,
  plan: Uint8Array,
  { affinity, signal, onProgress, ...request }: BoardProfileOptions,
): Promise<PlanMeasurement> {
  const link = openLink(destination);
  const watched = signal === undefined ? {} : { signal };
  try {
    const place = folder === undefined ? {} : { folder };
    const connection = await reachBoard(link, { ...place, ...watched });
    const blob = blobOf(plan);
    try {
      await connection.upload(blob, { ...watched, onProgress: ({ bytes, size }) => onProgress?.('plan', bytes, size) });
    } finally {
      connection.close();
    }
    const script = [
      `F=${folderWord(destinationText(destination), folder)}`,
      ...(affinity === undefined ? [] : [`set -- taskset -c ${affinity}`]),
      `exec "$@" "$F/hone-agent" measure "$F/blobs/sha256/${blob.sha256}"`,
    ].join('\n');
    const { code, stdout, stderr } = await link.run(script, {
      input: Buffer.from(JSON.stringify(request)),
      timeoutMs: 1000 * request.seconds + SPARE_MS,
      limitBytes: ANSWER_BYTES,
      ...watched,
    });
    return takeAnswer(stdout.toString('utf8'), stderr, `exit code ${code}`, affinity);
  } finally {
    await link.close();
  }
}
