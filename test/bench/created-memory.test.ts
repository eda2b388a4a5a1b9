import { measureCreated } from '../../bench/created-memory';

describe('created memory', () => {
  test('a call that creates nothing', () => {
    let count = 0;
    const created = measureCreated({ name: 'counts', run: () => void count++ });
    expect(created.arrayBufferBytesPerRun).toBe(0);
    expect(created.heapBytesPerRun).toBeLessThan(8);
  });

  test('a call that creates an ArrayBuffer', () => {
    const kept: { buffer?: ArrayBuffer } = {};
    const run = () => {
      kept.buffer = new ArrayBuffer(64);
    };
    const created = measureCreated({ name: 'creates', run });
    expect(created.arrayBufferBytesPerRun).toBeGreaterThanOrEqual(64);
    expect(created.heapBytesPerRun).toBeGreaterThan(32);
  });
});
