import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDestination } from '../../../lib/boards/destination';
import type { Link } from '../../../lib/boards/link';
import { sshArguments } from '../../../lib/boards/links/ssh';
import { openLink } from '../../../lib/boards/open-link';
import type { HoneError } from '../../../lib/core/error';
import { describeWithSsh, freePort, type SshServer, startSshServer } from '../ssh-server';

const coded = (code: string, message: RegExp = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

/** What every link does. */
function behaves(link: () => Link): void {
  test('runs a script with input, and hands back exit code, output and errors', async () => {
    const { code, stdout, stderr } = await link().run('read line; echo "got $line"; echo bad >&2; exit 3', {
      input: Buffer.from('words\n'),
    });
    expect([code, stdout.toString(), stderr]).toEqual([3, 'got words\n', 'bad\n']);
  });

  test('a script arrives as it is', async () => {
    const text = `a'b"c\\d$HOME\`id\`!é\n%s`;
    const quoted = `'${text.replaceAll("'", "'\\''")}'`;
    expect((await link().run(`printf '%s' ${quoted}`)).stdout.toString()).toBe(text);
  });

  test('megabytes pass through whole, both ways', async () => {
    const bytes = Buffer.alloc(3 << 20, 'abcdefghijk');
    const { stdout } = await link().run('cat', { input: bytes });
    expect(stdout.equals(bytes)).toBe(true);
  });

  test('a script may leave its input unread', async () => {
    const { code } = await link().run('exit 7', { input: Buffer.alloc(4 << 20) });
    expect(code).toBe(7);
  });

  test('more output than asked for is refused', async () => {
    await expect(link().run('cat /dev/zero', { limitBytes: 1000 })).rejects.toEqual(
      coded('E_BOARD_ANSWER', /1000 bytes/),
    );
  });

  test('what takes too long is ended', async () => {
    await expect(link().run('sleep 60', { timeoutMs: 800 })).rejects.toEqual(coded('E_BOARD_TIMEOUT'));
  });

  test('what is interrupted is ended', async () => {
    const controller = new AbortController();
    const running = link().run('sleep 60', { signal: controller.signal });
    setTimeout(() => controller.abort(), 200);
    await expect(running).rejects.toEqual(coded('E_INTERRUPTED'));
    await expect(link().run('true', { signal: controller.signal })).rejects.toEqual(coded('E_INTERRUPTED'));
  });

  test('a channel carries a conversation', async () => {
    const { stream, ended } = await link().open('while read line; do echo "<$line>"; done; exit 4');
    const said: string[] = [];
    stream.setEncoding('utf8').on('data', (text: string) => {
      said.push(text);
      if (said.join('') === '<one>\n') stream.end('two\n');
    });
    stream.write('one\n');
    expect((await ended).code).toBe(4);
    expect(said.join('')).toBe('<one>\n<two>\n');
  });

  test('closing the link ends its channels', async () => {
    const other = openLink(link().destination);
    const { ended } = await other.open('exec cat');
    const failed = expect(ended).rejects.toEqual(coded('E_BOARD_DROPPED', /closed/));
    await other.close();
    await failed;
  });
}

describe('local', () => {
  const link = openLink({ kind: 'local' });
  behaves(() => link);

  test('a script that a signal ends is no success', async () => {
    await expect(link.run('kill -9 $$')).rejects.toEqual(coded('E_BOARD_SHELL'));
  });
});

test('the words of ssh: no option can come behind the host, and none of ours is a shell word', () => {
  const words = sshArguments({ kind: 'ssh', host: 'pi5', user: 'pi', port: 22 }, "echo 'x'", {
    config: '/c',
    interactive: false,
  });
  const end = words.indexOf('--');
  expect(words.slice(end)).toEqual(['--', 'pi@pi5', `exec sh -c 'echo '"'"'x'"'"''`]);
  expect(words.slice(0, end)).toEqual(
    expect.arrayContaining(['-F', '/c', '-p', '22', 'BatchMode=yes', 'RemoteCommand=none']),
  );
  expect(sshArguments({ kind: 'ssh', host: 'pi5' }, '', { interactive: true })).toContain('BatchMode=no');
});

describeWithSsh('ssh', () => {
  let server: SshServer;
  let link: Link;
  const before = process.env.HONE_SSH_CONFIG;
  beforeAll(async () => {
    server = await startSshServer();
    process.env.HONE_SSH_CONFIG = server.config;
    link = openLink(parseDestination('board'));
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.HONE_SSH_CONFIG;
    else process.env.HONE_SSH_CONFIG = before;
    await server.close();
  });
  behaves(() => link);

  /** A configuration with other lines in front, which win. */
  const configured = (name: string, ...lines: string[]): string => {
    const path = join(server.folder, name);
    writeFileSync(path, `Host *\n${lines.join('\n')}\n${readFileSync(server.config, 'utf8')}`);
    return path;
  };
  const failureOf = (text: string, config = server.config): Promise<HoneError> =>
    openLink(parseDestination(text), { config, interactive: false })
      .run('true')
      .then(
        () => Promise.reject(new Error('it worked')),
        (error: HoneError) => error,
      );

  test('runs with the home of the board', async () => {
    expect((await link.run('printf %s "$HOME"')).stdout.toString()).toBe(server.home);
  });

  test('a host name that nobody knows', async () => {
    expect(await failureOf('no-such-board.invalid')).toEqual(coded('E_BOARD_UNREACHABLE', /resolve|not known/));
  });

  test('a port where nothing listens', async () => {
    const port = await freePort();
    expect(await failureOf(`ssh://127.0.0.1:${port}`)).toEqual(coded('E_BOARD_UNREACHABLE', /refused/));
  });

  test('a host that does not answer', async () => {
    const silent = configured('silent', 'ConnectTimeout 1', 'ProxyCommand sleep 60');
    const running = openLink(parseDestination('board'), { config: silent }).run('true', { timeoutMs: 1500 });
    await expect(running).rejects.toEqual(coded('E_BOARD_TIMEOUT'));
  });

  test('a wrong key', async () => {
    const config = configured('wrong', `IdentityFile ${server.makeKey('stranger')}`);
    writeFileSync(config, readFileSync(config, 'utf8').replace(/^ {2}IdentityFile.*$/m, ''));
    expect(await failureOf('board', config)).toEqual(coded('E_BOARD_LOGIN', /Permission denied \(publickey/));
  });

  test('a host that was never seen', async () => {
    const config = configured('new', 'UserKnownHostsFile /dev/null');
    expect(await failureOf('board', config)).toEqual(coded('E_BOARD_HOST_NEW'));
  });

  test('a host whose key changed: both fingerprints, and a command that forgets the old one', async () => {
    const known = join(server.folder, 'changed');
    const other = readFileSync(`${server.makeKey('other')}.pub`, 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ');
    writeFileSync(known, `# reflashed\n[127.0.0.1]:${server.port} ${other}\n`);
    const error = await failureOf('board', configured('reflashed', `UserKnownHostsFile ${known}`));
    expect(error).toEqual(coded('E_BOARD_HOST_KEY'));
    const print = async (name: string) =>
      (await openLink({ kind: 'local' }).run(`ssh-keygen -lf ${join(server.folder, name)}.pub`)).stdout
        .toString()
        .split(' ')[1];
    expect(error.details).toMatchObject({ old: await print('other'), fresh: await print('host') });
    const forgotten = await openLink({ kind: 'local' }).run(String(error.details.command));
    expect(forgotten.code).toBe(0);
    expect(readFileSync(known, 'utf8')).toBe('# reflashed\n');
  });

  test('a link that breaks in the middle', async () => {
    const running = link.run('echo here; sleep 60');
    setTimeout(() => server.drop(), 1000);
    await expect(running).rejects.toEqual(coded('E_BOARD_DROPPED'));
  });

  test('a login that ends without a shell', async () => {
    const bare = await startSshServer({ settings: ['ForceCommand printf "\\033[2Jno shell here" >&2; exit 1'] });
    const error = await failureOf('board', bare.config).finally(() => bare.close());
    expect(error).toEqual(coded('E_BOARD_SHELL', /\\x1b\[2Jno shell here/));
  });

  test('what a login prints before is dropped, and too much of it is refused', async () => {
    const loud = await startSshServer({
      settings: ['ForceCommand echo "Welcome to board"; eval "$SSH_ORIGINAL_COMMAND"'],
    });
    const { stdout } = await openLink(parseDestination('board'), { config: loud.config })
      .run('echo result')
      .finally(() => loud.close());
    expect(stdout.toString()).toBe('result\n');
    const endless = await startSshServer({ settings: ['ForceCommand yes'] });
    const error = await failureOf('board', endless.config).finally(() => endless.close());
    expect(error).toEqual(coded('E_BOARD_SHELL', /printed more/));
  });

  test('no ssh on this machine', async () => {
    const path = process.env.PATH;
    process.env.PATH = '/nowhere';
    try {
      expect(await failureOf('board')).toEqual(coded('E_BOARD_LINK', /no ssh on this machine/));
    } finally {
      process.env.PATH = path;
    }
  });
});
