import { assignMemory } from './assign-memory';
import { areApart, composeParts, filledPart, type Part, partOfWalk } from './part';
import { type Copy, type Home, relocateStep, walkOf } from './relocate-step';
import type { Buffer, Step } from './step';

/** Most steps times copies for which the arena is weighed copy by copy. */
const MOST_WEIGHED = 250_000;

/**
 * The steps without the copies that only put buffers together, or take them apart, where whoever writes and reads the pieces takes
 * rows with gaps: then the pieces are parts of the whole from the start (Concat, Split, Slice of the last physical axis or of the
 * first). No value changes. Copies stay where the arena would grow. Buffers by id that are `lasting` stay by themselves.
 */
export function foldCopies(steps: readonly Step[], lasting: ReadonlySet<number> = new Set()): readonly Step[] {
  const copies = steps.filter(isCopy).length;
  if (copies === 0) return steps;
  const arena = (of: readonly Step[]): number => assignMemory(of, lasting).arenaBytes;
  const before = arena(steps);
  const folded = new Folding(steps, lasting).run();
  if (arena(folded) <= before) return folded;
  if (copies * steps.length > MOST_WEIGHED) return steps;
  return new Folding(steps, lasting, (result) => arena(result) <= before).run();
}

class Folding {
  private readonly homes = new Map<number, Home>();
  /** Buffers that have their home in another, by that. */
  private readonly residents = new Map<number, number[]>();
  /** Buffers in the arena whose every element one copy writes. */
  private readonly joined = new Set<number>();
  /** Steps that write a buffer, in order, and those that read or write it. */
  private readonly writers = new Map<number, number[]>();
  private readonly users = new Map<number, number[]>();
  private readonly steps: readonly Step[];
  private readonly lasting: ReadonlySet<number>;
  private readonly fits: ((result: readonly Step[]) => boolean) | undefined;

  constructor(steps: readonly Step[], lasting: ReadonlySet<number>, fits?: (result: readonly Step[]) => boolean) {
    this.steps = steps;
    this.lasting = lasting;
    this.fits = fits;
    for (const [index, { outputs, inputs }] of steps.entries()) {
      for (const { buffer } of outputs) listed(this.writers, buffer.id).push(index);
      for (const operand of [...outputs, ...inputs]) if (operand) listed(this.users, operand.buffer.id).push(index);
    }
  }

  run(): readonly Step[] {
    // The last joins first: a buffer that several join lies in the largest, of which the others are parts.
    const last = [...this.writers].sort(([, a], [, b]) => b.at(-1)! - a.at(-1)!);
    const joins = last.flatMap(([id, indices]) => {
      const copies = indices.map((index) => this.steps[index]);
      return copies.every(isCopy) && arePutTogether(copies) ? [{ id, indices, copies }] : [];
    });
    for (const { id } of joins) this.joined.add(id);
    for (const { indices, copies } of joins) this.join(indices, copies);
    for (const [index, step] of this.steps.entries()) if (isCopy(step)) this.cut(index, step);
    return this.relocate();
  }

  /** What copies put together. */
  private join(indices: readonly number[], copies: readonly Copy[]): void {
    const { buffer: whole } = copies[0].outputs[0];
    const pieces = copies.flatMap((copy, i) => {
      const { buffer } = copy.inputs[0]!;
      const part = partOfWalk(walkOf(copy, 'src'), buffer.count, copy.params.dstOffset);
      return part && this.isDone(buffer, indices[i]) ? [{ buffer, part }] : [];
    });
    if (pieces.length === copies.length && this.settle(whole, this.commonHome(pieces, whole))) return;
    for (const { buffer, part } of pieces) this.settle(buffer, { buffer: whole, part });
  }

  /** Where pieces lie as they would in `whole` already: inside another buffer. */
  private commonHome(pieces: readonly { buffer: Buffer; part: Part }[], whole: Buffer): Home | undefined {
    const homes = pieces.map(({ buffer }) => this.homes.get(buffer.id));
    const [first] = homes;
    if (first === undefined || this.homes.has(whole.id)) return undefined;
    const { row, pitch } = pieces[0].part;
    const isBlock = row === pitch;
    const part: Part = isBlock
      ? { offset: first.part.offset - pieces[0].part.offset, row: whole.count, pitch: whole.count }
      : { offset: first.part.offset - pieces[0].part.offset, row: pitch, pitch: first.part.pitch };
    if (part.offset < 0 || (!isBlock && whole.count % pitch !== 0)) return undefined;
    const same = pieces.every(({ buffer, part: inner }, i) => {
      const home = homes[i];
      const wanted = composeParts(inner, buffer.count, part, whole.count);
      return (
        home?.buffer.id === first.buffer.id &&
        wanted?.offset === home.part.offset &&
        wanted.row === home.part.row &&
        (wanted.pitch === home.part.pitch || wanted.row === buffer.count)
      );
    });
    return same ? { buffer: first.buffer, part } : undefined;
  }

  /** What a copy takes out of a buffer. */
  private cut(index: number, copy: Copy): void {
    const [{ buffer: piece }] = copy.outputs;
    const { buffer: whole } = copy.inputs[0]!;
    if (piece.place.kind !== 'arena' || whole.place.kind !== 'arena' || this.writers.get(piece.id)!.length > 1) return;
    if (this.homes.has(piece.id) || !this.isDone(whole, index)) return;
    const part = partOfWalk(walkOf(copy, 'dst'), piece.count, copy.params.srcOffset);
    if (part !== undefined) this.settle(piece, { buffer: whole, part });
  }

  /** Whether a buffer of the arena is not written any more from a step on. */
  private isDone({ id, place }: Buffer, at: number): boolean {
    return place.kind === 'arena' && (this.writers.get(id) ?? []).every((index) => index < at);
  }

  /** Gives a buffer a home, unless it has one or a step cannot take it there. */
  private settle(buffer: Buffer, home: Home | undefined): boolean {
    if (home === undefined || this.homes.has(buffer.id) || buffer.place.kind !== 'arena') return false;
    if (this.lasting.has(buffer.id)) return false;
    if (home.buffer.type !== buffer.type) return false;
    // Elements that are written twice, by a fill and what is put into it, stay by themselves.
    if (![buffer, home.buffer].every(({ id }) => this.joined.has(id) || this.writers.get(id)?.length === 1))
      return false;
    if (this.liesIn(home.buffer, buffer)) return false;
    this.homes.set(buffer.id, home);
    listed(this.residents, home.buffer.id).push(buffer.id);
    const taken = this.affected(buffer.id).every((index) => this.moved(index) !== undefined);
    if (taken && (this.fits === undefined || this.fits(this.relocate()))) return true;
    this.homes.delete(buffer.id);
    this.residents.get(home.buffer.id)!.pop();
    return false;
  }

  /** Steps that touch a buffer or what lies in it. */
  private affected(id: number): number[] {
    const within = (this.residents.get(id) ?? []).flatMap((resident) => this.affected(resident));
    return [...(this.users.get(id) ?? []), ...within];
  }

  /** A step over the homes as they are now; undefined where it cannot take them. */
  private moved(index: number): Step | 'nothing' | undefined {
    return relocateStep(this.steps[index], (buffer) => this.homeOf(buffer));
  }

  private relocate(): readonly Step[] {
    return this.steps.flatMap((_, index) => {
      const moved = this.moved(index)!;
      return moved === 'nothing' ? [] : [moved];
    });
  }

  /** Whether a buffer lies in another, through whatever homes. */
  private liesIn({ id }: Buffer, outer: Buffer): boolean {
    if (id === outer.id) return true;
    const home = this.homes.get(id);
    return home !== undefined && this.liesIn(home.buffer, outer);
  }

  /** The outermost home; null where the buffer is a part of no kind there. */
  private homeOf(buffer: Buffer): Home | undefined | null {
    const home = this.homes.get(buffer.id);
    if (home === undefined) return undefined;
    const outer = this.homeOf(home.buffer);
    if (outer === undefined || outer === null) return outer === null ? null : home;
    const part = composeParts(home.part, buffer.count, outer.part, home.buffer.count);
    return part === undefined ? null : { buffer: outer.buffer, part };
  }
}

function listed(lists: Map<number, number[]>, id: number): number[] {
  const list = lists.get(id) ?? [];
  lists.set(id, list);
  return list;
}

/** Whether copies fill parts of a buffer of the arena that are apart. */
function arePutTogether(copies: readonly Copy[]): boolean {
  const filled = copies.map((copy) => filledPart(walkOf(copy, 'dst')));
  const isArena = copies[0].outputs[0].buffer.place.kind === 'arena';
  return isArena && filled.every((a, i) => a && filled.slice(0, i).every((b) => b && areApart(a, b)));
}

function isCopy(step: Step): step is Copy {
  return step.op === 'copy_nd';
}
