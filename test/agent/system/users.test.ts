import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { connectSupervisor, type SupervisorClient } from '../../../lib/client/supervisor-client';
import { packageRoot } from '../../../lib/engine/package-root';
import { INFER, jsonRequest, send, tinyPlan } from '../served';
import { PlayedSystem, type Users } from './play-systemd';

/** Numbers that no user of this machine has. */
const USERS: Users = { hone: 61_183, front: 61_184, model: 61_185 };

/** Runs a program of Node as a user; what it prints. */
function runAs(uid: number, code: string, stdin: 'ignore' | number = 'ignore'): string {
  const { stdout } = spawnSync(process.execPath, ['-e', code], {
    ...{ uid, gid: uid, cwd: '/' },
    encoding: 'utf8',
    stdio: [stdin, 'pipe', 'pipe'],
  });
  return stdout;
}

/** Users can be had by root alone, and they must be let to where this package lies. */
const why = (() => {
  if (process.getuid!() !== 0) return 'only root may have other users';
  const root = packageRoot();
  const isOpen =
    runAs(USERS.model, `require(${JSON.stringify(join(root, 'package.json'))}); console.log('open')`) === 'open\n';
  return isOpen ? undefined : `${root} is closed to other users`;
})();

(why === undefined ? describe : describe.skip)(
  `with a user for each role${why === undefined ? '' : ` (${why})`}`,
  () => {
    let system: PlayedSystem;
    let client: SupervisorClient;
    beforeAll(async () => {
      system = new PlayedSystem(USERS);
      const model = (name: string) => ({ name, plan: `${name}.plan`, loaded: false });
      system.catalogue({ 'tiny.plan': tinyPlan(), 'other.plan': tinyPlan() }, [model('tiny'), model('other')]);
      await system.listen();
      await system.startFront();
      client = await connectSupervisor(system.paths.supervisor);
      await client.load('tiny');
      await client.load('other');
    });
    afterAll(async () => {
      client.close();
      await system.close();
    });

    test('all of it works', async () => {
      expect((await send(system.url, INFER, { body: jsonRequest() })).status).toBe(200);
    });

    /** What a program of a user comes to: `open`, or the code of the refusal. */
    function attempt(uid: number, action: string): string {
      const plan = openSync(join(system.slots, '0', 'model.plan'), 'r');
      const code = `(async () => { ${action} })().then(() => console.log('open'), (error) => console.log(error.code));`;
      try {
        return runAs(uid, `const fs = require('node:fs'); const net = require('node:net'); ${code}`, plan).trim();
      } finally {
        closeSync(plan);
      }
    }
    const quoted = (path: string) => JSON.stringify(path);
    const dialling = (path: string) =>
      `await new Promise((resolve, reject) => net.connect(${quoted(path)}).on('connect', function () { this.destroy(); resolve(); }).on('error', reject));`;
    const reading = (path: string) => `fs.readFileSync(${quoted(path)});`;
    const writing = (path: string) => `fs.writeFileSync(${quoted(path)}, 'x', { flag: 'a' });`;
    const signalling = (pid: number) => `process.kill(${pid}, 'SIGKILL');`;

    test.each<[who: keyof Users, what: string, action: () => string, outcome: string]>([
      ['model', 'reads the plan that it was handed', () => reading('/proc/self/fd/0'), 'open'],
      ['model', 'writes it', () => "fs.openSync('/proc/self/fd/0', 'r+');", 'EACCES'],
      ['model', 'reads its plan by path', () => reading(join(system.slots, '0', 'model.plan')), 'EACCES'],
      ['model', 'reads the plan of another slot', () => reading(join(system.slots, '1', 'model.plan')), 'EACCES'],
      ['model', 'reads the catalogue', () => reading(join(system.plans, 'catalogue.json')), 'EACCES'],
      ['model', 'writes what the front is told', () => writing(system.paths.wanted), 'EACCES'],
      ['model', 'makes a file beside it', () => writing(join(system.runtime, 'x')), 'EACCES'],
      ['model', 'writes what the front tells', () => writing(system.paths.told), 'EACCES'],
      ['model', 'asks the supervisor', () => dialling(system.paths.supervisor), 'EACCES'],
      ['model', 'asks the front over its socket', () => dialling(system.paths.front), 'EACCES'],
      ['model', 'asks another worker', () => dialling(system.paths.worker(1)), 'EACCES'],
      ['model', 'ends the front', () => signalling(system.front!.pid!), 'EPERM'],
      ['model', 'ends the supervisor', () => signalling(system.supervisors.at(-1)!.pid!), 'EPERM'],
      ['front', 'reads a plan', () => reading(join(system.slots, '0', 'model.plan')), 'EACCES'],
      ['front', 'reads the catalogue', () => reading(join(system.plans, 'catalogue.json')), 'EACCES'],
      ['front', 'reads what it is told', () => reading(system.paths.wanted), 'open'],
      ['front', 'writes it', () => writing(system.paths.wanted), 'EACCES'],
      ['front', 'ends a worker', () => signalling(system.worker(0).pid!), 'EPERM'],
      ['hone', 'writes what the front tells', () => writing(system.paths.told), 'EACCES'],
      ['hone', 'asks a worker', () => dialling(system.paths.worker(0)), 'EACCES'],
    ])('%s %s', (who, _, action, outcome) => {
      expect(attempt(USERS[who], action())).toBe(outcome);
    });
  },
);
