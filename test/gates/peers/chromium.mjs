import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { runCommand } from './command.mjs';

const PAGE = readFileSync(fileURLToPath(new URL('page.html', import.meta.url)));
const PICTURES = join('out', 'gates', 'agent-peers');
const LIMIT_MS = 60_000;

const SERVED = {
  frames: '3',
  'frames of': 'tiny',
  'error of the stream': 'none',
  'infer in JSON': '200 11,22,33,44',
  'infer in binary form': '200 11,22,33,44',
  'a refusal': '404 E_MODEL_UNKNOWN',
};
const REFUSED = {
  frames: '0',
  'frames of': '',
  'error of the stream': 'closed',
  'infer in JSON': 'TypeError',
  'infer in binary form': 'TypeError',
  'a refusal': 'TypeError',
};

/** A browser without a window: EventSource and fetch from a page of an origin that the owner lists, and from others. */
export const chromium = {
  name: 'chromium',
  install: 'apt-get install chromium',
  version: () => /Chromium (\S+)/.exec(runCommand('chromium', ['--version']).stdout)?.[1],
  /** Sites whose pages ask: one that is listed, and others. */
  async prepare() {
    const listed = await startSite();
    return { listed, other: await startSite(), sandboxed: await startSite('sandbox allow-scripts') };
  },
  options: ({ listed }) => ['--origin', listed.origin],
  release: ({ listed, other, sandboxed }) => {
    for (const site of [listed, other, sandboxed]) site.close();
  },
  async run({ agent: { url }, check, folder, prepared: { listed, other, sandboxed } }) {
    const browser = await startBrowser(join(folder, 'chromium'));
    mkdirSync(PICTURES, { recursive: true });
    const seen = {};
    try {
      for (const [name, site, expected] of [
        ['listed', listed, SERVED],
        ['not-listed', other, REFUSED],
        ['opaque', sandboxed, REFUSED],
      ]) {
        const { found, picture } = await browser.open(`${site.origin}/page.html?agent=${encodeURIComponent(url)}`);
        writeFileSync(join(PICTURES, `${name}.png`), picture);
        for (const [what, text] of Object.entries(expected))
          check(
            `a page of an origin that is ${name}: ${what} is ${text || 'empty'}`,
            found[what] === text,
            found[what],
          );
        seen[name] = { frames: Number(found.frames), infer: found['infer in JSON'] };
      }
      const asked = await (await fetch(`${url}/metrics`)).text();
      check(
        'pages that are not listed were refused',
        /E_REQUEST_ORIGIN"} [1-9]/.test(asked),
        asked.match(/^hone_fail.*/gm),
      );
    } finally {
      await browser.close();
    }
    return { seen };
  },
};

/** A web site of one page, of an origin of its own. */
async function startSite(policy) {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    if (policy !== undefined) response.setHeader('content-security-policy', policy);
    response.end(PAGE);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** A browser that is told what to do through a pipe: messages in JSON with a zero byte behind each, to its file 3, from its 4. */
async function startBrowser(profile) {
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const quiet = ['--no-first-run', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'];
  const words = ['--headless=new', '--remote-debugging-pipe', `--user-data-dir=${profile}`, ...quiet, ...asRoot];
  const child = spawn('chromium', [...words, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const [commands, answers] = [child.stdio[3], child.stdio[4]];
  const waiting = new Map();
  let [sent, unread] = [0, ''];
  answers.setEncoding('utf8').on('data', (chunk) => {
    const messages = (unread + chunk).split('\0');
    unread = messages.pop();
    for (const { id, result, error } of messages.map(JSON.parse)) waiting.get(id)?.(result ?? { error });
  });
  const call = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve) => {
      waiting.set(++sent, resolve);
      commands.write(`${JSON.stringify({ id: sent, method, params, sessionId })}\0`);
    });
  return {
    /** What a page has found once it is done, and how it looks then. */
    async open(address) {
      const { targetId } = await call('Target.createTarget', { url: address });
      const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
      const end = Date.now() + LIMIT_MS;
      const evaluate = async (expression) =>
        (await call('Runtime.evaluate', { expression }, sessionId)).result?.value ?? null;
      let text = null;
      while (text === null) {
        if (Date.now() > end) throw new Error(`${address} is not done: ${await evaluate('document.body.innerText')}`);
        await delay(100);
        text = await evaluate('document.body?.dataset.found ?? null');
      }
      const { data } = await call('Page.captureScreenshot', {}, sessionId);
      await call('Target.closeTarget', { targetId });
      return { found: JSON.parse(text), picture: Buffer.from(data, 'base64') };
    },
    async close() {
      await Promise.race([call('Browser.close'), exited]);
      await exited;
    },
  };
}
