/**
 * What a source gives, in its order, each thing read while the one before it is in use: reading, changing pictures and asking a
 * teacher then cost no time of their own where a second core is free. An error is thrown when its turn comes.
 */
export async function* readAhead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    for (;;) {
      const { value, done } = await next;
      if (done) return;
      next = iterator.next();
      // Nobody waits for it yet: without a handler its error would end the program.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await next.catch(() => {});
    await iterator.return?.();
  }
}
