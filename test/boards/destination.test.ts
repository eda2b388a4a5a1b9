import fc from 'fast-check';
import { destinationText, parseDestination } from '../../lib/boards/destination';
import type { HoneError } from '../../lib/core/error';

test.each([
  ['local', { kind: 'local' }],
  ['pi5', { kind: 'ssh', host: 'pi5' }],
  ['pi@raspberrypi.local', { kind: 'ssh', user: 'pi', host: 'raspberrypi.local' }],
  ['DOMAIN\\pi@10.0.0.7', { kind: 'ssh', user: 'DOMAIN\\pi', host: '10.0.0.7' }],
  ['pi@lab@host', { kind: 'ssh', user: 'pi@lab', host: 'host' }],
  ['pi@fe80::1%eth0', { kind: 'ssh', user: 'pi', host: 'fe80::1%eth0' }],
  ['ssh://pi5', { kind: 'ssh', host: 'pi5' }],
  ['ssh://pi@pi5:2222', { kind: 'ssh', user: 'pi', host: 'pi5', port: 2222 }],
  ['ssh://pi@pi5:2222/', { kind: 'ssh', user: 'pi', host: 'pi5', port: 2222 }],
  ['ssh://[::1]:22', { kind: 'ssh', host: '::1', port: 22 }],
] as const)('%s', (text, expected) => {
  expect(parseDestination(text)).toEqual(expected);
});

test.each([
  ['', /empty/],
  ['-oProxyCommand=id', /begins with '-'/],
  ['ssh://-oProxyCommand=id', /no name or address/],
  ['pi@-oProxyCommand=id', /no name or address/],
  ['-l@host', /begins with '-'/],
  ['ssh://-l@host', /name of a user/],
  ['pi@', /no name or address/],
  ['@pi5', /name of a user/],
  ['pi 5', /no name or address/],
  ['pi5\n', /no name or address/],
  ['pi5;id', /no name or address/],
  ['$(id)@pi5', /name of a user/],
  ['pi:secret@pi5', /password/],
  ['pi@pi5:2222', /ssh:\/\/pi@pi5:2222/],
  ['ssh://pi5:0', /port/],
  ['ssh://pi5:65536', /port/],
  ['ssh://pi5:22x', /port/],
  ['ssh://pi5/home', /no name or address/],
  ['mqtt://broker', /mqtt:\/\/ is no link/],
  [`${'a'.repeat(256)}`, /no name or address/],
  ['a'.repeat(401), /longer than 400/],
])('%j is refused', (text, reason) => {
  expect(() => parseDestination(text)).toThrow(
    expect.objectContaining({ code: 'E_BOARD_DESTINATION', message: expect.stringMatching(reason) }),
  );
});

test('what is accepted holds nothing that ssh or a shell reads otherwise, and is written as it was read', () => {
  const part = fc.oneof(
    fc.constantFrom('-', '@', ':', 'ssh://', '[', ']', '/', ' ', '\n', '$', '\\', '%', ';'),
    fc.string(),
  );
  const text = fc.oneof(
    fc.array(part, { maxLength: 6 }).map((parts) => parts.join('')),
    fc
      .tuple(fc.webAuthority({ withUserInfo: true, withPort: true, withIPv4: true, withIPv6: true }))
      .map(([a]) => `ssh://${a}`),
    fc.domain().map((domain) => `user@${domain}`),
  );
  let accepted = 0;
  fc.assert(
    fc.property(text, (found) => {
      let destination: ReturnType<typeof parseDestination>;
      try {
        destination = parseDestination(found);
      } catch (error) {
        expect((error as HoneError).code).toBe('E_BOARD_DESTINATION');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: there must be none
        expect((error as HoneError).message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        return;
      }
      accepted++;
      if (destination.kind === 'ssh')
        for (const word of [destination.host, destination.user ?? 'u']) expect(word).toMatch(/^[\w:][\w.:%+@\\-]*\$?$/);
      expect(parseDestination(destinationText(destination))).toEqual(destination);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(100);
});
