import { HoneError } from '../../core/error';
import type { ServedModel } from './served-model';

/** The models that are served, by name and version. */
export class ServedModels {
  private readonly models = new Map<string, ServedModel>();

  /** All of them, in the order in which they came. */
  all(): readonly ServedModel[] {
    return [...this.models.values()];
  }

  add(model: ServedModel): void {
    this.models.set(key(model.settings.name, model.settings.version), model);
  }

  has(name: string, version: string): boolean {
    return this.models.has(key(name, version));
  }

  /** Takes a version out; undefined when it is not there. */
  remove(name: string, version: string): ServedModel | undefined {
    const model = this.models.get(key(name, version));
    this.models.delete(key(name, version));
    return model;
  }

  /** Versions of a model that are served, the newest first. */
  versions(name: string): readonly ServedModel[] {
    return this.all()
      .filter(({ settings }) => settings.name === name)
      .sort((a, b) => compareVersions(b.settings.version, a.settings.version));
  }

  /** A version of a model; the newest when none is named. @throws E_MODEL_UNKNOWN */
  find(name: string, version: string | undefined): ServedModel {
    const versions = this.versions(name);
    const found = version === undefined ? versions[0] : versions.find(({ settings }) => settings.version === version);
    if (found !== undefined) return found;
    const known = this.all().map(({ settings }) => `${settings.name} version ${settings.version}`);
    throw new HoneError('E_MODEL_UNKNOWN', {
      model: version === undefined ? name : `${name} version ${version}`,
      known: known.join(', ') || 'none',
    });
  }
}

function key(name: string, version: string): string {
  return `${name}\0${version}`;
}

/** Versions in the order of their numbers. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
