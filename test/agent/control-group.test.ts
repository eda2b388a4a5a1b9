import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlGroup } from '../../lib/agent/control-group';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hone-group-'));
  mkdirSync(join(root, 'system.slice', 'a.service'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (file: string, text: string) => writeFileSync(join(root, 'system.slice', 'a.service', file), text);
const kills = (count: number) => write('memory.events', `oom ${count + 5}\noom_kill ${count}\noom_group_kill 9\n`);
const open = () => new ControlGroup(join(root, 'system.slice', 'a.service'));

test('a process finds its group by its membership', () => {
  write('cgroup.procs', '17\n18\n');
  write('memory.max', '1048576\n');
  writeFileSync(join(root, 'self'), '4:memory:/elsewhere\n0::/system.slice/a.service\n');
  const { pid, limitBytes } = ControlGroup.own(join(root, 'self'), root);
  expect({ pid, limitBytes }).toEqual({ pid: 17, limitBytes: 1048576 });
});

test('a group without bound, and none, tell nothing', () => {
  write('memory.max', 'max\n');
  for (const group of [open(), new ControlGroup(join(root, 'none')), ControlGroup.own(join(root, 'none'), root)]) {
    expect([group.pid, group.limitBytes, group.takeKill()]).toEqual([undefined, null, undefined]);
  }
});

test('each end for memory is told once; those of before are not', () => {
  kills(3);
  const group = open();
  expect(group.takeKill()).toBe(false);
  kills(5);
  expect([group.takeKill(), group.takeKill(), group.takeKill()]).toEqual([true, true, false]);
  // The group was made anew.
  kills(1);
  expect([group.takeKill(), group.takeKill()]).toEqual([true, false]);
});
