import { dirname, join, relative, resolve, sep } from 'node:path';
import { type Artifact, type ModelArtifact, openArtifact } from './artifact';

/** Metadata key under which Hone notes the float model that an artifact was made from. */
const SOURCE_KEY = 'hone.source';

/** The float model behind a compressed one. */
interface SourceNote {
  /** Path relative to the artifact's folder, `/` between parts. */
  readonly file: string;
  /** SHA-256 of that file. */
  readonly sha256: string;
}

/**
 * Metadata for something that is made from `model` and will be written to `target`: points at the float model. A quantized
 * model hands on its own note; empty when it has none.
 */
export function sourceMetadata(model: ModelArtifact, target: string): Readonly<Record<string, string>> {
  const note = model.quantized ? readNote(model) : { file: model.path, sha256: model.hash };
  if (note === undefined) return {};
  const path = model.quantized ? sourcePath(model, note) : resolve(model.path);
  const file = relative(dirname(resolve(target)), path)
    .split(sep)
    .join('/');
  return { [SOURCE_KEY]: JSON.stringify({ file, sha256: note.sha256 } satisfies SourceNote) };
}

/**
 * The float model that an artifact was made from: the file that its metadata names, when that file is there and unchanged;
 * the artifact itself when it is float and names none. Otherwise the reason why there is none.
 */
export async function findSource(artifact: Artifact): Promise<ModelArtifact | { readonly reason: string }> {
  const note = readNote(artifact);
  if (note === undefined && artifact.kind === 'model' && !artifact.quantized) return artifact;
  if (note === undefined) return { reason: `${artifact.path} does not say from which float model it was made` };
  const path = sourcePath(artifact, note);
  try {
    const source = await openArtifact(path);
    if (source.hash !== note.sha256) return { reason: `the float model ${path} has changed since` };
    return source.kind === 'model' ? source : { reason: `${path} is not a model` };
  } catch (error) {
    return { reason: `the float model cannot be read: ${(error as Error).message}` };
  }
}

/** Path of the float model as the artifact's metadata gives it, relative to the artifact. */
export function notedSource(artifact: Artifact): string | undefined {
  return readNote(artifact)?.file;
}

function sourcePath(artifact: Artifact, { file }: SourceNote): string {
  return join(dirname(resolve(artifact.path)), file);
}

/** The note of an artifact; undefined when there is none or it is not ours. */
function readNote(artifact: Artifact): SourceNote | undefined {
  const text =
    artifact.kind === 'plan' ? artifact.description.metadata[SOURCE_KEY] : artifact.graph.metadata.get(SOURCE_KEY);
  try {
    const { file, sha256 } = JSON.parse(String(text)) as Partial<SourceNote>;
    return typeof file === 'string' && typeof sha256 === 'string' ? { file, sha256 } : undefined;
  } catch {
    return undefined;
  }
}
