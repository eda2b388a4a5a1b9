import type { Agent } from '../../../lib/agent/agent';
import { binaryRequest, INFER, send, untilStatus } from '../served';
import { type RawAnswer, RawConnection } from './raw';

/** A request, and what has to come of it. */
export interface Row {
  readonly name: string;
  readonly bytes: Uint8Array | string;
  readonly status: number;
  /** Our code in the body of a refusal. */
  readonly code?: string;
  /** Whether the connection can be used again, or is closed in order. */
  readonly after: 'open' | 'closed';
  readonly headers?: Readonly<Record<string, unknown>>;
}

export const HOST = 'Host: localhost\r\n';
const PROBE = `GET /v2/health/live HTTP/1.1\r\n${HOST}\r\n`;

/** A request with a body and its length. */
export function post(body: Uint8Array | string, fields = '', path = INFER): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST ${path} HTTP/1.1\r\n${HOST}Content-Length: ${bytes.length}\r\n${fields}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

/** A request without a body. */
export function get(path: string, fields = '', method = 'GET'): string {
  return `${method} ${path} HTTP/1.1\r\n${HOST}${fields}\r\n`;
}

/** Requires that an agent is as if nothing had happened: it answers, and holds nothing of what came before. */
export async function expectUnharmed(agent: Agent): Promise<void> {
  expect((await send(agent.url, INFER, binaryRequest())).status).toBe(200);
  await untilStatus(agent.url, ({ uploads, models }) =>
    [uploads, ...models.flatMap(({ waiting, running }) => [waiting, running])].every((count) => count === 0),
  );
}

/** Sends the bytes of a row over a connection of their own, and checks all that it says. */
export async function check(agent: Agent, { bytes, status, code, after, headers = {} }: Row): Promise<RawAnswer> {
  const connection = new RawConnection(agent.url);
  try {
    connection.write(bytes);
    const isHead = bytes.toString().startsWith('HEAD ');
    const answer = await connection.next(isHead);
    expect({ status: answer.status, body: answer.body.toString() }).toEqual({ status, body: expect.any(String) });
    expect(answer.headers).toMatchObject(headers);
    if (code !== undefined)
      expect(JSON.parse(answer.body.toString())).toEqual({
        code,
        error: expect.stringMatching(/\w+ \w+/),
        hint: expect.stringMatching(/\w+:? \w+/),
      });
    if (after === 'closed') {
      if (!isHead) expect(answer.headers.connection).toBe('close');
      await connection.closed();
    } else {
      connection.write(PROBE);
      const { status: next, body } = await connection.next();
      expect([next, body.toString()]).toEqual([200, '{"live":true}']);
    }
    return answer;
  } finally {
    connection.destroy();
  }
}
