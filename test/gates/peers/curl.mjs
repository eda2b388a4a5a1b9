import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { runCommand } from './command.mjs';

const INFER = '/v2/models/tiny/infer';

/** The command-line client, with what it does of HTTP. */
export const curl = {
  name: 'curl',
  install: 'apt-get install curl',
  version: () => /^curl (\S+)/.exec(runCommand('curl', ['--version']).stdout)?.[1],
  async run({ agent: { url }, models, check, folder }) {
    const { inputs, outputs } = models.find(({ model }) => model === 'tiny');
    const request = JSON.stringify({ inputs: inputs.map((tensor) => ({ ...tensor, data: numbersOf(tensor) })) });
    const body = join(folder, 'request.json');
    writeFileSync(body, request);
    writeFileSync(`${body}.gz`, gzipSync(request));
    const expected = outputs.map((tensor) => numbersOf(tensor).join());
    const isAnswer = (text) => {
      const { outputs: found = [] } = parsed(text);
      return found.map(({ data }) => Array.from(Float32Array.from(data)).join()).join(' ') === expected.join(' ');
    };
    const given = ({ status, stdout }) => `${status}: ${stdout.slice(0, 1000)}`;

    const head = ask(url, '/v2/models/tiny', ['--head']);
    const whole = ask(url, '/v2/models/tiny');
    check('HEAD has the head of GET alone', head.code === 200 && head.body === '', given(head));
    check('its length is that of GET', lengthOf(head) === whole.body.length, `${lengthOf(head)}, ${whole.body.length}`);
    for (const [method, path, allow] of [
      ['PUT', '/v2', 'GET, HEAD, OPTIONS'],
      ['GET', INFER, 'POST, OPTIONS'],
      ['DELETE', '/v2/models/tiny', 'GET, HEAD, OPTIONS'],
    ]) {
      const refused = ask(url, path, ['--request', method]);
      const found = /^allow: (.*)\r$/im.exec(refused.head)?.[1];
      check(`405 with Allow: ${method} ${path}`, refused.code === 405 && found === allow, given(refused));
      check(`405 in words: ${method} ${path}`, parsed(refused.body).code === 'E_REQUEST_METHOD', refused.body);
    }
    const upload = ask(url, '/v2', ['--upload-file', body]);
    check('an upload by PUT is refused in words', parsed(upload.body).code === 'E_REQUEST_METHOD', given(upload));
    const options = ask(url, INFER, ['--request', 'OPTIONS']);
    check('OPTIONS', options.code === 204 && /^allow: POST, OPTIONS\r$/im.test(options.head), given(options));

    const data = ['--data-binary', `@${body}`];
    const waits = ['--expect100-timeout', '20', '--header', 'Expect: 100-continue'];
    for (const [what, words] of [
      ['a JSON request', data],
      ['chunks', [...data, '--header', 'Transfer-Encoding: chunked']],
      ['Expect: 100-continue', [...data, ...waits]],
      ['chunks after Expect: 100-continue', [...data, ...waits, '--header', 'Transfer-Encoding: chunked']],
      ['HTTP/1.0', [...data, '--http1.0']],
      ['an offer of HTTP/2', [...data, '--http2']],
      ['all encodings that curl has', [...data, '--compressed']],
      ['a body that is gzip', ['--data-binary', `@${body}.gz`, '--header', 'Content-Encoding: gzip']],
      ['an address in the request line, as to a proxy', [...data, '--proxy', url]],
      ['a range', [...data, '--range', '0-3']],
    ]) {
      const answer = ask(url, INFER, words);
      check(what, answer.status === 0 && answer.code === 200 && isAnswer(answer.body), given(answer));
      if (!what.startsWith('Expect')) continue;
      check('100 Continue before the answer', answer.stdout.startsWith('HTTP/1.1 100 Continue\r\n'), given(answer));
    }
    const refused = ask(url, '/v2/models/nobody/infer', [...data, ...waits]);
    const isTold = refused.code === 404 && !refused.stdout.includes('100 Continue');
    check('what is refused need not be sent', refused.status === 0 && isTold, given(refused));
    const other = ask(url, INFER, [...data, '--header', 'Expect: miracles']);
    check('another expectation', other.code === 417 && parsed(other.body).code === 'E_REQUEST_EXPECT', given(other));
    const form = ask(url, INFER, ['--form', `file=@${body}`]);
    check(
      'a form is refused in words',
      form.code === 400 && parsed(form.body).code === 'E_REQUEST_FORMAT',
      given(form),
    );
    const second = ask(url, INFER, [...data, '--http2-prior-knowledge']);
    check('HTTP/2 without asking is refused', second.status !== 0 && second.status !== 28, given(second));

    const packed = join(folder, 'answer.gz');
    const zipped = runCommand('curl', ['-sS', '--header', 'Accept-Encoding: gzip', ...data, '-o', packed, url + INFER]);
    const unzipped = () => gunzipSync(readFileSync(packed)).toString();
    check('an answer that is gzip', zipped.status === 0 && isAnswer(unzipped()), zipped.stderr);

    const one = ['-sS', '-w', '%{num_connects} %{http_code}\\n', '-o', '/dev/null'];
    const paths = ['/v2', '/v2/models/tiny/nothing', '/metrics', '/v2/health/live'];
    const chain = paths.flatMap((path, index) => [...(index > 0 ? ['--next'] : []), ...one, url + path]);
    const { stdout: connects } = runCommand('curl', chain);
    check('one connection for all by --next', connects === '1 200\n0 404\n0 200\n0 200\n', connects);
    const many = Array.from({ length: 40 }, () => ['-o', '/dev/null', url + INFER]).flat();
    const at = ['-sS', '--parallel', '--parallel-max', '20', '-w', '%{http_code}\\n', ...data, ...many];
    const { stdout: codes } = runCommand('curl', at);
    check('40 at once', codes === '200\n'.repeat(40), codes.replaceAll('\n', ' '));
    const stream = runCommand('curl', ['-sS', '--no-buffer', '--max-time', '4', `${url}/v1/telemetry?model=tiny`]);
    const frames = stream.stdout.split('event: frame\n').length - 1;
    check(
      'frames of telemetry until curl hangs up',
      stream.status === 28 && frames >= 2,
      `${stream.status}, ${frames}`,
    );
    return {};
  },
};

/** The answer to one request, apart. */
function ask(url, path, words = []) {
  const { status, stdout, stderr } = runCommand('curl', ['-sS', '--include', '--max-time', '60', ...words, url + path]);
  const last = stdout.lastIndexOf('HTTP/1.1 ');
  const end = stdout.indexOf('\r\n\r\n', last);
  const head = stdout.slice(last, end + 2);
  const code = Number(head.slice('HTTP/1.1 '.length, 12));
  return { status, stdout: stdout + stderr, head, code, body: stdout.slice(end + 4) };
}

const lengthOf = ({ head }) => Number(/^content-length: (\d+)\r$/im.exec(head)?.[1]);

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function numbersOf({ data }) {
  const bytes = Uint8Array.from(Buffer.from(data, 'base64'));
  return Array.from(new Float32Array(bytes.buffer));
}
