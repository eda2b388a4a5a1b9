import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Artifact, type ModelArtifact, openArtifact } from './artifact';

/** Metadata key under which Hone notes the float model that an artifact was made from. */
const SOURCE_KEY = 'hone.source';

/** The float model behind a compressed one. */
interface SourceNote {
  /** Name of the file, without folders: what is made says nothing of the disk that it was made on. */
  readonly file: string;
  /** SHA-256 of that file. */
  readonly sha256: string;
}

/**
 * Metadata for something that is made from `model`: names the float model. A quantized model hands on its own note; empty when
 * it has none.
 */
export function sourceMetadata(model: ModelArtifact): Readonly<Record<string, string>> {
  const note = model.quantized ? readNote(model) : { file: basename(model.path), sha256: model.hash };
  return note === undefined ? {} : { [SOURCE_KEY]: JSON.stringify(note) };
}

/**
 * The float model that an artifact was made from: the file that its metadata names, in the artifact's folder, one above it or
 * the working folder, if it is there unchanged; the artifact itself when it is float and names none. Otherwise the reason why
 * there is none.
 */
export async function findSource(artifact: Artifact): Promise<ModelArtifact | { readonly reason: string }> {
  const note = readNote(artifact);
  if (note === undefined && artifact.kind === 'model' && !artifact.quantized) return artifact;
  if (note === undefined) return { reason: `${artifact.path} does not say from which float model it was made` };
  const reasons: string[] = [];
  for (const path of placesOf(artifact, note).filter((place) => existsSync(place))) {
    try {
      const source = await openArtifact(path);
      if (source.hash === note.sha256) return source.kind === 'model' ? source : { reason: `${path} is not a model` };
      reasons.push(`the float model ${path} has changed since`);
    } catch (error) {
      reasons.push(`the float model cannot be read: ${(error as Error).message}`);
    }
  }
  return { reason: reasons[0] ?? `the float model ${note.file} is not beside ${artifact.path} nor in a folder above` };
}

/** Where the float model may lie. */
function placesOf(artifact: Artifact, { file }: SourceNote): string[] {
  const folders = [dirname(resolve(artifact.path))];
  for (let above = dirname(folders[0]); above !== folders.at(-1); above = dirname(above)) folders.push(above);
  return [...new Set([...folders, process.cwd()])].map((folder) => join(folder, file));
}

/** File name of the float model as the artifact's metadata gives it. */
export function notedSource(artifact: Artifact): string | undefined {
  return readNote(artifact)?.file;
}

/** The note of an artifact; undefined when there is none or it is not ours. */
function readNote(artifact: Artifact): SourceNote | undefined {
  const text =
    artifact.kind === 'plan' ? artifact.description.metadata[SOURCE_KEY] : artifact.graph.metadata.get(SOURCE_KEY);
  try {
    const { file, sha256 } = JSON.parse(String(text)) as Partial<SourceNote>;
    return typeof file === 'string' && typeof sha256 === 'string' ? { file: basename(file), sha256 } : undefined;
  } catch {
    return undefined;
  }
}
