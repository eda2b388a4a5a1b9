/** What a waiting room gives: the oldest that waits, and how many gave way since the one before. */
interface Taken<T> {
  readonly item: T;
  readonly dropped: number;
}

/**
 * Where things wait between one who brings them and one who takes them, in order. Where it is full, whoever brings more waits, or
 * all that wait give way to the newest. All at once, not the oldest alone: what follows is then whole for as long as the room
 * holds, instead of having a hole between any two.
 */
export class WaitingRoom<T> {
  private readonly places: number;
  private readonly mayWait: () => boolean;
  private waiting: T[] = [];
  private gaveWay = 0;
  private told = 0;
  private isShut = false;
  private failure: { readonly error: unknown } | undefined;
  private wake: (() => void) | undefined;
  private wakeBringer: (() => void) | undefined;

  /** `mayWait` says of a full room whether whoever brings more waits. */
  constructor(places: number, mayWait: () => boolean) {
    this.places = places;
    this.mayWait = mayWait;
  }

  get closed(): boolean {
    return this.isShut;
  }

  /** How many gave way. */
  get dropped(): number {
    return this.gaveWay;
  }

  /** Brings one more; false once nobody takes any more. */
  async put(item: T): Promise<boolean> {
    while (this.waiting.length >= this.places && !this.isShut && this.mayWait())
      await new Promise<void>((resolve) => {
        this.wakeBringer = resolve;
      });
    if (this.isShut) return false;
    if (this.waiting.length >= this.places) {
      this.gaveWay += this.waiting.length;
      this.waiting = [];
    }
    this.waiting.push(item);
    this.wake?.();
    return true;
  }

  /** The next one; undefined when there is none any more. @throws what `fail` was told */
  async take(): Promise<Taken<T> | undefined> {
    while (this.waiting.length === 0 && !this.isShut)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    if (this.failure !== undefined) throw this.failure.error;
    const item = this.waiting.shift();
    if (item === undefined) return undefined;
    const dropped = this.gaveWay - this.told;
    this.told = this.gaveWay;
    this.wakeBringer?.();
    return { item, dropped };
  }

  /** Nothing more comes; what waits may still be taken. */
  close(): void {
    this.isShut = true;
    this.wake?.();
    this.wakeBringer?.();
  }

  /** Nothing more comes, because of an error. */
  fail(error: unknown): void {
    this.failure ??= { error };
    this.close();
  }
}
