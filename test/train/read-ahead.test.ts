import { readAhead } from '../../lib/train/read-ahead';

const events: string[] = [];
beforeEach(() => {
  events.length = 0;
});

async function* numbers(count: number, fails = false): AsyncGenerator<number> {
  try {
    for (let i = 0; i < count; i++) {
      events.push(`read ${i}`);
      yield i;
    }
    if (fails) throw new Error('the end');
  } finally {
    events.push('closed');
  }
}

async function use(source: AsyncIterable<number>, stopAt = Number.POSITIVE_INFINITY): Promise<number[]> {
  const seen: number[] = [];
  for await (const value of readAhead(source)) {
    // A step takes a while.
    await new Promise((resolve) => setTimeout(resolve, 1));
    events.push(`used ${value}`);
    seen.push(value);
    if (value === stopAt) break;
  }
  return seen;
}

test('everything comes in order, one thing ahead', async () => {
  expect(await use(numbers(3))).toEqual([0, 1, 2]);
  expect(events).toEqual(['read 0', 'read 1', 'used 0', 'read 2', 'used 1', 'closed', 'used 2']);
});

test('an error comes in its turn; whoever stops early closes the source', async () => {
  await expect(use(numbers(2, true))).rejects.toThrow('the end');
  expect(events.slice(-2)).toEqual(['closed', 'used 1']);
  expect(await use(numbers(9), 1)).toEqual([0, 1]);
  expect(events.slice(-3)).toEqual(['read 2', 'used 1', 'closed']);
});
