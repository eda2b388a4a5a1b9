import { asHoneError, HoneError } from '../../core/error';
import type { RepositoryEntry } from '../../protocol/agent-status';
import type { PlacedPlan } from '../../protocol/supervisor-frames';
import type { Repository } from '../front/repository';
import { compareVersions } from '../front/served-models';
import { type Catalogue, type CatalogueEntry, modelKey } from './catalogue';

/** Where what is to be served is served. */
export interface ModelHost {
  /** Serves a version; answers when it can be asked. @throws what opening its plan throws */
  load(entry: CatalogueEntry): Promise<void>;
  unload(name: string, version: string): Promise<void>;
  /** Of a host that outlives its supervisor, and may be away when that begins. */
  readonly lasting?: LastingHost;
}

/** What a supervisor that comes back asks of a host. */
export interface LastingHost {
  /** Serves these and no others. */
  retain(entries: readonly CatalogueEntry[]): Promise<void>;
  /** Serves a version, as it did before if it can; does not wait until it can be asked. @throws what preparing it throws */
  resume(entry: CatalogueEntry): Promise<void>;
  /** Why versions that it is to serve cannot be asked now, by `modelKey`. */
  faults(): Promise<ReadonlyMap<string, string>>;
}

/** Owns which plans are served: a catalogue remembers it, a host does it. One change at a time. */
export class Supervisor implements Repository {
  private readonly catalogue: Catalogue;
  private readonly host: ModelHost;
  /** Versions that the host serves, and why others do not. */
  private readonly served = new Map<string, CatalogueEntry>();
  private readonly faults = new Map<string, string>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(catalogue: Catalogue, host: ModelHost) {
    this.catalogue = catalogue;
    this.host = host;
  }

  /**
   * Serves what is to be served; a version that cannot be is told of by `index`, and does not keep the others.
   * @throws what reading the catalogue throws
   */
  recover(): Promise<void> {
    return this.inTurn(async () => {
      const entries = (await this.catalogue.entries()).filter(({ loaded }) => loaded);
      const { lasting } = this.host;
      await lasting?.retain(entries);
      const begin = (entry: CatalogueEntry) => lasting?.resume(entry) ?? this.host.load(entry);
      for (const entry of entries) await this.serve(entry, begin).catch(() => {});
    });
  }

  async index(): Promise<readonly RepositoryEntry[]> {
    const faults = await this.host.lasting?.faults();
    return (await this.known()).map((entry) => {
      const { name, version, loaded } = entry;
      const key = modelKey(entry);
      const isServed = this.served.has(key);
      const fault = isServed ? faults?.get(key) : (this.faults.get(key) ?? (loaded ? 'loading' : 'unloaded'));
      return { name, version, state: fault === undefined ? 'READY' : 'UNAVAILABLE', reason: fault ?? '' };
    });
  }

  load(model: string, version?: string): Promise<void> {
    return this.inTurn(async () => {
      const entry = await this.find(model, version);
      const isNew = !this.served.has(modelKey(entry));
      await this.serve(entry);
      try {
        await this.catalogue.setLoaded(entry.name, entry.version, true);
      } catch (error) {
        // What is refused must not be half done.
        if (isNew) await this.drop(entry);
        throw error;
      }
    });
  }

  /**
   * Serves a plan from now on, in the place of what is served under its name and version; that is served on when anything fails.
   * @throws E_CATALOGUE, what opening its plan throws, what writing the catalogue throws
   */
  place(plan: PlacedPlan): Promise<void> {
    return this.inTurn(async () => {
      const { catalogue, host } = this;
      const entry: CatalogueEntry = { ...plan, loaded: true };
      catalogue.check?.(entry);
      const key = modelKey(entry);
      const before = this.served.get(key);
      await host.load({ ...entry, plan: await catalogue.locate(entry) });
      try {
        await catalogue.put?.(entry);
      } catch (error) {
        // What is refused must not be half done.
        if (before === undefined) await host.unload(entry.name, entry.version);
        else await host.load({ ...before, plan: await catalogue.locate(before) });
        throw error;
      }
      this.served.set(key, entry);
      this.faults.delete(key);
    });
  }

  /** Without a version: all of them. */
  unload(model: string, version?: string): Promise<void> {
    return this.inTurn(async () => {
      const entries = version === undefined ? await this.versions(model) : [await this.find(model, version)];
      for (const entry of entries) {
        await this.catalogue.setLoaded(entry.name, entry.version, false);
        this.faults.delete(modelKey(entry));
        await this.drop(entry);
      }
    });
  }

  /** Serves a version, or fails and keeps the reason. @throws what opening its plan throws */
  private async serve(entry: CatalogueEntry, begin = (found: CatalogueEntry) => this.host.load(found)): Promise<void> {
    const key = modelKey(entry);
    // A host that lasts may serve it in vain.
    if (this.served.has(key) && !(await this.host.lasting?.faults())?.has(key)) return;
    try {
      await begin({ ...entry, plan: await this.catalogue.locate(entry) });
      this.served.set(key, entry);
      this.faults.delete(key);
    } catch (error) {
      this.served.delete(key);
      this.faults.set(key, asHoneError(error).message);
      throw error;
    }
  }

  private async drop(entry: CatalogueEntry): Promise<void> {
    if (this.served.delete(modelKey(entry))) await this.host.unload(entry.name, entry.version);
  }

  /** The version named, else the newest. @throws E_MODEL_UNKNOWN */
  private async find(model: string, version: string | undefined): Promise<CatalogueEntry> {
    const entries = await this.known();
    const versions = versionsIn(entries, model);
    const found = version === undefined ? versions[0] : versions.find((entry) => entry.version === version);
    if (found !== undefined) return found;
    throw unknown(entries, `${model} version ${version}`);
  }

  /** Versions of a model. @throws E_MODEL_UNKNOWN */
  private async versions(model: string): Promise<readonly CatalogueEntry[]> {
    return versionsIn(await this.known(), model);
  }

  /** What the catalogue holds, and what is served though it holds it no more. */
  private async known(): Promise<readonly CatalogueEntry[]> {
    const entries = await this.catalogue.entries();
    const keys = new Set(entries.map(modelKey));
    return [...entries, ...[...this.served.values()].filter((entry) => !keys.has(modelKey(entry)))];
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.last.then(work, work);
    this.last = turn.catch(() => {});
    return turn;
  }
}

/** Versions of a model, the newest first. @throws E_MODEL_UNKNOWN */
function versionsIn(entries: readonly CatalogueEntry[], model: string): readonly CatalogueEntry[] {
  const versions = entries.filter(({ name }) => name === model);
  if (versions.length === 0) throw unknown(entries, model);
  return versions.sort((a, b) => compareVersions(b.version, a.version));
}

function unknown(entries: readonly CatalogueEntry[], model: string): HoneError {
  const known = entries.map(({ name, version }) => `${name} version ${version}`);
  return new HoneError('E_MODEL_UNKNOWN', { model, known: known.join(', ') || 'none' });
}
